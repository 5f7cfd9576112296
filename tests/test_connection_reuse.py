"""Our own connections to a server: used again after whatever the server has answered."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from support.heads import OK, Origin
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import UvSelfUpdateError
from uv_self_update.network.client import Upstream

if TYPE_CHECKING:
    from collections.abc import Iterator

REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: /there\r\n"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Return a client that tries once."""
    with closing(Upstream(Network(retries=0, timeout=10), Credentials(), environ={})) as made:
        yield made


def heads(origin: Origin) -> list[list[str]]:
    """Return the first lines of the requests of each connection."""
    return [[head.partition(" HTTP/")[0] for head in found] for found in origin.heads]


@pytest.mark.parametrize(
    "redirect",
    [
        REDIRECT + b"Content-Length: 0\r\n\r\n",
        REDIRECT + b"Content-Length: 4\r\n\r\nmore",
        REDIRECT + b"Content-Length: 16384\r\n\r\n" + bytes(16384),
    ],
)
def test_redirect_costs_no_connection(redirect: bytes, upstream: Upstream) -> None:
    """A redirect within a server is followed on the same connection."""
    with Origin(lambda _, number: ((redirect, OK)[number], True)) as origin:
        assert upstream.read(f"{origin.url}/here").body == b"ok"
        assert heads(origin) == [["GET /here", "GET /there"]]


@pytest.mark.parametrize("status", [404, 403, 500])
def test_refusal_costs_no_connection(status: int, upstream: Upstream) -> None:
    """What follows a refusal goes over the same connection."""
    refused = f"HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno".encode()
    with Origin(lambda _, number: ((refused, OK)[number], True)) as origin:
        with pytest.raises(UvSelfUpdateError):
            upstream.read(f"{origin.url}/no")
        assert upstream.read(f"{origin.url}/ok").body == b"ok"
        assert heads(origin) == [["GET /no", "GET /ok"]]


def test_head_costs_no_connection(upstream: Upstream) -> None:
    """A HEAD has no body, whatever its length; what confirms a refused one follows it."""
    answers = (
        b"HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\n1",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
    )
    with Origin(lambda _, number: (answers[number], True)) as origin:
        assert [upstream.status(f"{origin.url}/{number}") for number in range(2)] == [200, 200]
        assert heads(origin) == [["HEAD /0", "GET /0", "HEAD /1"]]


@pytest.mark.parametrize(
    "redirect",
    [
        REDIRECT + b"Content-Length: 16385\r\n\r\n" + bytes(16385),
        REDIRECT + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        REDIRECT + b"Connection: close\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_what_is_not_read_for_nothing(redirect: bytes, upstream: Upstream) -> None:
    """A long body, or one of unknown length, is not read: that takes longer than a connection."""
    with Origin(lambda connection, _: ((redirect, OK)[connection], True)) as origin:
        assert upstream.read(f"{origin.url}/here").body == b"ok"
        assert heads(origin) == [["GET /here"], ["GET /there"]]


def test_broken_redirect_is_followed(upstream: Upstream) -> None:
    """A body that breaks off does not count: the address is known."""
    broken = REDIRECT + b"Content-Length: 100\r\n\r\nmore"
    with Origin(lambda n, _: ((broken, False), (OK, True))[n]) as origin:
        assert upstream.read(f"{origin.url}/here").body == b"ok"
        assert heads(origin) == [["GET /here"], ["GET /there"]]
