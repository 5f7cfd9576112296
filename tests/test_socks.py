"""Connections through a SOCKS proxy: a real one, and one that answers oddly."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from support.servers.running import free_port, program, running
from support.web import Page
from uv_self_update.background import Background
from uv_self_update.network import socks
from uv_self_update.network.forward import Route, forward
from uv_self_update.network.tunnels import NotForwarded

if TYPE_CHECKING:
    from pathlib import Path

    from support.web import Web

LOGIN = ("jo", "a/b@c%")
ACCEPTED, GRANTED = b"\5\0", b"\5\0\0\1\0\0\0\0\0\0"


@pytest.mark.system
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize(
    ("login", "written", "problem"),
    [
        (None, "", None),
        (LOGIN, "jo:a%2Fb%40c%25@", None),
        (LOGIN, "jo:wrong@", "it does not accept the credentials"),
        (LOGIN, "", "it does not accept the method of authentication"),
    ],
)
def test_microsocks(  # noqa: PLR0913, PLR0917 # a table
    scheme: str,
    host: str,
    login: tuple[str, str] | None,
    written: str,
    problem: str | None,
    web: Web,
    tmp_path: Path,
) -> None:
    """A request reaches the server through a real proxy, which may require credentials."""
    web.pages["/x"] = Page(body=b"pong")
    arguments = [] if login is None else ["-u", login[0], "-P", login[1]]
    with free_port() as port:
        command = (program("microsocks"), "-i", "127.0.0.1", "-p", str(port), *arguments)
        with running(*command, port=port, work=tmp_path):
            url = f"{web.url}/x".replace("127.0.0.1", host)
            route = Route(proxy=f"{scheme}://{written}127.0.0.1:{port}")
            if problem is not None:
                with pytest.raises(NotForwarded, match=problem):
                    forward(b"GET", url, [], [], route)
                return
            answer = forward(b"GET", url, [], [], route)
            assert (answer.status, b"".join(map(bytes, answer.body))) == (200, b"pong")
            answer.close()

    (asked,) = web.asked
    assert asked.path == "/x"
    assert asked.headers["Host"] == urlsplit(url).netloc


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (b"", "it closed the connection"),
        (b"\5", "it closed the connection"),
        (b"\4\0", "does not accept the method"),
        (b"\5\xff", "does not accept the method"),
        (ACCEPTED + b"\5\5\0\1", "connection refused"),
        (ACCEPTED + b"\5\x63\0\1", "error 99"),
        (ACCEPTED + GRANTED[:-1], "it closed the connection"),
    ],
)
def test_refusals(sent: bytes, problem: str) -> None:
    """Whatever a proxy refuses is said, also if it goes before it has answered."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(sent)
        far.shutdown(socket.SHUT_WR)
        with pytest.raises(OSError, match=problem):
            socks.connect(near, "far.example", 80, urlsplit("socks5h://p.example"))


@pytest.mark.parametrize(
    "bound", [GRANTED, b"\5\0\0\3\4host\0\1", b"\5\0\0\4" + bytes(16) + b"\0\1"]
)
def test_nothing_of_the_server_is_read(bound: bytes) -> None:
    """A reply ends where its address does; it may come byte by byte, and the server's follow."""
    with ExitStack() as stack:
        near, far = map(stack.enter_context, socket.socketpair())

        def answer() -> None:
            for number in ACCEPTED + bound + b"server":
                far.sendall(bytes([number]))

        answering = Background(answer)
        socks.connect(near, "bücher.example", 80, urlsplit("socks5h://p.example"))
        answering.result()

        assert near.recv(6, socket.MSG_WAITALL) == b"server"
        name = b"xn--bcher-kva.example"
        assert far.recv(1000) == b"\5\1\0\5\1\0\3" + bytes([len(name)]) + name + b"\0\x50"


@pytest.mark.parametrize("host", ["", "x" * 300])
def test_name_that_cannot_be_sent(host: str) -> None:
    """A name that has no place in a request is refused."""
    near, far = socket.socketpair()
    with near, far:
        far.sendall(ACCEPTED)
        with pytest.raises((OSError, UnicodeError)):
            socks.connect(near, host, 80, urlsplit("socks5h://p.example"))
