"""Sockets, and nothing else: connections in, replies out.

Each connection carries one request, in a thread of its own. h11, which is httpx's own parser of
HTTP/1.1, refuses what is malformed or too large.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import h11

from uv_self_update.gateway.replies import BrokenOff, Reply
from uv_self_update.gateway.routes import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from uv_self_update.gateway.address import Address

__all__ = ("Loopback",)

_log = logging.getLogger(__name__)

_READ = 64 << 10  # bytes at a time
_LARGEST_HEAD = 32 << 10  # bytes of request line and headers
_HEAD_TIME = 10.0  # seconds that a client has to send them
_SEND_TIME = 120.0  # seconds that a client may take nothing of a reply
_CONNECTIONS = 256  # at once; more wait in the kernel's queue


class Loopback:
    """Serves a listening socket until it is closed."""

    def __init__(self, address: Address, answer: Callable[[Request], Reply]) -> None:
        """Start to serve.

        Args:
            address: Where; the socket is ours from now on.
            answer: Makes a reply to a request; it does not raise.
        """
        self._listener = address.listener
        self._answer = answer
        self._places = threading.BoundedSemaphore(_CONNECTIONS)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop to listen; what is under way ends with the process."""
        self._closed.set()
        # Wakes the thread in `accept`, where closing the socket alone does not on every system.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            self._places.acquire()
            try:
                connection, _ = self._listener.accept()
            except OSError as error:
                self._places.release()
                if self._closed.is_set():
                    return
                _log.debug("a connection was lost before it was accepted: %s", error)
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._exchange(connection)
        except (OSError, h11.ProtocolError, BrokenOff) as error:
            _log.debug("a connection ended early: %s", error)
        finally:
            self._places.release()

    def _exchange(self, connection: socket.socket) -> None:
        protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)
        try:
            request = _receive(connection, protocol)
        except h11.RemoteProtocolError as error:
            reply = Reply.of(b"", status=error.error_status_hint)
        else:
            if request is None:
                return
            reply = self._answer(request)
        connection.settimeout(_SEND_TIME)
        _send(connection, protocol, reply)


def _receive(connection: socket.socket, protocol: h11.Connection) -> Request | None:
    """Read the head of a request; None if the client left before it was complete.

    Raises:
        TimeoutError: It took too long.
        h11.RemoteProtocolError: It is malformed, or too large.
    """
    deadline = time.monotonic() + _HEAD_TIME
    while (event := protocol.next_event()) is h11.NEED_DATA:
        # One limit for the whole head, however many small pieces it comes in.
        connection.settimeout(max(deadline - time.monotonic(), 0.001))
        protocol.receive_data(connection.recv(_READ))
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
    # Closing while the client's bytes lie unread would reset the connection under the reply.
    connection.shutdown(socket.SHUT_WR)
