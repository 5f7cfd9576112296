"""The gateway's sockets, asked by clients of every kind."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from support.raw import ask, connect, get, read_all, request
from uv_self_update.gateway.address import Address, listen
from uv_self_update.gateway.loopback import Loopback
from uv_self_update.gateway.replies import BrokenOff, Reply
from uv_self_update.network.limits import DEFAULTS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from uv_self_update.gateway.routes import Request

SIZE = 1 << 20


@dataclass(kw_only=True)
class Server:
    """A gateway's sockets, with answers by path."""

    address: Address
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    limits: Limits = DEFAULTS

    def __post_init__(self) -> None:
        """Start to serve."""
        self.port = int(self.address.listener.getsockname()[1])
        self.loopback = Loopback(self.address, self.answer, limits=self.limits)

    def answer(self, asked: Request) -> Reply:
        """Answer by path; `/` says hello."""
        self.asked.append(asked)
        hello = {"/": Reply.of("hello")}
        return (hello | self.replies).get(asked.target, Reply.of("nothing", status=404))


@contextlib.contextmanager
def serving(
    replies: dict[str, Reply] | None = None, *, limits: Limits = DEFAULTS
) -> Iterator[Server]:
    """Serve until the end of a test."""
    server = Server(address=listen(), replies=replies or {}, limits=limits)
    try:
        yield server
    finally:
        server.loopback.close()


def assert_alive(server: Server) -> None:
    """Make sure that a proper request is answered."""
    answer = get(server.port, "/")
    assert (answer.status, answer.body, answer.end) == (200, b"hello", "closed")


def test_request_and_reply() -> None:
    """What was asked arrives as it was sent, and what was answered as it was meant."""
    reply = Reply(
        status=201, content_type="text/x", body=(b"a", b"", b"bc"), length=3, headers=(("A", "b"),)
    )
    with serving({"/x//%2e?y=1": reply}) as server:
        answer = get(server.port, "/x//%2e?y=1")

    assert answer.status == 201
    assert answer.body == b"abc"
    assert answer.headers == {
        "content-type": "text/x",
        "connection": "close",
        "a": "b",
        "content-length": "3",
    }
    (asked,) = server.asked
    assert (asked.method, asked.target) == ("GET", "/x//%2e?y=1")
    assert asked.host == f"127.0.0.1:{server.port}"


def test_body_of_unknown_length() -> None:
    """A body whose length is not known comes in chunks, down to the last that says so."""
    with serving({"/": Reply(body=(b"abc", b"de"))}) as server:
        answer = get(server.port, "/")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.body == b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


def test_http_1_0() -> None:
    """A client of HTTP/1.0 is not sent chunks, which it does not know."""
    with serving({"/": Reply(body=(b"abc", b"de"))}) as server:
        answer = ask(server.port, request("/", host="x", version="1.0"))
    assert "transfer-encoding" not in answer.headers
    assert (answer.status, answer.body, answer.end) == (200, b"abcde", "closed")


def test_http_1_0_without_host() -> None:
    """A request of HTTP/1.0 needs no `Host`, and comes through without, to be refused later."""
    with serving() as server:
        ask(server.port, request("/", host=None, version="1.0"))
    assert [asked.host for asked in server.asked] == [""]


def test_head_has_no_body() -> None:
    """A reply to HEAD has the headers of its body, and no body."""
    with serving() as server:
        answer = get(server.port, "/", method="HEAD")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "5", b"")


def test_pipelined_requests() -> None:
    """Of several requests on one connection the first is answered, and the connection ends."""
    with serving() as server:
        data = request("/", host="x") + request("/other", host="x")
        answer = ask(server.port, data)
    assert answer.body == b"hello"
    assert [asked.target for asked in server.asked] == ["/"]


def test_body_of_a_request() -> None:
    """A body that nobody wants is taken, so that the client comes to read the reply."""
    with serving(limits=Limits(close_time=60)) as server:
        # More than the system keeps for a server that does not read.
        size = 32 * SIZE
        data = request("/", f"Content-Length: {size}", host="x", method="PUT") + bytes(size)
        answer = ask(server.port, data)
    assert (answer.status, answer.body, answer.end) == (200, b"hello", "closed")


