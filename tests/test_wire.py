"""Connections that stall, crawl, or are ended from our side."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import trustme

from support.proxy import trust
from uv_self_update.auth.credentials import Credentials
from uv_self_update.background import Background
from uv_self_update.config.settings import Network
from uv_self_update.errors import (
    Interrupted,
    ProxyRefused,
    StatusRefused,
    Unreachable,
    UpstreamError,
)
from uv_self_update.network.client import Upstream
from uv_self_update.network.connections import Wire
from uv_self_update.network.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WAIT = 10.0  # seconds that an event may take on a busy machine
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@contextmanager
def serve(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Talk to the first client, after its request has come; yields the server's URL."""

    def run() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                talk(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(WAIT)


@pytest.fixture
def impatient() -> Iterator[Upstream]:
    """Return a client that tries once, and does not wait for long."""
    upstream = Upstream(Network(timeout=0.2, retries=0), Credentials(), environ={})
    yield upstream
    upstream.close()


def trickle(connection: socket.socket) -> None:
    """Send a byte now and then, until the client has left, or for 20 seconds."""
    over = threading.Event()
    with suppress(OSError):
        for _ in range(400):
            connection.sendall(b"x")
            over.wait(0.05)


def test_crawling_body(impatient: Upstream) -> None:
    """A body of which next to nothing comes is given up, though something comes all the time."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(HEAD)
        trickle(connection)

    slow = pytest.raises(Interrupted, match=r"slower than 1,024 bytes per second for")
    with serve(talk) as url, impatient.open(url) as download, slow:
        for _ in download.chunks:
            pass


def test_crawling_head(impatient: Upstream) -> None:
    """Headers that come byte by byte are given up as well."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        trickle(connection)

    with serve(talk) as url, pytest.raises(Unreachable, match="slower than 1,024 bytes per second"):
        impatient.read(url)


def test_slow_reader(impatient: Upstream) -> None:
    """Who takes his time with what has come is not taken for a slow server."""
    rest = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"x" * 1000)
        rest.wait(WAIT)
        connection.sendall(b"x" * 99_000)

    with serve(talk) as url, impatient.open(url) as download:
        begun = next(download.chunks)
        threading.Event().wait(0.6)  # longer than the time that a crawling server gets
        rest.set()
        assert len(begun) + sum(map(len, download.chunks)) == 100_000


def test_end_while_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end comes at once, also while a name server or a host is silent."""
    asked, over = threading.Event(), threading.Event()

    def silent(*_: object, **__: object) -> None:
        asked.set()
        over.wait(WAIT)
        message = "nobody was there"
        raise OSError(message)

    monkeypatch.setattr(socket, "create_connection", silent)
    upstream = Upstream(Network(retries=0), Credentials(), environ={})
    reading = Background(lambda: upstream.read("http://mirror.test/"))
    assert asked.wait(WAIT)
    upstream.close()
    try:
        assert reading.wait(WAIT)
        with pytest.raises(Unreachable, match="interrupted"):
            reading.result()
    finally:
        over.set()


class Announced(logging.Handler):
    """Sees when a client begins to wait for its next try."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Take note."""
        if "retrying in" in record.msg:
            self.event.set()


def test_end_while_waiting_for_the_next_try(caplog: pytest.LogCaptureFixture) -> None:
    """The end comes at once, also between two tries."""
    upstream = Upstream(Network(retries=10), Credentials(), environ={})
    caplog.set_level(logging.DEBUG, logger="uv_self_update.network.client")
    announced = Announced()
    logger = logging.getLogger("uv_self_update.network.client")
    logger.addHandler(announced)

    def talk(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n")

    with serve(talk) as url:
        reading = Background(lambda: upstream.read(url))
        assert announced.event.wait(WAIT)
        logger.removeHandler(announced)
        upstream.close()
        assert reading.wait(WAIT)
        with pytest.raises(StatusRefused, match="answered 503"):
            reading.result()


def test_answers_before_the_answer(impatient: Upstream) -> None:
    """Who only ever announces an answer (RFC 9110 section 15.2) is given up."""

    def talk(connection: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)

    with serve(talk) as url, pytest.raises(Unreachable, match="no complete response within"):
        impatient.read(url)


def test_chunks_that_are_all_head(impatient: Upstream) -> None:
    """Much may come of which next to nothing is the body: that is as slow as if nothing came."""
    chunk = b"1;" + b"x" * 4000 + b"\r\nx\r\n"

    def talk(connection: socket.socket) -> None:
        over = threading.Event()
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sendall(chunk)
                over.wait(0.01)

    slow = pytest.raises(Interrupted, match=r"slower than 1,024 bytes per second for")
    with serve(talk) as url, impatient.open(url) as download, slow:
        for _ in download.chunks:
            pass


def test_waits_have_an_end() -> None:
    """All pauses of a run together have a bound, whatever each of them is."""
    wire = Wire(Network(), Limits(all_waits=0.02))

    assert [wire.wait(0.008) for _ in range(4)] == [True, True, False, False]


def test_handshake_within_a_tunnel(tmp_path: Path) -> None:
    """TLS within the TLS of a proxy has an end too, however slowly it goes on."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def run() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) as tunnel:
                tunnel.recv(1 << 16)
                tunnel.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                # The start of a record that is announced to be long.
                tunnel.sendall(b"\x16\x03\x03\x40\x00")
                trickle(tunnel)

    network = Network(
        timeout=0.5, connect_timeout=0.5, retries=0, ca_bundle=trust(authority, tmp_path)
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        proxy = {"https_proxy": f"https://127.0.0.1:{listener.getsockname()[1]}"}
        upstream = Upstream(network, Credentials(), environ=proxy)
        reading = Background(lambda: upstream.read("https://mirror.test/"))
        assert reading.wait(WAIT)
        with pytest.raises(UpstreamError):
            reading.result()
        upstream.close()
    thread.join(WAIT)


@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05", b"\x05\x07"])
def test_proxy_that_speaks_no_socks(reply: bytes) -> None:
    """What answers in place of a SOCKS proxy is said not to be one."""
    with serve(lambda connection: connection.sendall(reply)) as url:
        proxy = {"ALL_PROXY": url.replace("http://", "socks5h://").rstrip("/")}
        upstream = Upstream(Network(timeout=5, retries=0), Credentials(), environ=proxy)
        with pytest.raises(ProxyRefused, match="no valid response of a SOCKS 5 proxy"):
            upstream.read("http://mirror.test/")
        upstream.close()


def test_login_that_socks_cannot_send() -> None:
    """A login that is longer than SOCKS has room for is refused, and not shown."""
    proxy = {"ALL_PROXY": f"socks5h://me:{'x' * 300}@127.0.0.1:9"}
    with serve(lambda connection: connection.sendall(b"\x05\x02")) as url:
        proxy["ALL_PROXY"] = proxy["ALL_PROXY"].replace("127.0.0.1:9", url[7:].rstrip("/"))
        upstream = Upstream(Network(timeout=5, retries=0), Credentials(), environ=proxy)
        with pytest.raises(ProxyRefused, match="no valid response of a SOCKS 5 proxy") as caught:
            upstream.read("http://mirror.test/")
        upstream.close()
    assert "xxx" not in f"{caught.value}{caught.value.hint}"
