"""The client's side of SOCKS 5 (RFC 1928, RFC 1929), until the connection is the server's.

socksio, which the HTTP client uses, parses replies but does not say where one ends.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from urllib.parse import SplitResult

SCHEMES = ("socks5", "socks5h")
"""The second has the proxy resolve names, the first this machine, as in curl and in uv."""

PORT = 1080

_NO_AUTHENTICATION, _PASSWORD = 0, 2
_IPV4, _NAME, _IPV6 = 1, 3, 4
_REASONS = {
    1: "general failure",
    2: "not allowed by its rules",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "TTL expired",
    7: "command not supported",
    8: "address type not supported",
}


def connect(connection: socket.socket, host: str, port: int, via: SplitResult) -> None:
    """Have a proxy connect to a host.

    Args:
        connection: The connection to the proxy.
        host: A name, or an address without brackets.
        port: The port.
        via: The proxy's URL.

    Raises:
        OSError: The connection fails, or the proxy refuses.
    """
    user, _, password = via.netloc.rpartition("@")[0].partition(":")
    method = _PASSWORD if user else _NO_AUTHENTICATION
    connection.sendall(bytes([5, 1, method]))
    if _received(connection, 2) != bytes([5, method]):
        message = "it does not accept the method of authentication"
        raise OSError(message)
    if user:
        pair = (_sized(unquote_to_bytes(text)) for text in (user, password))
        connection.sendall(b"\1" + b"".join(pair))
        if _received(connection, 2)[1] != 0:
            message = "it does not accept the credentials"
            raise OSError(message)
    target = _address(host, port, by_name=via.scheme == "socks5h")
    connection.sendall(bytes([5, 1, 0]) + target + port.to_bytes(2, "big"))
    _, reason, _, kind = _received(connection, 4)
    if reason != 0:
        raise OSError(_REASONS.get(reason, f"error {reason}"))
    sizes = {_IPV4: 4, _IPV6: 16}
    _received(connection, (sizes.get(kind) or _received(connection, 1)[0]) + 2)


def _address(host: str, port: int, *, by_name: bool) -> bytes:
    try:
        address = ip_address(host)
    except ValueError:
        if by_name:
            return bytes([_NAME]) + _sized(host.encode("idna"))
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        address = ip_address(found[0][4][0])
    return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed  # noqa: PLR2004


def _sized(text: bytes) -> bytes:
    if not 0 < len(text) < 256:  # noqa: PLR2004 # its length is one byte
        message = "a name or a credential is empty or too long"
        raise OSError(message)
    return bytes([len(text)]) + text


def _received(connection: socket.socket, size: int) -> bytes:
    """Receive a number of bytes, and not one more: what follows is the server's."""
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            message = "it closed the connection"
            raise OSError(message)
        data += piece
    return data
