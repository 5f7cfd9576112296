"""Connections of the proxy of `exec` to other servers: kept for one client, never shared."""

from __future__ import annotations

import http.client
from base64 import b64encode
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from support.heads import OK, Origin
from uv_self_update.gateway.address import listen
from uv_self_update.gateway.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from uv_self_update.gateway.replies import Reply
    from uv_self_update.gateway.routes import Request


class Client:
    """One connection to the proxy."""

    def __init__(self, proxy: str) -> None:
        parts = urlsplit(proxy)
        pair = b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        self._secret = {"Proxy-Authorization": f"Basic {pair}"}
        self._made = http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=30)

    def ask(
        self, url: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Send a request, and return the status and the body."""
        self._made.request(method, url, body=body, headers={**self._secret, **headers})
        answer = self._made.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        """Close the connection."""
        self._made.close()


def never(_: Request) -> Reply:
    """Answer for no host."""
    raise AssertionError


@contextmanager
def proxied() -> Iterator[Callable[[], Client]]:
    """Start a proxy, and return what connects to it."""
    address = listen()
    proxy = Proxy(address, own=lambda _: False, answer=never, proxy_for=lambda _: None)
    clients: list[Client] = []

    def connect() -> Client:
        clients.append(Client(address.proxy))
        return clients[-1]

    with closing(proxy):
        yield connect
        for client in clients:
            client.close()


@pytest.fixture
def connect() -> Iterator[Callable[[], Client]]:
    """Return what connects to a proxy."""
    with proxied() as made:
        yield made


def test_connection_is_kept_whatever_the_framing(connect: Callable[[], Client]) -> None:
    """One connection carries bodies with a length, in chunks, and responses without one."""
    answers = {
        "GET /length": OK,
        "GET /chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HEAD /head": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        "GET /204": b"HTTP/1.1 204 No Content\r\n\r\n",
        "GET /304": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n",
        "GET /hint": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK,
        "GET /end": OK,
    }
    with Origin(lambda _, number: ([*answers.values()][number], True)) as origin:
        client = connect()
        got = []
        for line in answers:
            method, path = line.split(" ")
            got.append(client.ask(origin.url + path, method))

        assert got == [
            *((200, b"ok"), (200, b"ok"), (200, b""), (204, b"")),
            *((304, b""), (200, b"ok"), (200, b"ok")),
        ]
        assert [[head.partition(" HTTP/")[0] for head in heads] for heads in origin.heads] == [
            [*answers]
        ]
        assert "connection: close" not in "\n".join(origin.heads[0]).lower()


def test_large_bodies(connect: Callable[[], Client]) -> None:
    """A connection is kept after a large body with a length; one that breaks off is never whole."""
    content = bytes(range(256)) * (12 << 10)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)
    chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    closing = head.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    answers = (
        (head + content, True),
        (chunks % (len(content), content), True),
        (closing + content, True),
        (head + content[:-1], False),
    )
    with Origin(lambda connection, number: answers[number + 3 * connection]) as origin:
        client = connect()
        assert [client.ask(origin.url) for _ in range(3)] == [(200, content)] * 3
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            client.ask(origin.url)
        assert [len(heads) for heads in origin.heads] == [3, 1]


def test_no_two_clients_share_a_connection(connect: Callable[[], Client]) -> None:
    """What a client sends goes over connections of its own, also after another has ended."""
    with Origin(lambda *_: (OK, True)) as origin:
        first, second = connect(), connect()
        for client, name in ((first, "one"), (second, "two"), (first, "one"), (second, "two")):
            client.ask(f"{origin.url}/{name}", Authorization=name)
        first.close()
        assert origin.ended.acquire(timeout=10)
        connect().ask(f"{origin.url}/three")

        assert [
            {line for head in heads for line in head.split("\r\n") if "uthorization" in line}
            for heads in origin.heads
        ] == [{"Authorization: one"}, {"Authorization: two"}, set()]
        assert [len(heads) for heads in origin.heads] == [2, 2, 1]


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
)
def test_connection_that_the_server_ends(head: bytes, connect: Callable[[], Client]) -> None:
    """The client keeps its connection, and its next request gets a new one to the server."""
    with Origin(lambda *_: (head + b"ok", False)) as origin:
        client = connect()
        assert [client.ask(origin.url) for _ in range(3)] == [(200, b"ok")] * 3
        assert [len(heads) for heads in origin.heads] == [1, 1, 1]


def test_connection_that_was_closed_while_idle(connect: Callable[[], Client]) -> None:
    """A server may close without a word: no request is lost, and none is sent there."""
    with Origin(lambda *_: (OK, False)) as origin:
        client = connect()
        for _ in range(3):
            assert client.ask(origin.url) == (200, b"ok")
            assert origin.ended.acquire(timeout=10)
        assert [len(heads) for heads in origin.heads] == [1, 1, 1]


def test_connection_that_is_closed_over_a_request(connect: Callable[[], Client]) -> None:
    """A GET that an old connection takes and does not answer is sent once more, and no further."""
    with Origin(lambda _, number: (OK, True) if number == 0 else (b"", False)) as origin:
        client = connect()
        assert [client.ask(origin.url) for _ in range(3)] == [(200, b"ok")] * 3
        assert [len(heads) for heads in origin.heads] == [2, 2, 1]

    with Origin(lambda *_: (b"", False)) as origin:
        assert connect().ask(origin.url)[0] == 502
        assert [len(heads) for heads in origin.heads] == [1]


def test_response_that_breaks_off_is_not_repeated(connect: Callable[[], Client]) -> None:
    """Once a byte has come, the request counts as answered."""
    with Origin(lambda _, n: (OK, True) if n == 0 else (b"HTTP/1.1 2", False)) as origin:
        client = connect()
        assert client.ask(origin.url) == (200, b"ok")
        assert client.ask(origin.url)[0] == 502
        assert [len(heads) for heads in origin.heads] == [2]


@pytest.mark.parametrize(
    ("method", "body"), [("POST", None), ("POST", b""), ("DELETE", None), ("PATCH", None)]
)
def test_request_that_cannot_be_repeated(
    method: str, body: bytes | None, connect: Callable[[], Client]
) -> None:
    """It gets a new connection, where a close cannot cross it; so it is never sent twice."""
    with Origin(lambda connection, _: (OK, True) if connection == 0 else (b"", False)) as origin:
        client = connect()
        assert client.ask(origin.url) == (200, b"ok")
        assert client.ask(origin.url, method, body)[0] == 502
        assert [len(heads) for heads in origin.heads] == [1, 1]


def test_unasked_bytes_answer_nothing(connect: Callable[[], Client]) -> None:
    """What a server sends after a response is never the response to the next request."""
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    with Origin(lambda _, number: (OK + evil if number == 0 else OK, True)) as origin:
        client = connect()
        assert [client.ask(origin.url) for _ in range(2)] == [(200, b"ok")] * 2
        assert [len(heads) for heads in origin.heads] == [1, 1]


def test_timeout_of_an_idle_connection_answers_nothing(connect: Callable[[], Client]) -> None:
    """A 408 that a server sends before it closes an idle connection answers no request."""
    late = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with Origin(lambda *_: (OK, True)) as origin:
        client = connect()
        assert client.ask(origin.url) == (200, b"ok")
        origin.connections[0].sendall(late)
        assert client.ask(origin.url) == (200, b"ok")
        assert [len(heads) for heads in origin.heads] == [1, 1]


def test_another_server_gets_another_connection(connect: Callable[[], Client]) -> None:
    """A request goes to the server that it names, and the former connection is closed."""
    with Origin(lambda *_: (OK, True)) as one, Origin(lambda *_: (OK, True)) as other:
        client = connect()
        for origin in (one, other, one):
            assert client.ask(origin.url) == (200, b"ok")
        assert one.ended.acquire(timeout=10)
        assert [len(heads) for heads in one.heads] == [1, 1]
        assert [len(heads) for heads in other.heads] == [1]


def test_upgrade_is_not_passed_on(connect: Callable[[], Client]) -> None:
    """A kept connection speaks HTTP/1.1 for good."""
    with Origin(lambda *_: (OK, True)) as origin:
        client = connect()
        client.ask(origin.url, Upgrade="websocket", Connection="Upgrade")
        client.ask(origin.url)
        (heads,) = origin.heads
        assert "upgrade" not in "\n".join(heads).lower()
