"""Where a redirect leads (RFC 9110 section 10.2.2)."""

from __future__ import annotations

import logging
from urllib.parse import urljoin, urlsplit, urlunsplit

from uv_self_update.auth.credentials import without_userinfo
from uv_self_update.errors import Unreachable
from uv_self_update.redaction import redact_url

_log = logging.getLogger(__name__)

_WEB = {"http", "https"}


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
