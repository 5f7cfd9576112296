"""Requests of other programs, passed on as they were sent (RFC 9110 section 7.6).

Directly, or through the proxy that the program would have used. Only what a proxy has to change is
changed, and no credential of ours is sent.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

from uv_self_update.network.tunnels import (
    NotForwarded,
    authorization,
    connected,
    opened,
    parsed,
    unusable,
)

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ("HOP_BY_HOP", "Forwarded", "Header", "NotForwarded", "forward", "unusable")

Header = tuple[bytes, bytes]

HOP_BY_HOP = frozenset(
    {
        *(b"connection", b"expect", b"keep-alive", b"proxy-authorization", b"proxy-connection"),
        *(b"proxy-authenticate", b"te", b"trailer", b"upgrade"),
    }
)
"""Headers of one connection, which are not passed on."""

_SILENCE = 300.0  # seconds between two pieces: what is passed on may be slow by nature
_CLOSED = "it closed the connection"
_READ = 256 << 10  # bytes at a time

_TURN = threading.Lock()
"""truststore lets one handshake of a context proceed at a time. A connection that is made before
its turn would block a server that accepts one after the other, and so the handshake under way."""


@dataclass(frozen=True, kw_only=True)
class Forwarded:
    """The answer to a request that was passed on."""

    status: int
    reason: bytes
    headers: Sequence[Header]
    body: Iterator[bytes]
    """Its bytes, once; raises NotForwarded where they break off."""

    connection: socket.socket

    def close(self) -> None:
        """Close the connection to the server."""
        self.connection.close()


def forward(
    method: bytes,
    url: str,
    headers: Iterable[Header],
    body: Iterable[bytes],
    *,
    proxy: str | None,
    tls: ssl.SSLContext | None = None,
) -> Forwarded:
    """Send a request, and return the response as soon as its head is there.

    Args:
        method: The method.
        url: An absolute URL of http; of https with `tls`.
        headers: As they were received.
        body: The request's body.
        proxy: The proxy to ask through; None to ask the host of the URL.
        tls: What verifies the server, which speaks TLS then.

    Raises:
        NotForwarded: The connection fails, or what comes back is no HTTP.
    """
    parts = urlsplit(url)
    netloc = parts.netloc.rpartition("@")[2]
    host = parts.hostname or ""
    # The client's own Host does not count (RFC 9112 section 3.2.2).
    sent = [(b"Host", netloc.encode("latin-1")), *_end_to_end(headers, {b"host"})]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if tls is not None:
        with _TURN:
            connection = _secured(opened(host, parts.port or 443, proxy=proxy), tls, host)
    elif proxy is not None:
        if reason := unusable(proxy):
            raise NotForwarded(reason)
        via = parsed(proxy)
        target = url.partition("#")[0]
        sent += authorization(via)
        host = via.hostname or ""
        connection = connected(host, via.port or 80)
    else:
        connection = connected(host, parts.port or 80)
    sent.append((b"Connection", b"close"))
    return _asked(connection, host, h11.Request(method=method, target=target, headers=sent), body)


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


def _asked(
    connection: socket.socket, host: str, request: h11.Request, body: Iterable[bytes]
) -> Forwarded:
    protocol = h11.Connection(h11.CLIENT)
    try:
        connection.settimeout(_SILENCE)
        connection.sendall(protocol.send(request) or b"")
        # A server may answer and leave before it has read the body (RFC 9112 section 9.5).
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in body:
                connection.sendall(protocol.send(h11.Data(data=piece)) or b"")
            connection.sendall(protocol.send(h11.EndOfMessage()) or b"")
        while not isinstance(event := _next(connection, protocol), h11.Response):
            if isinstance(event, h11.ConnectionClosed):
                raise h11.RemoteProtocolError(_CLOSED)  # one message for all
    except (OSError, h11.ProtocolError) as error:
        connection.close()
        message = f"no response from {host}: {error}"
        raise NotForwarded(message) from error
    return Forwarded(
        status=event.status_code,
        reason=bytes(event.reason),
        headers=_end_to_end(event.headers.raw_items()),
        body=_body(connection, protocol, host),
        connection=connection,
    )


def _body(connection: socket.socket, protocol: h11.Connection, host: str) -> Iterator[bytes]:
    try:
        while isinstance(event := _next(connection, protocol), h11.Data):
            yield bytes(event.data)
    except (OSError, h11.ProtocolError) as error:
        message = f"the response of {host} broke off: {error}"
        raise NotForwarded(message) from error


def _next(connection: socket.socket, protocol: h11.Connection) -> object:
    while (event := protocol.next_event()) is h11.NEED_DATA:
        protocol.receive_data(connection.recv(_READ))
    return event
