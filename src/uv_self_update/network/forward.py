"""Requests of other programs, passed on as they were sent (RFC 9110 section 7.6).

Directly, or through the proxy that the program would have used. Only what a proxy has to change is
changed, and no credential of ours is sent. A connection to a server may be kept for the next
request of the same client. A request that cannot be repeated gets a new one, because the server may
be closing an old one.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import h11

from uv_self_update.network.forward_proxies import authorization, is_socks, unusable
from uv_self_update.network.passing import Passage
from uv_self_update.network.persistent import Connected
from uv_self_update.network.tunnels import NotForwarded, opened
from uv_self_update.values import frozen

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterable, Iterator, Sequence

from uv_self_update.network.persistent import Kept

__all__ = ("HOP_BY_HOP", "Forwarded", "Header", "NotForwarded", "Route", "forward")

Header = tuple[bytes, bytes]

HOP_BY_HOP = frozenset(
    {
        *(b"connection", b"expect", b"keep-alive", b"proxy-authorization", b"proxy-connection"),
        *(b"proxy-authenticate", b"te", b"trailer", b"upgrade"),
    }
)
"""Headers of one connection, which are not passed on."""

_REPEATABLE = frozenset({b"GET", b"HEAD", b"OPTIONS", b"TRACE"})
"""Methods of requests that may be sent again (RFC 9110 section 9.2.2), if they have no body."""

_SILENCE = 300.0  # seconds between two pieces: what is passed on may be slow by nature
_CLOSED = "it closed the connection"
_READ = 256 << 10  # bytes at a time
_LARGE = 256 << 10  # bytes of a body that is read past h11

_TURN = threading.Lock()
"""truststore lets one handshake of a context proceed at a time. A connection that is made before
its turn would block a server that accepts one after the other, and so the handshake under way."""


class _NothingReceived(Exception):
    """The server has closed the connection before it sent a byte of the response."""


@frozen
class Route:
    """How a server is reached."""

    proxy: str | None
    """The proxy to ask through; None to ask the server itself."""

    tls: ssl.SSLContext | None = None
    """What verifies the server; None to speak http."""


@frozen
class Forwarded:
    """The answer to a request that was passed on."""

    status: int
    reason: bytes
    headers: Sequence[Header]
    body: Iterator[bytes]
    """Its bytes, once, the last piece perhaps a Passage.

    Raises NotForwarded where they break off.
    """

    connected: Connected
    kept: Kept | None

    def close(self) -> None:
        """Keep the connection to the server if the response was read to its end, else close it."""
        if self.kept is None:
            self.connected.close()
        else:
            self.kept.give(self.connected)


def forward(
    method: bytes,
    url: str,
    headers: Iterable[Header],
    body: Iterable[bytes],
    route: Route,
    kept: Kept | None = None,
) -> Forwarded:
    """Send a request, and return the response as soon as its head is there.

    Args:
        method: The method.
        url: An absolute URL of http; of https with TLS.
        headers: As they were received.
        body: The request's body.
        route: How to reach the host of the URL.
        kept: The connection of an earlier request of this client, if any; the place for this one.
            None with TLS.

    Raises:
        NotForwarded: The connection fails, or what comes back is no HTTP.
    """
    proxy, tls = route.proxy, route.tls
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    host = parts.hostname or ""
    # The client's own Host does not count (RFC 9112 section 3.2.2).
    sent = [(b"Host", netloc.encode("latin-1")), *_end_to_end(headers, {b"host"})]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    place = (host, parts.port or (80 if tls is None else 443))
    by_tunnel = tls is not None or is_socks(proxy)
    if proxy is not None and not by_tunnel:
        if reason := unusable(proxy):
            raise NotForwarded(reason)
        via = urlsplit(proxy)
        target = url.partition("#")[0]
        sent += authorization(via)
        place = (via.hostname or "", via.port or 80)
    if kept is None:
        sent.append((b"Connection", b"close"))
    request = h11.Request(method=method, target=target, headers=sent)
    old = None if kept is None or not _repeatable(request) else kept.take(place)
    if old is not None:
        with contextlib.suppress(_NothingReceived):
            return _asked(old, request, body, kept)
    if tls is None:
        connection = opened(*place, proxy=proxy if by_tunnel else None)
    else:
        with _TURN:
            connection = _secured(opened(*place, proxy=proxy), tls, host)
    connection.settimeout(_SILENCE)
    try:
        return _asked(Connected(place=place, socket=connection), request, body, kept)
    except _NothingReceived as error:
        message = f"no response from {place[0]}:{place[1]}: {error}"
        raise NotForwarded(message) from error


def _secured(connection: socket.socket, tls: ssl.SSLContext, host: str) -> socket.socket:
    try:
        return tls.wrap_socket(connection, server_hostname=host)
    except (OSError, ValueError) as error:
        connection.close()
        message = f"no TLS with {host}: {error}"
        raise NotForwarded(message) from error


def _end_to_end(headers: Iterable[Header], dropped: Iterable[bytes] = ()) -> list[Header]:
    """Return the headers that are not about one connection, by their name or by `Connection`."""
    known = [(name, value) for name, value in headers]
    named = {
        name.strip().lower()
        for key, value in known
        if key.lower() == b"connection"
        for name in value.split(b",")
    }
    # Framing is of one connection as well, but h11 reads it from these.
    left_out = HOP_BY_HOP | {*dropped} | (named - {b"content-length", b"transfer-encoding"})
    return [(name, value) for name, value in known if name.lower() not in left_out]


def _repeatable(request: h11.Request) -> bool:
    framing = {b"content-length", b"transfer-encoding"}
    return request.method in _REPEATABLE and framing.isdisjoint(name for name, _ in request.headers)


def _asked(
    asked: Connected, request: h11.Request, body: Iterable[bytes], kept: Kept | None
) -> Forwarded:
    """Send a request, and wait for the head of the response.

    Raises:
        NotForwarded: The connection fails, or what comes back is no HTTP.
        _NothingReceived: The server has closed the connection without a byte.
    """
    connection, protocol, place = asked.socket, asked.protocol, asked.place
    try:
        # A server may answer and leave before it has read the request (RFC 9112 section 9.5).
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(protocol.send(request) or b"")
            for piece in body:
                connection.sendall(protocol.send(h11.Data(data=piece)) or b"")
            connection.sendall(protocol.send(h11.EndOfMessage()) or b"")
        _receive_first(connection, protocol)
        while not isinstance(event := _next(connection, protocol), h11.Response):
            if isinstance(event, h11.ConnectionClosed):
                raise h11.RemoteProtocolError(_CLOSED)  # one message for all
    except _NothingReceived:
        asked.close()
        raise
    except (OSError, h11.ProtocolError) as error:
        asked.close()
        message = f"no response from {place[0]}:{place[1]}: {error}"
        raise NotForwarded(message) from error
    return Forwarded(
        status=event.status_code,
        reason=bytes(event.reason),
        headers=_end_to_end(event.headers.raw_items()),
        body=_body(asked, _length_of(event)),
        connected=asked,
        kept=kept,
    )


def _receive_first(connection: socket.socket, protocol: h11.Connection) -> None:
    """Receive the first bytes of a response."""
    try:
        data = connection.recv(_READ)
    except (ConnectionResetError, BrokenPipeError) as error:
        raise _NothingReceived(error) from error
    if not data:
        raise _NothingReceived(_CLOSED)
    protocol.receive_data(data)


def _length_of(response: h11.Response) -> int:
    """Return the length of a body that has one; 0 for a body in chunks, or up to the end."""
    headers = dict(response.headers)
    return 0 if b"transfer-encoding" in headers else int(headers.get(b"content-length", b"0"))


def _body(asked: Connected, length: int) -> Iterator[bytes]:
    """Read a body; each piece is valid until the next one is read."""
    connection, protocol = asked.socket, asked.protocol
    try:
        while isinstance(event := _next(connection, protocol), h11.Data):
            yield event.data
            length -= len(event.data)
            if length >= _LARGE:
                # Only the length counts from here on: h11 would copy each piece three times.
                rest = Passage(connection, length, silence=_SILENCE)
                yield cast("bytes", rest)  # h11 passes on whatever has a length
                asked.complete = rest.complete
                return
    except (OSError, h11.ProtocolError) as error:
        message = f"the response of {asked.place[0]} broke off: {error}"
        raise NotForwarded(message) from error


def _next(connection: socket.socket, protocol: h11.Connection) -> object:
    while (event := protocol.next_event()) is h11.NEED_DATA:
        protocol.receive_data(connection.recv(_READ))
    return event
