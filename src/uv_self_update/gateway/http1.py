"""The server's side of one HTTP/1.1 exchange: requests in pieces, replies out (RFC 9112)."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import h11

if TYPE_CHECKING:
    import socket

    from uv_self_update.gateway.replies import Reply
    from uv_self_update.network.forward import Forwarded

_READ = 256 << 10  # bytes at a time


def next_event(connection: socket.socket, protocol: h11.Connection) -> object:
    """Return the next event of a connection, reading as much as it takes."""
    while (event := protocol.next_event()) is h11.NEED_DATA:
        protocol.receive_data(connection.recv(_READ))
    return event


def expect_body(connection: socket.socket, protocol: h11.Connection) -> None:
    """Ask for a body that the client holds back (RFC 9110 section 10.1.1)."""
    if protocol.they_are_waiting_for_100_continue:
        head = h11.InformationalResponse(status_code=100, headers=[])
        connection.sendall(protocol.send(head) or b"")


def send_reply(
    connection: socket.socket, protocol: h11.Connection, reply: Reply, method: bytes
) -> bool:
    """Send a reply, and return whether another request may follow."""
    headers = [("Content-Type", reply.content_type), *reply.headers]
    if reply.length is not None:
        headers.append(("Content-Length", str(reply.length)))
    head = h11.Response(status_code=reply.status, headers=headers)
    connection.sendall(protocol.send(head) or b"")
    if method != b"HEAD":
        for chunk in reply.body:
            for piece in protocol.send_with_data_passthrough(h11.Data(data=chunk)) or ():
                connection.sendall(piece)
    return _ended(connection, protocol)


def send_forwarded(connection: socket.socket, protocol: h11.Connection, answer: Forwarded) -> bool:
    """Send what another server has answered; return whether another request may follow."""
    from uv_self_update.network.passing import Passage  # noqa: PLC0415 # an update passes nothing on

    with contextlib.closing(answer):
        response = h11.Response(
            status_code=answer.status, headers=[*answer.headers], reason=answer.reason
        )
        connection.sendall(protocol.send(response) or b"")
        for chunk in answer.body:
            for piece in protocol.send_with_data_passthrough(h11.Data(data=chunk)) or ():
                if isinstance(piece, Passage):
                    piece.to(connection)
                else:
                    connection.sendall(piece)
        return _ended(connection, protocol)


def _ended(connection: socket.socket, protocol: h11.Connection) -> bool:
    connection.sendall(protocol.send(h11.EndOfMessage()) or b"")
    return protocol.our_state is h11.DONE and protocol.their_state is h11.DONE
