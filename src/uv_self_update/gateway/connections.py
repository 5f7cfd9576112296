"""Connections from clients: accepted in bounded number, each served in a thread of its own."""

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

from uv_self_update.gateway.replies import BrokenOff

if TYPE_CHECKING:
    from collections.abc import Callable


_log = logging.getLogger(__name__)

_READ = 64 << 10  # bytes at a time
_PAUSE = 0.01  # seconds to try again what the system has refused
RESET = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # SO_LINGER: on, for no time


class Acceptor:
    """Accepts connections of a listening socket until it is closed."""

    def __init__(
        self,
        listener: socket.socket,
        serve: Callable[[socket.socket], None],
        *,
        pending: int,
        broken_off: tuple[type[Exception], ...] = (BrokenOff,),
    ) -> None:
        """Prepare, without accepting yet.

        Args:
            listener: The socket.
            serve: Serves a connection, which is pending at first; it may leave and enter `pending`.
            pending: The number of pending connections.
            broken_off: What `serve` raises if a reply is incomplete.
        """
        self._listener = listener
        self._serve = serve
        self._broken_off = broken_off
        self.pending = PendingConnections(pending)
        self._closed = threading.Event()

    def start(self) -> None:
        """Start to accept; not before `serve` can use this object."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop accepting, and close pending connections; active replies end with the process."""
        self._closed.set()
        # Wakes the thread in `accept`, where closing the socket alone does not on every system.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.pending.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                if self._closed.is_set():
                    return
                # For example, too many open files: another connection must be closed first.
                self._make_room(error)
                continue
            self.pending.enter(connection)
            try:
                threading.Thread(target=self._run, args=(connection,), daemon=True).start()
            except RuntimeError as error:
                self.pending.leave(connection)
                connection.close()
                self._make_room(error)

    def _make_room(self, error: Exception) -> None:
        _log.debug("a connection could not be accepted: %s", error)
        self.pending.make_room()
        self._closed.wait(_PAUSE)

    def _run(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._serve(connection)
            except self._broken_off as error:
                # A reset: a client of HTTP/1.0 takes a normal close for the end of the body.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                _log.debug("a reply was broken off: %s", error.__cause__ or error)
            except (OSError, h11.ProtocolError) as error:
                _log.debug("a connection ended early: %s", error)
            finally:
                self.pending.leave(connection)


class PendingConnections:
    """Connections without a complete request, or after the response until the client closes.

    A new connection is always accepted; if there are too many, the oldest one is closed. So idle
    connections, however many, do not block uv, which sends its request at once.
    """

    def __init__(self, size: int) -> None:
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
