"""File servers that are Python or npm packages, as they are started by hand in a directory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.servers.installed import npm_script, python_environment
from support.servers.running import HOST, free_port, running, work_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_WSGIDAV = """\
host: {host}
port: {port}
provider_mapping:
    "/": "{folder}"
simple_dc:
    user_mapping:
        "*": true
"""


def updog(folder: Path) -> AbstractContextManager[str]:
    """Serve a directory with updog.

    Yields:
        The server's URL, without a slash at its end.
    """
    programs = python_environment("updog==2.0.1")
    return _served(
        lambda port: (str(programs / "updog"), "-d", str(folder), "-p", port, "-b", HOST)
    )


def uploadserver(folder: Path) -> AbstractContextManager[str]:
    """Serve a directory with uploadserver; see updog."""
    programs = python_environment("uploadserver==6.0.5")
    return _served(
        lambda port: (
            *(str(programs / "uploadserver"), port, "--bind", HOST),
            *("--directory", str(folder)),
        )
    )


def twisted(folder: Path) -> AbstractContextManager[str]:
    """Serve a directory with Twisted's own web server; see updog."""
    programs = python_environment("twisted==26.10.0")
    return _served(
        lambda port: (
            *(str(programs / "twistd"), "--nodaemon", "--pidfile=", "web"),
            *(f"--listen=tcp:{port}:interface={HOST}", f"--path={folder}"),
        )
    )


@contextmanager
def wsgidav(folder: Path) -> Iterator[str]:
    """Serve a directory with WsgiDAV; see updog."""
    programs = python_environment("wsgidav==4.4.0", "cheroot==11.1.2")
    with free_port() as port, work_folder() as work:
        configuration = work / "wsgidav.yaml"
        configuration.write_text(_WSGIDAV.format(host=HOST, port=port, folder=folder))
        command = (str(programs / "wsgidav"), "--config", str(configuration))
        with running(*command, port=port, work=work):
            yield f"http://{HOST}:{port}"


def copyparty(folder: Path) -> AbstractContextManager[str]:
    """Serve a directory with copyparty; see updog."""
    programs = python_environment("copyparty==1.20.26")
    return _served(
        lambda port: (
            *(str(programs / "copyparty"), "-i", HOST, "-p", port, "-q"),
            *("-v", f"{folder}::r", "--no-thumb", "--hist", "."),
        )
    )


def npm_serve(folder: Path) -> AbstractContextManager[str]:
    """Serve a directory with npm's `serve`; see updog."""
    program = npm_script("serve@14.2.7", "build/main.js")
    return _served(lambda port: (*program, "-n", "-l", f"tcp://{HOST}:{port}", str(folder)))


def npm_http_server(folder: Path) -> AbstractContextManager[str]:
    """Serve a directory with npm's `http-server`; see updog."""
    program = npm_script("http-server@14.1.1", "bin/http-server")
    return _served(lambda port: (*program, str(folder), "-a", HOST, "-p", port))


def npm_sirv(folder: Path) -> AbstractContextManager[str]:
    """Serve a directory with npm's `sirv-cli`, which lists nothing; see updog."""
    program = npm_script("sirv-cli@3.0.1", "bin.js")
    return _served(lambda port: (*program, str(folder), "--host", HOST, "--port", port))


@contextmanager
def _served(command: Callable[[str], tuple[str, ...]]) -> Iterator[str]:
    with (
        free_port() as port,
        work_folder() as work,
        running(*command(str(port)), port=port, work=work),
    ):
        yield f"http://{HOST}:{port}"
