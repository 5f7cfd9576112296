"""The connections to other machines, with their timeouts, and how they are closed.

httpcore, the layer below httpx, makes them through the network backend of this module.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

import httpcore

from uv_self_update.background import Background
from uv_self_update.network.limits import DEFAULTS, Limits
from uv_self_update.network.redirects import is_local
from uv_self_update.network.streams import PreconnectedStream

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

    from uv_self_update.config.settings import Network
    from uv_self_update.network.preconnect import Preconnection


T = TypeVar("T")

Failure = (
    httpcore.NetworkError,
    httpcore.TimeoutException,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)
"""The errors of httpcore."""

_POLL = 0.1
"""Seconds between two looks at whether a wait for a connection was interrupted."""


class TooSlow(httpcore.ReadTimeout):
    """The transfer is slower than the minimum throughput."""


class LocalAddress(httpcore.ConnectError):
    """The name of a host resolves to a loopback or link-local address."""


class MinimumThroughput:
    """Gives up a transfer that is slower than a minimum, over the time spent waiting for it."""

    def __init__(self, timeout: float, minimum: int) -> None:
        """Start to count.

        Args:
            timeout: Half of the seconds of waiting over which the throughput is measured.
            minimum: Bytes a second.
        """
        self._window = 2 * timeout
        self._minimum = minimum
        self._waited, self._received = 0.0, 0

    def count(self, seconds: float, received: int) -> None:
        """Count the bytes that a wait of some seconds brought.

        Raises:
            TooSlow: They are below the minimum.
        """
        self._waited += seconds
        self._received += received
        if self._waited >= self._window:
            if received and self._received < self._minimum * self._waited:
                message = (
                    f"slower than {self._minimum:,} bytes per second for {self._waited:.0f} seconds"
                )
                raise TooSlow(message)
            self._waited, self._received = 0.0, 0


class Wire:
    """All connections of a run."""

    def __init__(
        self,
        network: Network,
        limits: Limits = DEFAULTS,
        *,
        preconnection: Preconnection | None = None,
    ) -> None:
        self.timeout = network.timeout
        self.limits = limits
        self.preconnection = preconnection
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._sockets: WeakSet[socket.socket] = WeakSet()
        self._request = threading.local()
        self._waits = 0.0

    @contextmanager
    def limited(self, *, remote: bool = False) -> Iterator[None]:
        """Limit the time of this thread's request: to connect, to send, and to read the head.

        Args:
            remote: Whether to refuse loopback and link-local addresses.

        Raises:
            LocalAddress: The address is refused; nothing was sent.
        """
        self._request.remote = remote
        self._request.end = time.monotonic() + self._head_time
        made: list[socket.socket] = []
        self._request.made = made
        try:
            yield
        except BaseException:
            # httpcore does not close all of them, such as one to an invalid SOCKS proxy.
            for connection in made:
                connection.close()
            raise
        finally:
            self._request.end, self._request.made = None, None
            self._request.remote = False

    def minimum_throughput(self) -> MinimumThroughput:
        """Return a counter for the bytes of one request."""
        return MinimumThroughput(self.timeout, self.limits.throughput)

    def check_answer(self) -> None:
        """Check the time of this thread's request.

        Raises:
            TooSlow: The head of the response is not complete in time.
        """
        end = getattr(self._request, "end", None)
        if end is not None and time.monotonic() > end:
            message = f"no complete response within {self._head_time:g} seconds"
            raise TooSlow(message)

    def check_address(self, stream: httpcore.NetworkStream) -> None:
        """Check the address of a connection for this thread's request.

        Raises:
            LocalAddress: The address is refused.
        """
        if not getattr(self._request, "remote", False):
            return
        address = stream.get_extra_info("server_addr")[0]
        if is_local(address):
            message = f"its address is {address}"
            raise LocalAddress(message)

    def pool(
        self,
        tls: ssl.SSLContext | None,
        *,
        proxy: httpcore.Proxy | None = None,
    ) -> httpcore.ConnectionPool:
        """Return a pool of connections with one TLS context and one proxy."""
        return httpcore.ConnectionPool(
            ssl_context=tls,
            proxy=proxy,
            keepalive_expiry=self.limits.idle,
            network_backend=_Backend(self, tls),
        )

    def awaited(self, call: Background[T], timeout: float | None = None) -> T:
        """Wait for a call in the background that makes a connection, and return its result.

        Raises:
            TooSlow: This thread's request has no time left.
            httpcore.ConnectError: All connections were closed meanwhile.
            httpcore.ConnectTimeout: The timeout has passed.
        """
        end = math.inf if timeout is None else time.monotonic() + timeout
        while not call.wait(_POLL):
            if self.closed:
                message = "interrupted"
                raise httpcore.ConnectError(message)
            if time.monotonic() > end:
                raise httpcore.ConnectTimeout
            self.check_answer()
        return call.result()

    def add(self, connection: socket.socket) -> None:
        """Register a connection; it is closed at once if all are closed."""
        if getattr(self._request, "made", None) is not None:
            self._request.made.append(connection)
        with self._lock:
            self._sockets.add(connection)
            if self._closed.is_set():
                _shut(connection)

    @property
    def _head_time(self) -> float:
        return self.limits.head_timeouts * self.timeout

    @property
    def closed(self) -> bool:
        """Whether all connections are closed."""
        return self._closed.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, and return whether the time has passed; False if all connections were closed.

        Also return False once all waits of the run exceed `Limits.all_waits`: a server can ask for
        one wait after the other.
        """
        with self._lock:
            self._waits += seconds
            if self._waits > self.limits.all_waits:
                return False
        return not self._closed.wait(seconds)

    def close(self) -> None:
        """Close every connection, which also ends the waits of other threads."""
        with self._lock:
            self._closed.set()
            for connection in self._sockets:
                _shut(connection)


