"""A connection that is begun before the HTTP client is imported.

TCP takes a round trip, and TLS 1.3 another one (RFC 8446 section 2). Imports take as long, so both
happen at once. Browsers call it preconnect
(https://html.spec.whatwg.org/multipage/links.html#link-type-preconnect). It leads where the first
request of the client leads: through the same proxy, with the same authorities.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from uv_self_update.background import Background

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

ALPN = ("http/1.1",)
"""The protocols that are offered during the handshake (RFC 7301), as httpcore does."""


class Preconnection:
    """One connection, made by threads in the background; it is used once, or closed."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout: float,
        tls: Callable[[], Callable[[], ssl.SSLContext]] | None = None,
    ) -> None:
        """Begin to connect.

        Args:
            host: A host name in ASCII, or an IP address without brackets.
            port: The port.
            timeout: Seconds to connect, and again for each step of the handshake.
            tls: Imports TLS while TCP connects, and returns a function that returns the context
                for this host, always the same; None without TLS. That function is called in the
                background: to read the authorities takes tens of milliseconds.
        """
        self._address = host, port
        self._timeout = timeout
        self._secured = tls is not None
        self._lock = threading.Lock()
        self._made: socket.socket | None = None
        self._since = 0.0
        self._closed = self._taken = False
        self.peer: Any = None
        """The address of the server, or of the proxy, once it is known."""

        self._connecting: Background[socket.socket] = Background(self._connect)
        # Two threads that import slow each other down, and the handshake waits for this one.
        self._tls = None if tls is None else tls()
        self._securing = None if self._tls is None else Background(partial(self._secure, self._tls))

    def take(
        self, host: str, port: int, tls: ssl.SSLContext | None, *, idle: float
    ) -> Preconnection | None:
        """Return this connection to its only user; None if another one is wanted, or it is old.

        A connection that could not be made is returned as well, because the reason is the user's.

        Args:
            host: The wanted host.
            port: The wanted port.
            tls: The context that the client uses for its URL; None without TLS.
            idle: Seconds without a request after which a server may have closed it.
        """
        if (host, port) != self._address or (self._tls is not None and self._tls() is not tls):
            return None
        with self._lock:
            if self._taken or self._closed:
                return None
            if self._made is not None and (
                time.monotonic() - self._since > idle or _is_over(self._made)
            ):
                return None
            self._taken = True
            return self

    @property
    def connecting(self) -> Background[socket.socket]:
        """The connection; with TLS, only until that is begun."""
        return self._connecting

    @property
    def securing(self) -> Background[ssl.SSLSocket] | None:
        """The connection with TLS; None without it."""
        return self._securing

    def release(self) -> None:
        """Close the connection after it was taken, even if it is still being made."""
        with self._lock:
            self._taken = False
        self.close()

    def close(self) -> None:
        """Close the connection, unless it was taken; one that is still being made closes itself."""
        with self._lock:
            self._closed = True
            if self._made is not None and not self._taken:
                _hang_up(self._made)

    def _connect(self) -> socket.socket:
        host, port = self._address
        # As bytes: a string is encoded by a codec whose import takes milliseconds.
        address: tuple[Any, int] = host.encode(), port
        connection = socket.create_connection(address, self._timeout)
        with _closed_after_failure(connection):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.peer = connection.getpeername()
        if not self._secured:
            self._keep(connection)
        return connection

    def _secure(self, tls: Callable[[], ssl.SSLContext]) -> ssl.SSLSocket:
        try:
            context = tls()
        except BaseException:
            self._connecting.result().close()
            raise
        connection = self._connecting.result()
        with _closed_after_failure(connection):
            context.set_alpn_protocols([*ALPN])
            secured = context.wrap_socket(connection, server_hostname=self._address[0])
        self._keep(secured)
        return secured

    def _keep(self, connection: socket.socket) -> None:
        with self._lock:
            self._made, self._since = connection, time.monotonic()
            if self._closed and not self._taken:
                _hang_up(connection)


@contextmanager
def _closed_after_failure(connection: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _is_over(connection: socket.socket) -> bool:
    """Return whether a server has closed a connection, or sent something unasked."""
    try:
        connection.settimeout(0)
        # Not only peeked at: it also reads the session tickets of TLS 1.3, which are no data.
        connection.recv(1)
    except BlockingIOError:
        return False
    except OSError as error:
        # That of TLS, whose module is slow to import, and not needed without.
        return type(error).__name__ != "SSLWantReadError"
    return True


def _hang_up(connection: socket.socket) -> None:
    """Close a connection so that the server sees an end and no error.

    A connection with unread data, such as the session tickets of TLS 1.3, would be reset.
    """
    with suppress(OSError, ValueError):
        unwrap = getattr(connection, "unwrap", None)
        if not _is_over(connection) and unwrap is not None:
            unwrap()  # sends `close_notify` (RFC 8446 section 6.1), and waits for none
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
    connection.close()
