"""The target of a redirect (RFC 9110 section 10.2.2), and which targets are refused."""

from __future__ import annotations

import ipaddress
import logging
import socket
from urllib.parse import urljoin

from uv_self_update.errors import Unreachable
from uv_self_update.url import Url

_log = logging.getLogger(__name__)

_SCHEMES = {"http", "https"}


def is_local(host: str) -> bool:
    """Return whether a host is `localhost`, or a loopback, link-local or unspecified address.

    Clouds serve the credentials of a machine at the link-local address 169.254.169.254, and Linux
    connects the unspecified address to loopback. An IPv4 address may have any form that `inet_aton`
    reads, or be mapped into an IPv6 address. Other names may resolve to such an address: check the
    address of the connection as well.
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 section 6.3
        return True
    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    try:
        address = ipaddress.IPv4Address(socket.inet_aton(name))
    except (OSError, ValueError):
        try:
            address = ipaddress.IPv6Address(name.partition("%")[0])
        except ValueError:
            return False
        address = address.ipv4_mapped or address
    return address.is_loopback or address.is_link_local or address.is_unspecified


def redirected(url: Url, location: str) -> Url:
    """Return the URL to request next, without credentials.

    Args:
        url: The requested URL.
        location: The `Location` header; it may be relative.

    Raises:
        Unreachable: The target is not a URL of `http` or `https`.
    """
    try:
        target = Url.parse(urljoin(url.wire, location)).bare
        before, after = url.parts, target.parts
        own = after.port is None or after.path == f"{before.path}/"
    except ValueError:
        raise Unreachable(str(url), "it redirects to an invalid URL") from None
    if after.scheme not in _SCHEMES:
        raise Unreachable(str(url), f"it redirects to {target}")
    downgraded = (before.scheme, after.scheme) == ("https", "http")
    if downgraded and own and before.hostname == after.hostname:
        # A server behind a proxy that terminates TLS does not know of TLS, and names its own port.
        return url.bare.at(after.path, after.query)
    if downgraded:
        _log.warning("%s redirects to %s, which is not encrypted", url, target)
    return target
