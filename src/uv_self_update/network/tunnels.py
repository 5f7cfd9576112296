"""Connections to a host and port: directly, through an http proxy, or by SOCKS.

RFC 9110 section 9.3.6 defines the tunnel of an http proxy.
"""

from __future__ import annotations

import socket
from urllib.parse import SplitResult, urlsplit

import h11

from uv_self_update.network import socks
from uv_self_update.network.forward_proxies import authorization, unusable
from uv_self_update.redaction import redact_url

_CONNECT = 30.0  # seconds
_CLOSED = "it closed the connection"


class NotForwarded(Exception):
    """A request cannot be passed on; the message says why, without credentials."""


def connected(host: str, port: int) -> socket.socket:
    """Connect to a host directly.

    Raises:
        NotForwarded: It cannot be reached.
    """
    try:
        return socket.create_connection((host, port), timeout=_CONNECT)
    except (OSError, UnicodeError) as error:
        message = f"no connection to {host}:{port}: {error}"
        raise NotForwarded(message) from error


def opened(host: str, port: int, *, proxy: str | None) -> socket.socket:
    """Open a tunnel to a host.

    Args:
        host: Its name or address; that of IPv6 without brackets.
        port: Its port.
        proxy: The proxy to ask for the tunnel; None to connect directly.

    Raises:
        NotForwarded: It cannot be reached, or the proxy refuses.
    """
    if proxy is None:
        return connected(host, port)
    if reason := unusable(proxy, "https"):
        raise NotForwarded(reason)
    via = urlsplit(proxy)
    by_socks = via.scheme in socks.SCHEMES
    connection = connected(via.hostname or "", via.port or (socks.PORT if by_socks else 80))
    try:
        if by_socks:
            socks.connect(connection, host, port, via)
            return connection
        status = _ask(connection, host, port, via)
    except (OSError, UnicodeError, h11.ProtocolError) as error:
        connection.close()
        message = f"no tunnel through the proxy {redact_url(proxy)}: {error}"
        raise NotForwarded(message) from error
    if not 200 <= status < 300:  # noqa: PLR2004 # any success (RFC 9110 section 9.3.6)
        connection.close()
        message = f"the proxy {redact_url(proxy)} answered {status} for {host}:{port}"
        raise NotForwarded(message)
    return connection


def _ask(connection: socket.socket, host: str, port: int, via: SplitResult) -> int:
    """Send CONNECT, and return the status."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [(b"Host", target.encode("latin-1")), *authorization(via)]
    protocol = h11.Connection(h11.CLIENT)
    request = h11.Request(method=b"CONNECT", target=target, headers=headers)
    connection.sendall((protocol.send(request) or b"") + (protocol.send(h11.EndOfMessage()) or b""))
    while not isinstance(event := protocol.next_event(), h11.Response):
        if event is h11.NEED_DATA:
            # Not a byte more than the head: what follows is the tunnel's.
            piece = connection.recv(1)
            if not piece:
                raise h11.RemoteProtocolError(_CLOSED)
            protocol.receive_data(piece)
    return event.status_code
