"""The sockets of the gateway: connections in, replies out.

Each connection carries one request, in a thread of its own. h11, the HTTP/1.1 parser of httpx,
rejects malformed or oversized requests.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

import h11

from uv_self_update.gateway.replies import BrokenOff, Reply
from uv_self_update.gateway.routes import Request
from uv_self_update.network.limits import DEFAULTS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from uv_self_update.gateway.address import Address


_log = logging.getLogger(__name__)

_READ = 64 << 10  # bytes at a time
_PAUSE = 0.01  # seconds to try again what the system has refused
_RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, for no time


class Loopback:
    """Serves a listening socket until it is closed."""

    def __init__(
        self,
        address: Address,
        answer: Callable[[Request], Reply],
        *,
        limits: Limits = DEFAULTS,
    ) -> None:
        """Start to serve.

        Args:
            address: Where; its sockets are ours from now on.
            answer: Makes a reply to a request; it does not raise.
            limits: The time and the memory that a client may take.
        """
        self._address = address
        self._answer = answer
        self._pending = PendingConnections(limits.pending)
        self._limits = limits
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and close pending connections; active replies end with the process."""
        self._closed.set()
        # Wakes the thread in `accept`, where closing the socket alone does not on every system.
        with contextlib.suppress(OSError):
            self._address.listener.shutdown(socket.SHUT_RDWR)
        self._address.close()
        self._pending.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._address.listener.accept()
            except OSError as error:
                if self._closed.is_set():
                    return
                # For example, too many open files: another connection must be closed first.
                self._make_room(error)
                continue
            self._pending.enter(connection)
            try:
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
            except RuntimeError as error:
                self._pending.leave(connection)
                connection.close()
                self._make_room(error)

    def _make_room(self, error: Exception) -> None:
        _log.debug("a connection could not be accepted: %s", error)
        self._pending.make_room()
        self._closed.wait(_PAUSE)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._exchange(connection)
            except BrokenOff as error:
                # A reset: a client of HTTP/1.0 takes a normal close for the end of the body.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                _log.debug("a reply was broken off: %s", error.__cause__)
            except (OSError, h11.ProtocolError) as error:
                _log.debug("a connection ended early: %s", error)
            finally:
                self._pending.leave(connection)

    def _exchange(self, connection: socket.socket) -> None:
        protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=self._limits.request_head)
        try:
            request = _receive(connection, protocol, Deadline(self._limits.head_time))
        except h11.RemoteProtocolError as error:
            reply = Reply.of(b"", status=error.error_status_hint)
        else:
            if request is None:
                return
            self._pending.leave(connection)
            reply = self._answer(request)
        connection.settimeout(self._limits.send_time)
        _send(connection, protocol, reply)
        # Closing over bytes of the client that lie unread would reset the connection under the
        # reply. So the client may leave first, as long as no other connection needs its place.
        connection.shutdown(socket.SHUT_WR)
        self._pending.enter(connection)
        deadline = Deadline(self._limits.close_time)
        while deadline.receive(connection):
            pass


class PendingConnections:
    """Connections without a complete request, or after the response until the client closes.

    A new connection is always accepted; if there are too many, the oldest one is closed. So idle
    connections, however many, do not block uv, which sends its request at once.
    """

    def __init__(self, size: int) -> None:
        """Make room for a number of connections."""
        self._size = size
        self._lock = threading.Lock()
        self._closed = False
        self._connections: dict[socket.socket, None] = {}

    def enter(self, connection: socket.socket) -> None:
        """Add a connection, and close the oldest if there are too many."""
        with self._lock:
            self._connections[connection] = None
            while len(self._connections) > (0 if self._closed else self._size):
                self._close_oldest()

    def leave(self, connection: socket.socket) -> None:
        """Remove a connection; to be called before it is closed."""
        with self._lock:
            self._connections.pop(connection, None)

    def make_room(self) -> None:
        """Close the oldest connection, if any."""
        with self._lock:
            if self._connections:
                self._close_oldest()

    def close(self) -> None:
        """Close every connection, and those added later."""
        with self._lock:
            self._closed = True
            while self._connections:
                self._close_oldest()

    def _close_oldest(self) -> None:
        connection = next(iter(self._connections))
        del self._connections[connection]
        # Wakes the thread in `recv`, which closes it.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class Deadline:
    """One time limit for all that is received from a connection."""

    def __init__(self, seconds: float) -> None:
        """Begin now."""
        self._end = time.monotonic() + seconds

    def receive(self, connection: socket.socket) -> bytes:
        """Return the next bytes; empty at the end.

        Raises:
            TimeoutError: The time is over.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        return connection.recv(_READ)


def _receive(
    connection: socket.socket, protocol: h11.Connection, deadline: Deadline
) -> Request | None:
    """Read the head of a request; None if the client closed the connection before its end.

    Raises:
        TimeoutError: The client is too slow.
        h11.RemoteProtocolError: The request is malformed or too large.
    """
    while (event := protocol.next_event()) is h11.NEED_DATA:
        protocol.receive_data(deadline.receive(connection))
    if not isinstance(event, h11.Request):
        return None
    hosts = [value for name, value in event.headers if name == b"host"]
    return Request(
        method=event.method.decode("latin-1"),
        target=event.target.decode("latin-1"),
        host=b",".join(hosts).decode("latin-1"),
    )


def _send(connection: socket.socket, protocol: h11.Connection, reply: Reply) -> None:
    headers = [("Content-Type", reply.content_type), ("Connection", "close"), *reply.headers]
    if reply.length is not None:
        headers.append(("Content-Length", str(reply.length)))
    head = protocol.send(h11.Response(status_code=reply.status, headers=headers))
    connection.sendall(head or b"")
    # An incomplete body resets the connection: the client must not take it for complete.
    for chunk in reply.body:
        for piece in protocol.send_with_data_passthrough(h11.Data(data=chunk)) or ():
            connection.sendall(piece)
    connection.sendall(protocol.send(h11.EndOfMessage()) or b"")
