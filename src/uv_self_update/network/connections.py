"""The connections that leave the machine: who waits how long on them, and how they are ended.

httpcore, which is below httpx, makes all of them through what stands here.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import httpcore

from uv_self_update.background import Background

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

    from uv_self_update.config.settings import Network


Failure = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)
"""What a connection that is read past httpx can end with."""

SLOWEST = 1024
"""Bytes a second: what brings fewer for a while is not worth waiting for."""

_HEAD = 4
"""Times the patience that all of an answer but its body may take, however busy the line is."""

_LONGEST_WAITS = 300.0  # seconds between tries, of a run
_ALERT = 0.1  # seconds until a wait for a connection sees that it is over
_KEPT = 20.0  # seconds that an idle connection is kept for the next request


class TooSlow(httpcore.ReadTimeout):
    """Something comes, but next to nothing."""


class MinimumThroughput:
    """Whether enough comes for the time that is spent waiting for it."""

    def __init__(self, patience: float) -> None:
        """Begin; `patience` is half of the seconds after which it is looked at."""
        self._patience = patience
        self._waited, self._received = 0.0, 0

    def count(self, seconds: float, received: int) -> None:
        """Take note of a wait, and of the bytes that it brought.

        Raises:
            TooSlow: They are too few.
        """
        self._waited += seconds
        self._received += received
        if self._waited >= 2 * self._patience:
            if received and self._received < SLOWEST * self._waited:
                message = (
                    f"fewer than {SLOWEST:,} bytes a second came for {self._waited:.0f} seconds"
                )
                raise TooSlow(message)
            self._waited, self._received = 0.0, 0


class Wire:
    """Every connection of a run."""

    def __init__(self, network: Network) -> None:
        """Connect to nothing yet."""
        self.patience = network.timeout
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._request = threading.local()
        self._waits = 0.0

    @contextmanager
    def answer_due(self) -> Iterator[None]:
        """Give what this thread does meanwhile an end: connecting, asking, reading a head."""
        self._request.end = time.monotonic() + _HEAD * self.patience
        made: list[socket.socket] = []
        self._request.made = made
        try:
            yield
        except BaseException:
            # httpcore forgets some, such as that to a SOCKS proxy that is none.
            for connection in made:
                connection.close()
            raise
        finally:
            self._request.end, self._request.made = None, None

    def check_answer(self) -> None:
        """Make sure that the answer of this thread's request is not overdue.

        Raises:
            TooSlow: It is.
        """
        end = getattr(self._request, "end", None)
        if end is not None and time.monotonic() > end:
            message = f"no whole answer came for {_HEAD * self.patience:g} seconds"
            raise TooSlow(message)

    def pool(
        self,
        tls: ssl.SSLContext | None,
        *,
        proxy: httpcore.Proxy | None = None,
    ) -> httpcore.ConnectionPool:
        """Return a pool of connections with one TLS context and one way out."""
        return httpcore.ConnectionPool(
            ssl_context=tls,
            proxy=proxy,
            keepalive_expiry=_KEPT,
            network_backend=_Backend(self),
        )

    def add(self, connection: socket.socket) -> None:
        """Take note of a connection; after the end of all, it ends at once."""
        if getattr(self._request, "made", None) is not None:
            self._request.made.append(connection)
        with self._lock:
            self._sockets.add(connection)
            if self._closed.is_set():
                _shut(connection)

    @property
    def closed(self) -> bool:
        """Whether the end of all connections has come."""
        return self._closed.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for a time, and return whether it has passed; False if the end came first.

        It comes as well when waits have taken too long together: a server that is always about to
        answer could keep a person for hours.
        """
        with self._lock:
            self._waits += seconds
            if self._waits > _LONGEST_WAITS:
                return False
        return not self._closed.wait(seconds)

    def close(self) -> None:
        """End every connection; whoever waits for one, in any thread, waits no longer."""
        with self._lock:
            self._closed.set()
            for connection in self._sockets:
                _shut(connection)


class _Backend(httpcore.NetworkBackend):
    """Makes connections for httpcore."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        # In a thread of its own, since neither a name server nor a host that is silent can be
        # told that nobody waits for it any longer.
        connecting = Background(
            lambda: self._sockets.connect_tcp(host, port, timeout, local_address, socket_options)
        )
        while not connecting.wait(_ALERT):
            if self._wire.closed:
                message = "interrupted"
                raise httpcore.ConnectError(message)
            self._wire.check_answer()
        stream = connecting.result()
        self._wire.add(stream.get_extra_info("socket"))
        return _Stream(stream, self._wire)


class _Stream(httpcore.NetworkStream):
    """A connection that ends when next to nothing comes.

    Only the time spent waiting for the server counts: whoever reads may take as long as he likes.
    """

    def __init__(self, stream: httpcore.NetworkStream, wire: Wire) -> None:
        self._stream = stream
        self._wire = wire
        self._pace = MinimumThroughput(wire.patience)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        begin = time.monotonic()
        # Without a limit: while a SOCKS proxy is being talked to, which httpcore does not limit.
        data = self._stream.read(max_bytes, self._wire.patience if timeout is None else timeout)
        self._wire.check_answer()
        self._pace.count(time.monotonic() - begin, len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._pace = MinimumThroughput(self._wire.patience)
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        # TLS within TLS has a limit for each piece only, and not for the whole.
        limit = threading.Timer(timeout or self._wire.patience, _shut, [self._socket])
        limit.daemon = True
        limit.start()
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        finally:
            limit.cancel()
        # TLS makes another socket of the one that there was.
        self._wire.add(stream.get_extra_info("socket"))
        return _Stream(stream, self._wire)

    @property
    def _socket(self) -> socket.socket:
        found: socket.socket = self._stream.get_extra_info("socket")
        return found

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 # httpcore's signature
        return self._stream.get_extra_info(info)


def _shut(connection: socket.socket) -> None:
    # To close it would not wake the thread that waits for it.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
