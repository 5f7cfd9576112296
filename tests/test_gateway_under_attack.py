"""A real uv is updated while somebody on the same machine attacks its gateway."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

import pytest

from support import binaries, mirrors
from support.homes import PROGRAM
from support.processes import Stuck, until
from support.raw import ask, connect, get, read_all, request
from support.web import Page
from uv_self_update import platforms
from uv_self_update.background import Background

if TYPE_CHECKING:
    import socket

    from support.homes import Home
    from support.web import Web

pytestmark = pytest.mark.system

_NAME = "UV_INSTALLER_GHE_BASE_URL"
LATEST = "api/v3/repos/astral-sh/uv/releases/latest"
SILENT = 200
KEPT = 128
"""How many connections a gateway waits for at once."""


def gateway_of(home: Home) -> SplitResult | None:
    """Return the base URL that the uv of a home talks to; None if it does not run yet.

    (Another user of the machine cannot find it out: an environment is readable to its owner.)
    """
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            lines = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            environ = dict(line.split("=", 1) for line in lines if "=" in line)
            if environ.get("HOME") == str(home.path) and _NAME in environ:
                return urlsplit(environ[_NAME])
    return None


def attack(base: SplitResult) -> dict[str, tuple[int | None, int]]:
    """Send requests of every hostile kind; return the status of each, and the one that is due."""
    port, authority, secret = base.port or 0, base.netloc, base.path.strip("/")
    api = f"/{secret}/{LATEST}"

    def status(
        target: str, *headers: str, host: str | None = authority, method: str = "GET"
    ) -> int | None:
        return ask(port, request(target, *headers, host=host, method=method)).status

    return {
        "no secret": (status(f"/{LATEST}"), 404),
        "wrong secret": (status(f"/{'x' * len(secret)}/{LATEST}"), 404),
        "part of the secret": (status(f"/{secret[:-1]}/{LATEST}"), 404),
        "secret in other case": (status(f"/{secret.swapcase()}/{LATEST}"), 404),
        "root": (status("/"), 404),
        "other path": (status(f"/{secret}/etc/passwd"), 404),
        "..": (status(f"/{secret}/../../../../etc/passwd"), 404),
        ".. before the secret": (status(f"/x/..{api}"), 404),
        ".. as a version": (status(f"{api.removesuffix('latest')}tags/.."), 404),
        "%2e%2e": (status(f"/{secret}/%2e%2e/%2e%2e/etc/passwd"), 404),
        "%2f": (status(f"/{secret}%2f..%2f..%2fetc%2fpasswd"), 404),
        "backslash": (status(f"/{secret}\\..\\..\\etc\\passwd"), 404),
        "absolute target": (status(f"http://{authority}{api}"), 404),
        "foreign host": (status(api, host="evil.example"), 421),
        "foreign port": (status(api, host="127.0.0.1:1"), 421),
        "no host": (status(api, host=None), 400),
        "two hosts": (status(api, "Host: evil.example"), 400),
        "POST": (status(api, "Content-Length: 2", method="POST"), 405),
        "PUT": (status(api, "Content-Length: 2", method="PUT"), 405),
        "HEAD": (status(api, method="HEAD"), 405),
        "OPTIONS": (status(api, method="OPTIONS"), 405),
        "POST without secret": (status(f"/{LATEST}", method="POST"), 404),
        "oversized header": (status(api, f"X: {'x' * (1 << 20)}"), 431),
        "oversized target": (status(f"/{secret}/{'x' * (1 << 20)}"), 431),
        "TLS": (ask(port, b"\x16\x03\x01\r\n\r\n").status, 400),
    }


def open_many(stack: ExitStack, base: SplitResult) -> list[socket.socket]:
    """Open connections that say nothing, and between them some that begin and do not go on."""
    connections = [stack.enter_context(connect(base.port or 0)) for _ in range(SILENT)]
    for connection in connections[::10]:
        with suppress(ConnectionError):
            connection.sendall(b"GET /")
    return connections


@pytest.mark.parametrize("installer", ["release", "native"])
def test_update_under_attack(installer: str, home: Home, web: Web) -> None:
    """Every attack is refused or comes to nothing, and uv is updated beside them."""
    end = binaries.newest()
    archive_path = f"/files/{end}/{platforms.current().archive}"
    home.install(binaries.newest_but_one())
    web.pages |= mirrors.urls_pages([end], real=True)
    latest, archive = stuck(web, "/latest.json"), stuck(web, archive_path)
    home.configure(
        f'[install]\ninstaller = "{installer}"\n\n'
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )
    before = home.rest()

    with ExitStack() as stack:
        stack.callback(archive.release)
        stack.callback(latest.release)
        update = Background(partial(home.start, *PROGRAM))
        # From here on uv's every connection has to come through.
        latest.wait()
        base = until(partial(gateway_of, home))  # the list is requested before uv is started
        silent = open_many(stack, base)
        for name, (status, due) in attack(base).items():
            assert status == due, name
        latest.release()
        archive.wait()
        silent += open_many(stack, base)
        for name, (status, due) in attack(base).items():
            assert status == due, name
        for connection in silent[: len(silent) - KEPT]:
            assert read_all(connection).raw == b""
        assert get(base.port or 0, "/").status == 404
        archive.release()
        done = update.result()

    assert done.code == 0, done.err
    assert home.version() == end
    assert home.receipt_version() == end
    assert home.rest() == before
    script = [f"/files/{end}/uv-installer.sh"] if installer == "release" else []
    assert web.paths() == ["/latest.json", *script, archive_path]


def stuck(web: Web, path: str) -> Stuck:
    """Hold a page back until it is released."""
    page = web.pages[path]
    assert isinstance(page, Page)
    web.pages[path] = held = Stuck(page)
    return held
