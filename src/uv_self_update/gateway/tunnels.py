"""Requests for https (CONNECT): passed on as they are, except uv's to hosts of our repositories.

```text
uv  ── CONNECT github.com:443 ──  TLS ends here: release files are answered, the rest is passed on
uv  ── CONNECT pkg.example:443 ─  bytes both ways, which nothing here can read
git ── CONNECT github.com:443 ──  the same
```

uv says who it is in the head of CONNECT (measured with 0.5.0, 0.8.24, 0.11.13 and 0.13.9), and so
do git and curl. Only uv is known to trust the authority of the run, so TLS ends for uv alone.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.errors import TlsError
from uv_self_update.gateway.connections import RESET, Deadline
from uv_self_update.gateway.http1 import IDLE, SILENCE, Client
from uv_self_update.gateway.replies import BrokenOff, Reply
from uv_self_update.gateway.routes import Request
from uv_self_update.network.forward import NotForwarded, Route, forward
from uv_self_update.network.tunnels import opened
from uv_self_update.releases.release_urls import SIGN_IN
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    import h11

    from uv_self_update.gateway.direct_urls import DirectUrls
    from uv_self_update.network.forward import Forwarded

_log = logging.getLogger(__name__)

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_HANDSHAKE = 30.0  # seconds
_PIECE = 256 << 10  # bytes at a time
_UV = b"uv/"
"""How the `User-Agent` of uv begins."""

_FAILED = 400
"""The first status of a failure."""


@frozen
class SecureHost:
    """A host whose TLS ends here."""

    netloc: str
    """As in a URL, without the default port."""

    server: ssl.SSLContext = field(repr=False)
    """How to be this host."""

    client: Callable[[], ssl.SSLContext] = field(repr=False)
    """What verifies the real one; may raise TlsError."""


class Tunnels:
    """Serves requests for https."""

    def __init__(
        self,
        hosts: Mapping[str, SecureHost],
        direct: DirectUrls,
        *,
        proxy_for: Callable[[str], str | None],
    ) -> None:
        """Prepare.

        Args:
            hosts: The hosts whose TLS ends here, by `HOST:PORT`.
            direct: Answers requests to them.
            proxy_for: Says through which proxy a host is reached; None for directly.
        """
        self._hosts = hosts
        self._direct = direct
        self._proxy_for = proxy_for

    def serve(self, client: Client, event: h11.Request) -> Reply | None:
        """Serve a tunnel until it ends; return a refusal instead of one."""
        target = event.target.decode("latin-1").lower()
        try:
            parts = urlsplit(f"//{target}")
            name, port = parts.hostname, parts.port
        except ValueError:
            name, port = None, None
        if not name or not port or parts.netloc != target or "@" in target:
            return Reply.of("expected HOST:PORT\n", status=400)
        agents = [value for key, value in event.headers if key == b"user-agent"]
        host = self._hosts.get(target)
        if host is not None and agents and agents[0].startswith(_UV):
            self._end_tls(client.connection, host, self._proxy_for(name))
            return None
        try:
            server = opened(name, port, proxy=self._proxy_for(name))
        except NotForwarded as error:
            _log.warning("%s", error)
            return Reply.of(f"{error}\n", status=502)
        with server:
            client.connection.sendall(_ESTABLISHED)
            _pass_both_ways(client.connection, server, client.early)
        return None

    def _end_tls(self, connection: socket.socket, host: SecureHost, proxy: str | None) -> None:
        connection.settimeout(_HANDSHAKE)
        connection.sendall(_ESTABLISHED)
        with host.server.wrap_socket(connection, server_side=True) as secure:
            client = Client(secure)
            try:
                while self._exchange(client, host, proxy):
                    pass
            except (BrokenOff, NotForwarded) as error:
                # A reset: uv must not take the part for the whole.
                secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                _log.debug("a reply was broken off: %s", error.__cause__ or error)

    def _exchange(self, client: Client, host: SecureHost, proxy: str | None) -> bool:
        """Answer one request; return whether another may follow on the connection."""
        event = client.request(Deadline(IDLE))
        if event is None:
            return False
        client.connection.settimeout(SILENCE)
        if not event.target.startswith(b"/"):
            # Appended to the host, it could name another one.
            client.reply(Reply.of("expected a path\n", status=400))
            return False
        request = Request(
            method=event.method.decode("latin-1"),
            target=event.target.decode("latin-1"),
            host=host.netloc,
        )
        reply = self._direct.answer(request, _part(event))
        if reply is not None and reply.status < _FAILED:
            client.drain()
            return client.reply(reply)
        try:
            answer = forward(
                event.method,
                f"https://{host.netloc}{request.target}",
                event.headers.raw_items(),
                client.body(),
                Route(proxy=proxy, tls=host.client()),
            )
        except (NotForwarded, TlsError) as error:
            _log.warning("%s", error)
            client.reply(reply or Reply.of(f"{error}\n", status=502))
            return False
        missing = answer.status >= _FAILED or _leads_to_sign_in(answer)
        if reply is not None and missing:
            # Ours says why: to the site, a private file is missing in any case.
            answer.close()
            return client.reply(reply)
        self._direct.answered(request, refused=missing)
        return client.pass_on(answer)


def _leads_to_sign_in(answer: Forwarded) -> bool:
    """Return whether a site asks for a session, which uv would take for a file."""
    headers = answer.headers
    return any(name.lower() == b"location" and SIGN_IN.search(value) for name, value in headers)


def _part(request: h11.Request) -> str | None:
    headers = dict(request.headers)
    # Without a validator of ours, a condition is never met (RFC 9110 section 13.1.5).
    if b"range" not in headers or b"if-range" in headers:
        return None
    return headers[b"range"].decode("latin-1")


def _pass_both_ways(client: socket.socket, server: socket.socket, early: bytes) -> None:
    """Pass bytes on until both sides have ended."""
    # How long a connection may be silent is for the two of them to say.
    client.settimeout(None)
    server.settimeout(None)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    server.sendall(early)
    back = threading.Thread(target=_pass, args=(server, client), daemon=True)
    back.start()
    _pass(client, server)
    back.join()


def _pass(source: socket.socket, target: socket.socket) -> None:
    piece = memoryview(bytearray(_PIECE))
    try:
        while size := source.recv_into(piece):
            target.sendall(piece[:size])
        target.shutdown(socket.SHUT_WR)
    except OSError as error:
        _log.debug("a tunnel ended early: %s", error)
        # The other direction would wait for ever.
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
