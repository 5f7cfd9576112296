"""nginx with TLS 1.3, which serves a directory and logs each request."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.certificates import identity_file
from support.servers.running import HOST, free_port, program, running, work_folder
from wan import NEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import trustme

_NGINX = """\
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {{ worker_connections 1024; }}
http {{
    log_format seen '$msec $connection $status $bytes_sent $ssl_protocol '
                    '$request_method $request_uri';
    access_log requests.log seen;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    types {{ text/html html; application/json json; }}
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 10000;
    gzip_static on;
    ssl_protocols TLSv1.3;
    ssl_certificate server.pem;
    ssl_certificate_key server.pem;
    {http}
    server {{
        listen {host}:{plain};
        listen {host}:{port} ssl;
        root "{root}";
        {server}
    }}
    server {{
        listen {host}:{storage} ssl;
        root "{root}";
        if ($http_authorization) {{ return 400; }}
    }}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Site:
    """How the files are served, in nginx's configuration."""

    http: str = ""
    """In the block `http`."""

    server: str = ""
    """In the block `server`."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A line of nginx's log."""

    time: float
    """When it was answered, in seconds since 1970."""

    connection: int
    status: int
    size: int
    """Bytes that were sent, with the head."""

    protocol: str
    method: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A running server."""

    port: int
    """For https."""

    plain: int
    """The port for http."""

    storage: int
    """The port of another origin with the same files, which refuses every credential."""

    log: Path

    def requests(self, start: int = 0) -> list[Request]:
        """Return the requests that were logged from an offset in the log on."""
        with self.log.open() as file:
            file.seek(start)
            return [_request(line) for line in file]


def _request(line: str) -> Request:
    when, connection, status, size, protocol, method, path = line.rstrip("\n").split(" ", 6)
    return Request(
        time=float(when),
        connection=int(connection),
        status=int(status),
        size=int(size),
        protocol=protocol,
        method=method,
        path=path,
    )


@contextmanager
def origin(root: Path, authority: trustme.CA, site: Callable[[int], Site]) -> Iterator[Origin]:
    """Serve a directory.

    Args:
        root: The directory.
        authority: The issuer of the server's certificate.
        site: How it is served, given the port of the storage.
    """
    with (
        free_port() as port,
        free_port() as plain,
        free_port() as storage,
        work_folder() as work,
    ):
        identity_file(authority.issue_cert(HOST, NEAR), work / "server.pem")
        configuration = work / "nginx.conf"
        found = site(storage)
        ports = {"port": port, "plain": plain, "storage": storage}
        text = _NGINX.format(host=HOST, root=root, http=found.http, server=found.server, **ports)
        configuration.write_text(text)
        command = (program("nginx"), "-e", "stderr", "-p", str(work), "-c", str(configuration))
        with running(*command, port=port, work=work):
            yield Origin(log=work / "requests.log", **ports)
