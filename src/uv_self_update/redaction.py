"""What must never be shown, and how the rest of it is."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

# A scheme is looked for where a word begins only: else a long word would take quadratic time.
_URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"`<>]*[^\s'\"`<>:.,;)]")
_LOGIN = re.compile(r"(?<=://)[^\s/?#]*@")
"""A password may hold the very signs that end a URL in a text: quotes, a comma, a bracket."""

_SECRET_NAME = re.compile(
    r"(?:auth|credential|jwt|key|passwd|password|pwd|sas|secret|sig|signature|token)$",
    re.IGNORECASE,
)
"""How the parameters end that open what a URL leads to: `X-Amz-Signature`, `access_token`."""

_TOKEN = re.compile(
    r"(?:gh[opsur]_|github_pat_|gl[a-z]{2,6}-)|"
    r"(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{16,}"
)
"""How GitHub's and GitLab's tokens begin, and what a random one has in it."""


class Secret:
    """A value that shows itself only when it is asked to."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Keep the value."""
        self._value = value

    def reveal(self) -> str:
        """Hand the value over."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Compare by value."""
        return isinstance(other, Secret) and other.reveal() == self._value

    def __hash__(self) -> int:
        """Hash by value."""
        return hash(self._value)

    def __repr__(self) -> str:
        """Show that there is something, and nothing of it."""
        return "***"

    __str__ = __repr__


def holds_secret(url: str) -> bool:
    """Return whether something in `url` may open what it leads to: a login, a signed query.

    A user without a password counts too, because a token may stand in its place.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "@" in url
    pairs = (pair.partition("=") for pair in parts.query.split("&"))
    return bool(parts.netloc.rpartition("@")[0]) or any(
        value and _SECRET_NAME.search(name) for name, _, value in pairs
    )


def is_like_a_token(text: str) -> bool:
    """Return whether `text`, in the place of a name, is rather a token that a server gave out."""
    return _TOKEN.search(text) is not None


def redact_url(url: str) -> str:
    """Return `url` as it may be shown: no user, no password, no values in its query.

    A query may be a signature that opens the file to whoever reads it, so only names stay.
    """
    try:
        parts = urlsplit(url)
        # A port that is no number is rather the start of a password with `/`, `?` or a blank in it.
        netloc, _ = parts.netloc, parts.port
    except ValueError:
        return "***"
    if "@" in parts.path or "@" in parts.fragment:
        # A password with a `/` or `#` in it, of which only the beginning is taken for the host.
        parts = urlsplit(re.sub(r"(?<=://)(?:(?!://).)*@", "***@", url))
        netloc = parts.netloc
    if "@" in netloc:
        netloc = "***@" + netloc.rpartition("@")[2]
    query = "&".join(_redact_pair(pair) for pair in parts.query.split("&") if pair)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def redact(text: str) -> str:
    """Return `text` with every URL in it as it may be shown."""
    return _URL.sub(lambda match: redact_url(match[0]), _LOGIN.sub("***@", text))


def _redact_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    # What stands alone may be a token as well as a name.
    return f"{name}=***" if equals else "***"
