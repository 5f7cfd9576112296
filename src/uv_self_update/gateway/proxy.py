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
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.gateway.address import USER
from uv_self_update.gateway.connections import Acceptor, Deadline
from uv_self_update.gateway.http1 import IDLE, SILENCE, Client
from uv_self_update.gateway.replies import BrokenOff, Reply
from uv_self_update.gateway.routes import Request
from uv_self_update.network.forward import NotForwarded, Route, forward
from uv_self_update.network.persistent import Kept
from uv_self_update.values import frozen

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    import h11

    from uv_self_update.gateway.address import Address
    from uv_self_update.gateway.tunnels import Tunnels

_log = logging.getLogger(__name__)

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
        address: Address,
        *,
        own: Callable[[str], bool],
        answer: Callable[[Request], Reply],
        proxy_for: Callable[[str], str | None],
        tunnels: Tunnels | None = None,
        limits: ProxyLimits = _LIMITS,
    ) -> None:
        """Start to serve.

        Args:
            address: Where; its sockets are ours from now on.
            own: Says whether a host is answered here.
            answer: Answers for such a host; it does not raise.
            proxy_for: Says through which proxy any other host is asked; None for directly.
            tunnels: What takes requests for https; None to refuse them.
            limits: What a client may take.
        """
        self._address = address
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
        self._address.close()

    def _serve(self, connection: socket.socket) -> None:
        client, patience = Client(connection), self._head_time
        with contextlib.closing(Kept()) as kept:
            while self._exchange(client, Deadline(patience), kept):
                self._acceptor.pending.enter(connection)
                patience = IDLE

    def _exchange(self, client: Client, deadline: Deadline, kept: Kept) -> bool:
        """Answer one request; return whether another may follow on the connection."""
        event = client.request(deadline)
        if event is None:
            return False
        client.connection.settimeout(SILENCE)
        shown = [value for name, value in event.headers if name == b"proxy-authorization"]
        if len(shown) != 1 or not hmac.compare_digest(bytes(shown[0]), self._credential):
            # curl, and git with it, come back with the secret if they are told of the end.
            challenge = (
                ("Proxy-Authenticate", 'Basic realm="uv-self-update"'),
                ("Connection", "close"),
            )
            return _refuse(client, Reply(status=407, headers=challenge, length=0))
        self._acceptor.pending.leave(client.connection)
        if event.method == b"CONNECT" and self._tunnels is not None:
            reply = self._tunnels.serve(client, event)
            return reply is not None and _refuse(client, reply)
        parts = _split(event.target)
        if parts is None:
            return _refuse(client, Reply.of("this proxy accepts http URLs only\n", status=501))
        host, target = parts
        if self._own(host):
            client.drain()
            request = Request(method=event.method.decode("latin-1"), target=target, host=host)
            return client.reply(self._answer(request))
        return self._pass_on(client, event, host, kept)

    def _pass_on(self, client: Client, event: h11.Request, host: str, kept: Kept) -> bool:
        url, route = event.target.decode("latin-1"), Route(proxy=self._proxy_for(host))
        try:
            answer = forward(
                bytes(event.method), url, event.headers.raw_items(), client.body(), route, kept
            )
        except NotForwarded as error:
            _log.warning("%s", error)
            return _refuse(client, Reply.of(f"{error}\n", status=502))
        return client.pass_on(answer)


def _refuse(client: Client, reply: Reply) -> bool:
    """Send a reply to a request whose body is not read, and end the connection."""
    client.reply(reply)
    client.leave(_LEAVE_TIME)
    return False


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
