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

import h11

from uv_self_update.errors import TlsError
from uv_self_update.gateway.connections import RESET, Deadline
from uv_self_update.gateway.http1 import expect_body, next_event, send_forwarded, send_reply
from uv_self_update.gateway.replies import BrokenOff, Reply
from uv_self_update.gateway.routes import Request
from uv_self_update.network.forward import NotForwarded, Route, forward
from uv_self_update.network.tunnels import opened
from uv_self_update.releases.release_urls import SIGN_IN
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator, Mapping

    from uv_self_update.gateway.direct_urls import DirectUrls
    from uv_self_update.network.forward import Forwarded

_log = logging.getLogger(__name__)

_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_LARGEST_HEAD = 64 << 10  # bytes of request line and headers
_HANDSHAKE = 30.0  # seconds
_IDLE = 90.0  # seconds between two requests, as long as uv's own client keeps a connection
_SILENCE = 300.0  # seconds between two pieces of a request or a reply
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

    def serve(
        self, connection: socket.socket, protocol: h11.Connection, event: h11.Request
    ) -> Reply | None:
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
            self._end_tls(connection, host, self._proxy_for(name))
            return None
        try:
            server = opened(name, port, proxy=self._proxy_for(name))
        except NotForwarded as error:
            _log.warning("%s", error)
            return Reply.of(f"{error}\n", status=502)
        with server:
            connection.sendall(_ESTABLISHED)
            _pass_both_ways(connection, server, protocol.trailing_data[0])
        return None

    def _end_tls(self, connection: socket.socket, host: SecureHost, proxy: str | None) -> None:
        connection.settimeout(_HANDSHAKE)
        connection.sendall(_ESTABLISHED)
        with host.server.wrap_socket(connection, server_side=True) as secure:
            protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)
            try:
                while self._exchange(secure, protocol, host, proxy):
                    protocol.start_next_cycle()
            except (BrokenOff, NotForwarded) as error:
                # A reset: uv must not take the part for the whole.
                secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                _log.debug("a reply was broken off: %s", error.__cause__ or error)

    def _exchange(
        self,
        connection: socket.socket,
        protocol: h11.Connection,
        host: SecureHost,
        proxy: str | None,
    ) -> bool:
        """Answer one request; return whether another may follow on the connection."""
        deadline = Deadline(_IDLE)
        while (event := protocol.next_event()) is h11.NEED_DATA:
            protocol.receive_data(deadline.receive(connection))
        if not isinstance(event, h11.Request):
            return False
        connection.settimeout(_SILENCE)
        if not event.target.startswith(b"/"):
            # Appended to the host, it could name another one.
            refused = Reply.of("expected a path\n", status=400)
            send_reply(connection, protocol, refused, event.method)
            return False
        expect_body(connection, protocol)
        request = Request(
            method=event.method.decode("latin-1"),
            target=event.target.decode("latin-1"),
            host=host.netloc,
        )
        reply = self._direct.answer(request, _part(event))
        if reply is not None and reply.status < _FAILED:
            while isinstance(next_event(connection, protocol), h11.Data):
                pass
            return send_reply(connection, protocol, reply, event.method)
        try:
            answer = forward(
                event.method,
                f"https://{host.netloc}{request.target}",
                event.headers.raw_items(),
                _body(connection, protocol),
                Route(proxy=proxy, tls=host.client()),
            )
        except (NotForwarded, TlsError) as error:
            _log.warning("%s", error)
            failed = reply or Reply.of(f"{error}\n", status=502)
            send_reply(connection, protocol, failed, event.method)
            return False
        missing = answer.status >= _FAILED or _leads_to_sign_in(answer)
        if reply is not None and missing:
            # Ours says why: to the site, a private file is missing in any case.
            answer.close()
            return send_reply(connection, protocol, reply, event.method)
        self._direct.answered(request, refused=missing)
        return send_forwarded(connection, protocol, answer)


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


def _body(connection: socket.socket, protocol: h11.Connection) -> Iterator[bytes]:
    while isinstance(piece := next_event(connection, protocol), h11.Data):
        yield bytes(piece.data)


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
