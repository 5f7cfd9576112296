"""The user's proxies that requests of other programs are passed on through.

A run that passes nothing on looks at them as well, so this imports no HTTP.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes, urlsplit

from uv_self_update.network.socks import SCHEMES
from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_SCHEMES = ("http", *SCHEMES)


def unusable(proxy: str, what: str = "plain http") -> str | None:
    """Return why `what` cannot be sent through a proxy; None where it can be."""
    try:
        via = urlsplit(proxy)
        known = via.scheme in _SCHEMES and bool(via.hostname) and via.port != 0
    except ValueError:
        known = False
    if known:
        return None
    return f"uv-self-update cannot send {what} through the proxy {redact_url(proxy)}"


def is_socks(proxy: str | None) -> bool:
    """Return whether a proxy knows connections only, and no requests."""
    return proxy is not None and proxy.partition("://")[0].lower() in SCHEMES


def authorization(via: SplitResult) -> list[tuple[bytes, bytes]]:
    """Return the header with the credentials in a proxy's URL, if it has any."""
    if not via.username and not via.password:
        return []
    user, _, password = via.netloc.rpartition("@")[0].partition(":")
    pair = b64encode(unquote_to_bytes(user) + b":" + unquote_to_bytes(password))
    return [(b"Proxy-Authorization", b"Basic " + pair)]
