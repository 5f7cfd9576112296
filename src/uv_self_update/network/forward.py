"""Plain http requests of other programs, passed on as they were sent (RFC 9110 section 7.6).

Directly, or through the proxy that the program would have used. Only what a proxy has to change is
changed, and no credential of ours is sent. A connection to a server may be kept for the next
request of the same client. A request that cannot be repeated gets a new one, because the server may
be closing an old one.
"""

from __future__ import annotations

import contextlib
import socket
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote_to_bytes, urlsplit

import h11

from uv_self_update.network.persistent import Connected
from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from uv_self_update.network.persistent import Kept, Place

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

_CONNECT = 30.0  # seconds
_SILENCE = 300.0  # seconds between two pieces: what is passed on may be slow by nature
_CLOSED = "it closed the connection"
_READ = 256 << 10  # bytes at a time
_LARGE = 256 << 10  # bytes of a body that is read past h11


class NotForwarded(Exception):
    """A request cannot be passed on; the message says why, without credentials."""


class _NothingReceived(Exception):
    """The server has closed the connection before it sent a byte of the response."""


@dataclass(frozen=True, kw_only=True)
class Forwarded:
    """The answer to a request that was passed on."""

    status: int
    reason: bytes
    headers: Sequence[Header]
    body: Iterator[bytes]
    """Its bytes, once, each piece until the next one; raises NotForwarded where they break off."""

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
    *,
    proxy: str | None,
    kept: Kept | None = None,
) -> Forwarded:
    """Send a request, and return the response as soon as its head is there.

    Args:
        method: The method.
        url: An absolute http URL.
        headers: As they were received.
        body: The request's body.
        proxy: The proxy to ask through; None to ask the host of the URL.
        kept: The connection of an earlier request of this client, if any; the place for this one.

    Raises:
        NotForwarded: The connection fails, or what comes back is no HTTP.
    """
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    # The client's own Host does not count (RFC 9112 section 3.2.2).
    sent = [(b"Host", netloc.encode("latin-1")), *_end_to_end(headers, {b"host"})]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if proxy is not None:
        if reason := unusable(proxy):
            raise NotForwarded(reason)
        via = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        place = (via.hostname or "", via.port or 80)
        target = url.partition("#")[0]
        if via.username or via.password:
            pair = via.netloc.rpartition("@")[0].partition(":")
            secret = b64encode(unquote_to_bytes(pair[0]) + b":" + unquote_to_bytes(pair[2]))
            sent.append((b"Proxy-Authorization", b"Basic " + secret))
    else:
        place = (parts.hostname or "", parts.port or 80)
    if kept is None:
        sent.append((b"Connection", b"close"))
    request = h11.Request(method=method, target=target, headers=sent)
    old = None if kept is None or not _repeatable(request) else kept.take(place)
    if old is not None:
        with contextlib.suppress(_NothingReceived):
            return _asked(old, request, body, kept)
    try:
        return _asked(_connected(place), request, body, kept)
    except _NothingReceived as error:
        message = f"no response from {place[0]}:{place[1]}: {error}"
        raise NotForwarded(message) from error


def unusable(proxy: str) -> str | None:
    """Return why plain http cannot be passed on through a proxy; None where it can."""
    try:
        via = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        known = via.scheme == "http" and bool(via.hostname) and via.port != 0
    except ValueError:
        known = False
    if known:
        return None
    return f"uv-self-update cannot send plain http through the proxy {redact_url(proxy)}"


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


def _connected(place: Place) -> Connected:
    try:
        connection = socket.create_connection(place, timeout=_CONNECT)
    except (OSError, UnicodeError) as error:
        message = f"no connection to {place[0]}:{place[1]}: {error}"
        raise NotForwarded(message) from error
    connection.settimeout(_SILENCE)
    return Connected(place=place, socket=connection)


def _asked(
    connected: Connected, request: h11.Request, body: Iterable[bytes], kept: Kept | None
) -> Forwarded:
    """Send a request, and wait for the head of the response.

    Raises:
        NotForwarded: The connection fails, or what comes back is no HTTP.
        _NothingReceived: The server has closed the connection without a byte.
    """
    connection, protocol, place = connected.socket, connected.protocol, connected.place
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
        connected.close()
        raise
    except (OSError, h11.ProtocolError) as error:
        connected.close()
        message = f"no response from {place[0]}:{place[1]}: {error}"
        raise NotForwarded(message) from error
    return Forwarded(
        status=event.status_code,
        reason=bytes(event.reason),
        headers=_end_to_end(event.headers.raw_items()),
        body=_body(connected, _length_of(event)),
        connected=connected,
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


def _body(connected: Connected, length: int) -> Iterator[bytes]:
    """Read a body; each piece is valid until the next one is read."""
    connection, protocol = connected.socket, connected.protocol
    try:
        while isinstance(event := _next(connection, protocol), h11.Data):
            yield event.data
            length -= len(event.data)
            if length >= _LARGE:
                yield from _rest(connection, length)
                connected.complete = True
                return
    except (OSError, h11.ProtocolError) as error:
        message = f"the response of {connected.place[0]} broke off: {error}"
        raise NotForwarded(message) from error


def _rest(connection: socket.socket, length: int) -> Iterator[bytes]:
    """Read what follows where only the length counts: h11 would copy each piece three times."""
    piece = memoryview(bytearray(_READ))
    while length > 0:
        count = connection.recv_into(piece, min(length, _READ))
        if count == 0:
            raise h11.RemoteProtocolError(_CLOSED)  # one message for all
        length -= count
        yield cast("bytes", piece[:count])  # h11 passes on whatever has a length


def _next(connection: socket.socket, protocol: h11.Connection) -> object:
    while (event := protocol.next_event()) is h11.NEED_DATA:
        protocol.receive_data(connection.recv(_READ))
    return event