MALFORMED = {
    "oversized header": (request("/", f"X: {'x' * SIZE}", host="x"), 431),
    "many headers": (request("/", *(f"X{n}: y" for n in range(20_000)), host="x"), 431),
    "oversized target": (request(f"/{'x' * SIZE}", host="x"), 431),
    "endless request line": (b"G" * SIZE, 431),
    "no host": (request("/", host=None), 400),
    "two hosts": (request("/", "Host: y", host="x"), 400),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "control in target": (b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "space in target": (b"GET / / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    "no colon": (b"GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", 400),
    "two lengths": (request("/", "Content-Length: 1", "Content-Length: 2", host="x"), 400),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    """What is malformed or too large is refused by its status, and the server lives on."""
    data, status = MALFORMED[name]
    with serving(limits=Limits(close_time=60)) as server:
        answer = ask(server.port, data)
        assert (answer.status, answer.body) == (status, b"")
        assert server.asked == []
        assert_alive(server)


def test_slow_client() -> None:
    """A client that sends byte by byte is cut off long before its head is too large."""
    sent = 0
    with serving(limits=Limits(head_time=0.2)) as server:
        with connect(server.port) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nX: ")
            connection.settimeout(0.001)
            while sent < 32 << 10:
                with contextlib.suppress(TimeoutError):
                    received = read_all(connection)
                    break
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"x")
                sent += 1
        assert received.raw == b""
        assert server.asked == []
        assert_alive(server)


def test_no_time_left() -> None:
    """When the time is over, no byte that is there already counts, however fast they come."""
    with serving(limits=Limits(head_time=0)) as server:
        assert get(server.port, "/").raw == b""
        assert server.asked == []


def test_silent_client() -> None:
    """A client that connects and says nothing is cut off."""
    with serving(limits=Limits(head_time=0.05)) as server, connect(server.port) as connection:
        assert read_all(connection).raw == b""


def send_without_end(connection: socket.socket) -> None:
    """Send until there is nobody to send to."""
    while True:
        connection.sendall(b"more")


def test_client_that_does_not_leave() -> None:
    """A client that keeps its connection after the reply is cut off, too."""
    with serving(limits=Limits(close_time=0.05)) as server, connect(server.port) as connection:
        connection.sendall(request("/", host="x"))
        assert read_all(connection).body == b"hello"
        with pytest.raises(ConnectionError):
            send_without_end(connection)


@pytest.mark.parametrize("head", [b"", b"GET / HT"])
def test_many_silent_connections(head: bytes) -> None:
    """Of connections that wait, the oldest make room, and a request is answered beside the rest."""
    with (
        serving(limits=Limits(pending=128, head_time=600)) as server,
        contextlib.ExitStack() as stack,
    ):
        silent = [stack.enter_context(connect(server.port)) for _ in range(300)]
        for connection in silent:
            # Some of them have lost their place already.
            with contextlib.suppress(ConnectionError):
                connection.sendall(head)

        assert_alive(server)

        # Connections are accepted in order. With the one that was answered there were 301.
        for connection in silent[: 300 - 128]:
            assert read_all(connection).raw == b""
        for connection in silent[300 - 127 :]:
            connection.sendall(request("/", host="x")[len(head) :])
            assert read_all(connection).body == b"hello"


def test_connections_without_end() -> None:
    """While somebody opens silent connections without end, requests are answered beside them."""
    stop = threading.Event()

    def attack(port: int) -> None:
        opened: list[socket.socket] = []
        while not stop.is_set():
            opened.append(connect(port))
            if len(opened) > 150:
                opened.pop(0).close()
        for connection in opened:
            connection.close()

    with serving(limits=Limits(head_time=600)) as server:
        attacker = threading.Thread(target=attack, args=(server.port,))
        attacker.start()
        try:
            for _ in range(20):
                assert_alive(server)
        finally:
            stop.set()
            attacker.join()


def test_reply_under_way_keeps_its_place() -> None:
    """A request that is being answered is not among those that make room."""
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> Iterator[bytes]:
        begun.set()
        go_on.wait()
        yield b"hello"

    reply = Reply(body=slow(), length=5)
    with (
        serving({"/slow": reply}, limits=Limits(pending=2)) as server,
        contextlib.ExitStack() as stack,
    ):
        client = stack.enter_context(connect(server.port))
        client.sendall(request("/slow", host="x"))
        begun.wait()
        silent = [stack.enter_context(connect(server.port)) for _ in range(5)]
        assert read_all(silent[0]).raw == b""
        go_on.set()
        assert read_all(client).body == b"hello"


def test_too_few_files() -> None:
    """Where the system has no files left, the oldest connection makes room for the next."""
    program = """
import resource, socket
from uv_self_update.gateway.address import listen
from uv_self_update.gateway.loopback import Loopback
from uv_self_update.gateway.replies import Reply
from uv_self_update.network.limits import Limits
address = listen()
Loopback(address, lambda _: Reply.of("hello"), limits=Limits(head_time=600))
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
print(address.listener.getsockname()[1], flush=True)
input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with contextlib.ExitStack() as stack:
            silent = [stack.enter_context(connect(port)) for _ in range(100)]
            answer = get(port, "/")
            assert read_all(silent[0]).raw == b""
        process.communicate(b"\n")
    assert (answer.status, answer.body) == (200, b"hello")


def test_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no thread left, a connection is lost, and the next is served."""
    started = threading.Thread.start
    refusals = iter([False, True])

    def start(thread: threading.Thread) -> None:
        if next(refusals, False):
            raise RuntimeError
        started(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with serving() as server:
        assert get(server.port, "/").raw == b""
        assert_alive(server)


def test_client_leaves_in_the_middle_of_a_body() -> None:
    """A client that leaves ends the body that it was sent, and nothing else."""
    ended = threading.Event()

    def body() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(SIZE)
        finally:
            ended.set()

    with serving({"/endless": Reply(body=body())}) as server:
        with connect(server.port) as connection:
            connection.sendall(request("/endless", host="x"))
            assert connection.recv(1 << 16)
            server.replies.clear()  # nobody else holds the body
        assert ended.wait(60)
        assert_alive(server)


def breaking(*chunks: bytes) -> Iterator[bytes]:
    """Yield chunks, and then break off."""
    yield from chunks
    raise BrokenOff


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_body_of_known_length_breaks_off(version: str) -> None:
    """A body that breaks off never has the length that was promised."""
    with serving({"/": Reply(body=breaking(b"abc"), length=6)}) as server:
        answer = ask(server.port, request("/", host="x", version=version))
        assert len(answer.body) < 6
        assert answer.end == "reset"
        server.replies.clear()
        assert_alive(server)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_body_of_unknown_length_breaks_off(version: str) -> None:
    """A body that breaks off has no end, neither a last chunk nor an orderly close."""
    with serving({"/": Reply(body=breaking(b"abc"))}) as server:
        answer = ask(server.port, request("/", host="x", version=version))
    assert b"0\r\n\r\n" not in answer.body
    assert answer.end == "reset"


@pytest.mark.parametrize("body", [b"ab", b"abcd"])
def test_body_of_another_length(body: bytes) -> None:
    """A body that is not as long as promised never passes for a whole one."""
    with serving({"/": Reply(body=(body,), length=3)}) as server:
        assert len(get(server.port, "/").body) < 3
        server.replies.clear()
        assert_alive(server)


def test_curl_notices(tmp_path: Path) -> None:
    """Curl fails where a body breaks off, whether its length was known or not."""
    replies = {
        "/known": Reply(body=breaking(b"abc"), length=6),
        "/unknown": Reply(body=breaking(b"abc")),
    }
    with serving(replies) as server:
        codes = [
            subprocess.run(
                ["/usr/bin/curl", "--silent", f"http://127.0.0.1:{server.port}{path}"],
                cwd=tmp_path,
                capture_output=True,
                check=False,
            ).returncode
            for path in replies
        ]
    # 18: a partial file. 52 and 56: nothing, or a reset.
    assert set(codes) <= {18, 52, 56}


def test_listens_on_loopback_only() -> None:
    """Nobody outside the machine can connect, nor by another address of its own."""
    with serving() as server:
        assert server.address.listener.getsockname()[0] == "127.0.0.1"
        assert server.address.listener.family == socket.AF_INET
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", server.port), timeout=60)


def test_addresses_differ() -> None:
    """Every run has a port and a secret of its own, and the secret is not shown."""
    addresses = [listen() for _ in range(20)]
    for address in addresses:
        address.close()
    assert len({address.secret for address in addresses}) == 20
    assert min(len(address.secret) for address in addresses) >= 32
    assert not any(address.secret in repr(address) for address in addresses)


def test_closed() -> None:
    """After the end nobody can connect, and who was connected is not any more."""
    with serving(limits=Limits(head_time=600)) as server, contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(connect(server.port)) for _ in range(3)]
        assert_alive(server)
        server.loopback.close()
        assert [read_all(connection).raw for connection in waiting] == [b"", b"", b""]
        with pytest.raises(ConnectionRefusedError):
            connect(server.port)
