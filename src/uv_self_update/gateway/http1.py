"""The server's side of HTTP/1.1: requests of a client in, replies out (RFC 9112)."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import h11

from uv_self_update.gateway.connections import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from uv_self_update.gateway.replies import Reply
    from uv_self_update.network.forward import Forwarded

IDLE = 90.0
"""Seconds between two requests, as long as uv's own client keeps a connection."""

SILENCE = 300.0
"""Seconds between two pieces of a request or a reply."""

_READ = 256 << 10  # bytes at a time
_LARGEST_HEAD = 64 << 10  # bytes of request line and headers


class Client:
    """The connection of a client, which sends one request after another."""

    def __init__(self, connection: socket.socket, *, largest_head: int = _LARGEST_HEAD) -> None:
        self.connection = connection
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=largest_head)
        self._method = b""

    def request(self, deadline: Deadline) -> h11.Request | None:
        """Receive the head of the next request; None if the client leaves before its end.

        Raises:
            TimeoutError: The client is too slow.
            h11.RemoteProtocolError: The request is malformed or too large.
        """
        if self._protocol.our_state is h11.DONE:
            self._protocol.start_next_cycle()
        while (event := self._protocol.next_event()) is h11.NEED_DATA:
            self._protocol.receive_data(deadline.receive(self.connection))
        if not isinstance(event, h11.Request):
            return None
        self._method = event.method
        return event

    def body(self) -> Iterator[bytes]:
        """Receive the request's body, which a client may hold back (RFC 9110 section 10.1.1)."""
        if self._protocol.they_are_waiting_for_100_continue:
            self._send(h11.InformationalResponse(status_code=100, headers=[]))
        while True:
            while (event := self._protocol.next_event()) is h11.NEED_DATA:
                self._protocol.receive_data(self.connection.recv(_READ))
            if not isinstance(event, h11.Data):
                return
            yield bytes(event.data)

    def drain(self) -> None:
        """Receive the request's body for nothing."""
        for _ in self.body():
            pass

    @property
    def early(self) -> bytes:
        """What the client has sent behind the request: of a tunnel, its first bytes."""
        return self._protocol.trailing_data[0]

    def reply(self, reply: Reply) -> bool:
        """Send a reply, and return whether another request may follow."""
        headers = [("Content-Type", reply.content_type), *reply.headers]
        if reply.length is not None:
            headers.append(("Content-Length", str(reply.length)))
        self._send(h11.Response(status_code=reply.status, headers=headers))
        if self._method != b"HEAD":
            for piece in self._pieces(reply.body):
                self.connection.sendall(piece)
        return self._ended()

    def pass_on(self, answer: Forwarded) -> bool:
        """Send what another server has answered; return whether another request may follow."""
        from uv_self_update.network.passing import Passage  # noqa: PLC0415 # an update passes nothing on

        with contextlib.closing(answer):
            headers = [*answer.headers]
            self._send(
                h11.Response(status_code=answer.status, headers=headers, reason=answer.reason)
            )
            for piece in self._pieces(answer.body):
                if isinstance(piece, Passage):
                    piece.to(self.connection)
                else:
                    self.connection.sendall(piece)
            return self._ended()

    def leave(self, seconds: float) -> None:
        """Send no more, and wait for the client to leave.

        Closing over bytes that lie unread would reset the connection before the reply is read.
        """
        self.connection.shutdown(socket.SHUT_WR)
        deadline = Deadline(seconds)
        while deadline.receive(self.connection):
            pass

    def _pieces(self, body: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in body:
            yield from self._protocol.send_with_data_passthrough(h11.Data(data=chunk)) or ()

    def _ended(self) -> bool:
        self._send(h11.EndOfMessage())
        return self._protocol.our_state is h11.DONE and self._protocol.their_state is h11.DONE

    def _send(self, event: h11.Event) -> None:
        self.connection.sendall(self._protocol.send(event) or b"")
