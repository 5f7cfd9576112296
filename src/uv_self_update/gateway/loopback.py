"""Sockets, and nothing else: connections in, replies out.

Each connection carries one request, in a thread of its own. h11, which is httpx's own parser of
HTTP/1.1, refuses what is malformed or too large.
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

if TYPE_CHECKING:
    from collections.abc import Callable

    from uv_self_update.gateway.address import Address


_log = logging.getLogger(__name__)

_READ = 64 << 10  # bytes at a time
_LARGEST_HEAD = 32 << 10  # bytes of request line and headers
_WAITING = 128  # connections that are waited for; macOS gives a process 256 files in all
_HEAD_TIME = 10.0  # seconds that a client has to send a head
_LEAVE_TIME = 2.0  # seconds that it has to leave after the reply
_PAUSE = 0.01  # seconds to try again what the system has refused
_SEND_TIME = 120.0  # seconds that it may take nothing of a reply
_RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, for no time


class Loopback:
    """Serves a listening socket until it is closed."""

    def __init__(
        self,
        address: Address,
        answer: Callable[[Request], Reply],
        *,
        waiting: int = _WAITING,
        head_time: float = _HEAD_TIME,
        leave_time: float = _LEAVE_TIME,
    ) -> None:
        """Start to serve.

        Args:
            address: Where; its sockets are ours from now on.
            answer: Makes a reply to a request; it does not raise.
            waiting: How many connections are waited for at once.
            head_time: Seconds.
            leave_time: Seconds.
        """
        self._address = address
        self._answer = answer
        self._waiting = WaitingRoom(waiting)
        self._head_time = head_time
        self._leave_time = leave_time
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop to listen and to wait; a reply that is under way ends with the process."""
        self._closed.set()
        # Wakes the thread in `accept`, where closing the socket alone does not on every system.
        with contextlib.suppress(OSError):
            self._address.listener.shutdown(socket.SHUT_RDWR)
        self._address.close()
        self._waiting.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._address.listener.accept()
            except OSError as error:
                if self._closed.is_set():
                    return
                # Too many open files, for one: somebody has to leave before anybody can come.
                self._make_room(error)
                continue
            self._waiting.enter(connection)
            try:
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
            except RuntimeError as error:
                self._waiting.leave(connection)
                connection.close()
                self._make_room(error)

    def _make_room(self, error: Exception) -> None:
        _log.debug("a connection could not be accepted: %s", error)
        self._waiting.make_room()
        self._closed.wait(_PAUSE)

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._exchange(connection)
            except BrokenOff as error:
                # A reset, since to a client of HTTP/1.0 an end like any other is the end of a body.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                _log.debug("a reply was broken off: %s", error.__cause__)
            except (OSError, h11.ProtocolError) as error:
                _log.debug("a connection ended early: %s", error)
            finally:
                self._waiting.leave(connection)

    def _exchange(self, connection: socket.socket) -> None:
        protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)
        try:
            request = _receive(connection, protocol, Deadline(self._head_time))
        except h11.RemoteProtocolError as error:
            reply = Reply.of(b"", status=error.error_status_hint)
        else:
            if request is None:
                return
            self._waiting.leave(connection)
            reply = self._answer(request)
        connection.settimeout(_SEND_TIME)
        _send(connection, protocol, reply)
        # Closing over bytes of the client that lie unread would reset the connection under the
        # reply. So the client may leave first, as long as nobody else needs its place.
        connection.shutdown(socket.SHUT_WR)
        self._waiting.enter(connection)
        deadline = Deadline(self._leave_time)
        while deadline.receive(connection):
            pass


class WaitingRoom:
    """Connections that are waited for: for a whole head, or for their end.

    Whoever comes is let in, and if there is no room, who has waited longest has to leave. So
    connections that say nothing, however many, keep nobody out: a client sends its request at
    once, and is not waited for from then on.
    """

    def __init__(self, size: int) -> None:
        """Make room for a number of connections."""
        self._size = size
        self._lock = threading.Lock()
        self._closed = False
        self._connections: dict[socket.socket, None] = {}

    def enter(self, connection: socket.socket) -> None:
        """Wait for a connection, if need be in place of another."""
        with self._lock:
            self._connections[connection] = None
            while len(self._connections) > (0 if self._closed else self._size):
                self._turn_out()

    def leave(self, connection: socket.socket) -> None:
        """Wait for a connection no more; to be called before it is closed."""
        with self._lock:
            self._connections.pop(connection, None)

    def make_room(self) -> None:
        """End the connection that has waited longest, if there is one."""
        with self._lock:
            if self._connections:
                self._turn_out()

    def close(self) -> None:
        """End every connection that is waited for, and whichever comes."""
        with self._lock:
            self._closed = True
            while self._connections:
                self._turn_out()

    def _turn_out(self) -> None:
        connection = next(iter(self._connections))
        del self._connections[connection]
        # Wakes its thread in `recv`, which closes it.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class Deadline:
    """One limit for everything that is received, however many small pieces it comes in."""

    def __init__(self, seconds: float) -> None:
        """Begin now."""
        self._end = time.monotonic() + seconds

    def receive(self, connection: socket.socket) -> bytes:
        """Return what comes next, or nothing at the end.

        Raises:
            TimeoutError: It took too long.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        return connection.recv(_READ)


def _receive(
    connection: socket.socket, protocol: h11.Connection, deadline: Deadline
) -> Request | None:
    """Read the head of a request; None if the client left before it was complete.

    Raises:
        TimeoutError: It took too long.
        h11.RemoteProtocolError: It is malformed, or too large.
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
    # If the body breaks off, so does the connection: the client must not take a part for the whole.
    for chunk in reply.body:
        for piece in protocol.send_with_data_passthrough(h11.Data(data=chunk)) or ():
            connection.sendall(piece)
    connection.sendall(protocol.send(h11.EndOfMessage()) or b"")
