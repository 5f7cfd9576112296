"""The sockets of the gateway: connections in, replies out.

Each connection carries one request, in a thread of its own. h11, the HTTP/1.1 parser of httpx,
rejects malformed or oversized requests.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import h11

from uv_self_update.gateway.connections import Acceptor, Deadline
from uv_self_update.gateway.http1 import Client
from uv_self_update.gateway.replies import Reply
from uv_self_update.gateway.routes import Request
from uv_self_update.network.limits import DEFAULTS, Limits
from uv_self_update.values import replace

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from uv_self_update.gateway.address import Address


_log = logging.getLogger(__name__)


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
        self._limits = limits
        self._acceptor = Acceptor(address.listener, self._exchange, pending=limits.pending)
        self._acceptor.start()

    def close(self) -> None:
        """Stop listening, and close pending connections; active replies end with the process."""
        self._acceptor.close()
        self._address.close()

    def _exchange(self, connection: socket.socket) -> None:
        client = Client(connection, largest_head=self._limits.request_head)
        try:
            event = client.request(Deadline(self._limits.head_time))
        except h11.RemoteProtocolError as error:
            reply = Reply.of(b"", status=error.error_status_hint)
        else:
            if event is None:
                return
            self._acceptor.pending.leave(connection)
            reply = self._answer(_parsed(event))
        connection.settimeout(self._limits.send_time)
        # An incomplete body resets the connection: the client must not take it for complete.
        client.reply(replace(reply, headers=(("Connection", "close"), *reply.headers)))
        # The client may leave first, as long as no other connection needs its place.
        self._acceptor.pending.enter(connection)
        client.leave(self._limits.close_time)


def _parsed(event: h11.Request) -> Request:
    hosts = [value for name, value in event.headers if name == b"host"]
    return Request(
        method=event.method.decode("latin-1"),
        target=event.target.decode("latin-1"),
        host=b",".join(hosts).decode("latin-1"),
    )
