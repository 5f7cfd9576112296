"""The proxy that `exec` gives uv: our index answers its own hosts, the rest is passed on.

Only plain http comes here, unless a project has direct URLs of a configured repository: `tunnels`
then takes the requests for https. A client has to send the secret of the run,
which is in the proxy's URL (RFC 9110 section 11.7). Until it has, it holds nothing but one of a
bounded number of connections, for a bounded time, and the newest connection displaces the oldest.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import socket
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

from uv_self_update.gateway.connections import Acceptor, Deadline
from uv_self_update.gateway.http1 import expect_body, next_event, send_forwarded, send_reply
from uv_self_update.gateway.proxy_address import USER
from uv_self_update.gateway.replies import BrokenOff, Reply
from uv_self_update.gateway.routes import Request
from uv_self_update.network.forward import NotForwarded, Route, forward
from uv_self_update.network.persistent import Kept
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from uv_self_update.gateway.proxy_address import ProxyAddress
    from uv_self_update.gateway.tunnels import Tunnels

_log = logging.getLogger(__name__)

_LARGEST_HEAD = 64 << 10  # bytes of request line and headers
_IDLE = 90.0  # seconds between two requests, as long as uv's own client keeps a connection
_SILENCE = 300.0  # seconds between two pieces of a request or a reply
_LEAVE_TIME = 2.0  # seconds that a client has to leave after a refusal


@frozen
class ProxyLimits:
    """What a client that has not sent a request may take."""

    waiting: int = 256
    """Connections without a request under way; uv opens at most 50 downloads at once."""

    head_time: float = 10.0
    """Seconds for the first head of a connection."""


_LIMITS = ProxyLimits()


class Proxy:
    """Serves a listening socket until it is closed."""

    def __init__(
        self,
        address: ProxyAddress,
        *,
        own: Callable[[str], bool],
        answer: Callable[[Request], Reply],
        proxy_for: Callable[[str], str | None],
        tunnels: Tunnels | None = None,
        limits: ProxyLimits = _LIMITS,
    ) -> None:
        """Start to serve.

        Args:
            address: The listener; it is ours from now on.
            own: Says whether a host is answered here.
            answer: Answers for such a host; it does not raise.
            proxy_for: Says through which proxy any other host is asked; None for directly.
            tunnels: What takes requests for https; None to refuse them.
            limits: What a client may take.
        """
        self._own = own
        self._answer = answer
        self._proxy_for = proxy_for
        self._tunnels = tunnels
        self._credential = b"Basic " + b64encode(f"{USER}:{address.secret}".encode())
        self._head_time = limits.head_time
        self._acceptor = Acceptor(
            address.listener,
            self._serve,
            pending=limits.waiting,
            broken_off=(BrokenOff, NotForwarded),
        )
        self._acceptor.start()

    def close(self) -> None:
        """Stop listening; a reply under way ends with the process."""
        self._acceptor.close()

    def _serve(self, connection: socket.socket) -> None:
        protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)
        patience = self._head_time
        with contextlib.closing(Kept()) as kept:
            while self._exchange(connection, protocol, Deadline(patience), kept):
                protocol.start_next_cycle()
                self._acceptor.pending.enter(connection)
                patience = _IDLE

    def _exchange(
        self,
        connection: socket.socket,
        protocol: h11.Connection,
        deadline: Deadline,
        kept: Kept,
    ) -> bool:
        """Answer one request; return whether another may follow on the connection."""
        while (event := protocol.next_event()) is h11.NEED_DATA:
            protocol.receive_data(deadline.receive(connection))
        if not isinstance(event, h11.Request):
            return False
        connection.settimeout(_SILENCE)
        shown = [value for name, value in event.headers if name == b"proxy-authorization"]
        if len(shown) != 1 or not hmac.compare_digest(bytes(shown[0]), self._credential):
            # curl, and git with it, come back with the secret if they are told of the end.
            challenge = (
                ("Proxy-Authenticate", 'Basic realm="uv-self-update"'),
                ("Connection", "close"),
            )
            refused = Reply(status=407, headers=challenge, length=0)
            return self._refuse(connection, protocol, refused, event.method)
        self._acceptor.pending.leave(connection)
        if event.method == b"CONNECT" and self._tunnels is not None:
            reply = self._tunnels.serve(connection, protocol, event)
            return reply is not None and self._refuse(connection, protocol, reply, event.method)
        parts = _split(event.target)
        if parts is None:
            refused = Reply.of("this proxy accepts http URLs only\n", status=501)
            return self._refuse(connection, protocol, refused, event.method)
        expect_body(connection, protocol)
        host, target = parts
        if self._own(host):
            while isinstance(next_event(connection, protocol), h11.Data):
                pass
            request = Request(method=event.method.decode("latin-1"), target=target, host=host)
            return send_reply(connection, protocol, self._answer(request), event.method)
        return self._pass_on(connection, protocol, event, host, kept)

    def _refuse(
        self, connection: socket.socket, protocol: h11.Connection, reply: Reply, method: bytes
    ) -> bool:
        """Send a reply to a request whose body is not read, and end the connection."""
        send_reply(connection, protocol, reply, method)
        # Closing over unread bytes would reset the connection before the reply is read.
        connection.shutdown(socket.SHUT_WR)
        deadline = Deadline(_LEAVE_TIME)
        while deadline.receive(connection):
            pass
        return False

    def _pass_on(
        self,
        connection: socket.socket,
        protocol: h11.Connection,
        event: h11.Request,
        host: str,
        kept: Kept,
    ) -> bool:
        def body() -> Iterator[bytes]:
            while isinstance(piece := next_event(connection, protocol), h11.Data):
                yield bytes(piece.data)

        url = event.target.decode("latin-1")
        proxy = self._proxy_for(host)
        try:
            answer = forward(
                bytes(event.method),
                url,
                event.headers.raw_items(),
                body(),
                Route(proxy=proxy),
                kept,
            )
        except NotForwarded as error:
            _log.warning("%s", error)
            reply = Reply.of(f"{error}\n", status=502)
            return self._refuse(connection, protocol, reply, event.method)
        return send_forwarded(connection, protocol, answer)


def _split(target: bytes) -> tuple[str, str] | None:
    """Return the host, and the path with the query; None for anything but an http URL."""
    try:
        parts = urlsplit(target.decode("latin-1"))
        host, _ = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or not host:
        return None
    return host, parts.path + (f"?{parts.query}" if parts.query else "")
