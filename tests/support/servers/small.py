"""Small web servers of Debian that show a directory, and rclone, which shows any storage."""

from __future__ import annotations

import socketserver
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from support.servers.running import HOST, free_port, program, running, work_folder

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

_LIGHTTPD = """\
server.document-root = "{folder}"
server.bind = "{host}"
server.port = {port}
dir-listing.activate = "enable"
{more}
"""

_H2O = """\
user: root
pid-file: {work}/pid
error-log: /dev/stderr
num-threads: 1
listen: {{ host: {host}, port: {port} }}
hosts:
  default:
    paths:
      /:
        file.dir: "{folder}"
        file.dirlisting: ON
"""

_YAWS = """\
logdir = {work}
ebin_dir = {work}
include_dir = {work}
auth_log = false
<server {host}>
    port = {port}
    listen = {host}
    docroot = {folder}
    dir_listings = true
    access_log = false
</server>
"""


@contextmanager
def lighttpd(folder: Path, *, types: bool = True) -> Iterator[str]:
    """Serve a directory with lighttpd.

    Args:
        folder: What is served.
        types: Whether it knows media types: without, it sends neither ETag nor Last-Modified.

    Yields:
        The server's URL, without a slash at its end.
    """
    with free_port() as port, work_folder() as work:
        more = 'mimetype.assign = ( ".gz" => "application/gzip" )' if types else ""
        text = _LIGHTTPD.format(folder=folder, host=HOST, port=port, more=more)
        configuration = work / "lighttpd.conf"
        configuration.write_text(text)
        with running(program("lighttpd"), "-D", "-f", str(configuration), port=port, work=work):
            yield f"http://{HOST}:{port}"


@contextmanager
def webfs(folder: Path) -> Iterator[str]:
    """Serve a directory with webfs; see lighttpd."""
    with free_port() as port, work_folder() as work:
        command = (program("webfsd"), "-F", "-4", "-i", HOST, "-p", str(port), "-r", str(folder))
        with running(*command, port=port, work=work):
            yield f"http://{HOST}:{port}"


@contextmanager
def yaws(folder: Path) -> Iterator[str]:
    """Serve a directory with yaws; see lighttpd."""
    with free_port() as port, work_folder() as work:
        configuration = work / "yaws.conf"
        configuration.write_text(_YAWS.format(folder=folder, host=HOST, port=port, work=work))
        command = (program("yaws"), "--conf", str(configuration), "--id", f"uv{port}")
        # `-i` stays in the foreground; its console ends where its input does, unless it has none.
        with running(*command, "-i", "--erlarg", "-noinput", port=port, work=work):
            yield f"http://{HOST}:{port}"


@contextmanager
def h2o(folder: Path) -> Iterator[str]:
    """Serve a directory with h2o; see lighttpd."""
    with free_port() as port, work_folder() as work:
        configuration = work / "h2o.yaml"
        configuration.write_text(_H2O.format(folder=folder, host=HOST, port=port, work=work))
        with running(program("h2o"), "-c", str(configuration), port=port, work=work):
            yield f"http://{HOST}:{port}"


@contextmanager
def mini_httpd(folder: Path) -> Iterator[str]:
    """Serve a directory with mini_httpd; see lighttpd."""
    with free_port() as port, work_folder() as work:
        command = (program("mini_httpd"), "-D", "-h", HOST, "-p", str(port), "-d", str(folder))
        with running(*command, "-u", "root", "-i", str(work / "pid"), port=port, work=work):
            yield f"http://{HOST}:{port}"


@contextmanager
def micro_httpd(folder: Path) -> Iterator[str]:
    """Serve a directory with micro-httpd, which a super-server starts for each connection."""
    server = program("micro-httpd")

    class Handler(socketserver.BaseRequestHandler):
        request: socket.socket

        def handle(self) -> None:
            subprocess.run(
                [server, str(folder)],
                stdin=self.request.fileno(),
                stdout=self.request.fileno(),
                check=False,
            )

    class SuperServer(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with SuperServer((HOST, 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://{HOST}:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()


@contextmanager
def rclone(folder: Path, *, protocol: Literal["http", "webdav"] = "http") -> Iterator[str]:
    """Serve a directory with rclone, as it does with any storage; see lighttpd."""
    with free_port() as port, work_folder() as work:
        command = (program("rclone"), "serve", protocol, str(folder), "--addr", f"{HOST}:{port}")
        with running(*command, port=port, work=work):
            yield f"http://{HOST}:{port}"