class _Backend(httpcore.NetworkBackend):
    """Makes connections for httpcore.

    Args:
        wire: All connections of the run.
        tls: The context of the servers that the connections lead to.
    """

    def __init__(self, wire: Wire, tls: ssl.SSLContext | None) -> None:
        self._wire = wire
        self._tls = tls
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        stream = self._preconnected(host, port)
        if stream is None:
            # In another thread: name resolution and connecting cannot be interrupted.
            connecting = Background(
                lambda: self._sockets.connect_tcp(
                    host, port, timeout, local_address, socket_options
                )
            )
            stream = self._wire.awaited(connecting)
        # The address of the connection, since another lookup of the name may return another one.
        try:
            self._wire.check_address(stream)
        except (LocalAddress, OSError):
            stream.close()
            raise
        self._wire.add(stream.get_extra_info("socket"))
        return _Stream(stream, self._wire)

    def _preconnected(self, host: str, port: int) -> httpcore.NetworkStream | None:
        """Return the connection that was begun before, if this is where it leads."""
        begun = self._wire.preconnection
        if begun is not None:
            begun = begun.take(host, port, self._tls, idle=self._wire.limits.idle)
        return None if begun is None else PreconnectedStream(begun, self._wire.awaited)


class _Stream(httpcore.NetworkStream):
    """A connection with a minimum throughput.

    Only the time spent waiting for the server counts, not that of a slow reader.
    """

    def __init__(self, stream: httpcore.NetworkStream, wire: Wire) -> None:
        self._stream = stream
        self._wire = wire
        self._throughput = self._wire.minimum_throughput()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        begin = time.monotonic()
        # httpcore sets no timeout during the handshake with a SOCKS proxy.
        data = self._stream.read(max_bytes, self._wire.timeout if timeout is None else timeout)
        self._wire.check_answer()
        self._throughput.count(time.monotonic() - begin, len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._throughput = self._wire.minimum_throughput()
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        # For TLS within TLS, the timeout is for each read, not for the handshake.
        limit = threading.Timer(timeout or self._wire.timeout, _shut, [self._socket])
        limit.daemon = True
        limit.start()
        try:
            stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        finally:
            limit.cancel()
        # TLS wraps the socket in another one.
        self._wire.add(stream.get_extra_info("socket"))
        return _Stream(stream, self._wire)

    @property
    def _socket(self) -> socket.socket:
        found: socket.socket = self._stream.get_extra_info("socket")
        return found

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 # httpcore's signature
        return self._stream.get_extra_info(info)


def _shut(connection: socket.socket) -> None:
    # Unlike `close`, `shutdown` wakes a thread that is reading.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
