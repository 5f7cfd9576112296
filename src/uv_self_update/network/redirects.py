"""Where a redirect leads (RFC 9110 section 10.2.2), and where it may not."""

from __future__ import annotations

import ipaddress
import logging
import socket
from urllib.parse import urljoin, urlsplit, urlunsplit

from uv_self_update.auth.credentials import without_userinfo
from uv_self_update.errors import Unreachable
from uv_self_update.redaction import redact_url

_log = logging.getLogger(__name__)

_WEB = {"http", "https"}


def is_near(host: str) -> bool:
    """Return whether a host, by its name or address alone, is this machine or on its own link.

    That is loopback, link-local (where clouds keep the credentials of a machine, at
    169.254.169.254), and the unspecified address, which Linux connects to loopback; an IPv4 address
    in any form that `inet_aton` reads, or within an IPv6 one. Other names may lead there as well:
    whoever connects has to look at the address.
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


def redirected(url: str, location: str) -> str:
    """Return what is to be asked for next, without a login.

    Args:
        url: What was asked for.
        location: What the answer says; it may be relative.

    Raises:
        Unreachable: It leads nowhere, or out of the web.
    """
    shown = redact_url(url)
    try:
        target = without_userinfo(urljoin(without_userinfo(url), location))
        before, after = urlsplit(without_userinfo(url)), urlsplit(target)
        own = after.port is None or after.path == f"{before.path}/"
    except ValueError:
        raise Unreachable(shown, "it redirects to what is not a URL") from None
    if after.scheme not in _WEB:
        raise Unreachable(shown, f"it redirects to {redact_url(target)}")
    downgraded = (before.scheme, after.scheme) == ("https", "http")
    if downgraded and own and before.hostname == after.hostname:
        # A server whose TLS is ended by another does not know of it, and names its own port.
        return urlunsplit(after._replace(scheme="https", netloc=before.netloc))
    if downgraded:
        _log.warning(
            "%s redirects to %s, where the line can be listened to", shown, redact_url(target)
        )
    return target
