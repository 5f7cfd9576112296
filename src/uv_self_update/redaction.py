"""Secrets, and URLs and texts without them."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit, urlunsplit

# A scheme starts at the start of a word; otherwise, a long word would take quadratic time.
_URL = re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"`<>]*[^\s'\"`<>:.,;)]")
_USERINFO = re.compile(r"(?<=://)[^\s/?#]*@")
"""A password may contain the characters that end a URL in a text, such as quotes and commas."""

_DRIVE = re.compile(r"[A-Za-z]:[\\/](?![\\/])")
"""The start of a path on Windows."""

_SECRET_NAME = re.compile(
    r"(?:auth|credential|jwt|key|passwd|password|pwd|sas|secret|sig|signature|token)$",
    re.IGNORECASE,
)
"""The ends of the names of secret parameters, such as `X-Amz-Signature` and `access_token`."""

_TOKEN = re.compile(
    r"(?:gh[opsur]_|github_pat_|gl[a-z]{2,6}-)|"
    r"(?=[A-Za-z0-9]*[0-9])(?=[A-Za-z0-9]*[A-Za-z])[A-Za-z0-9]{16,}"
)
"""The prefixes of the tokens of GitHub and GitLab, and the form of random tokens."""


class Secret:
    """A value that is hidden in `str` and `repr`."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reveal() == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


def has_secret_parameter(query: str) -> bool:
    """Return whether the query of a URL has a secret parameter, such as a signature."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    return any(value and _SECRET_NAME.search(name) for name, _, value in pairs)


def is_like_a_token(text: str) -> bool:
    """Return whether `text`, which should be a name, looks like a token."""
    return _TOKEN.search(text) is not None


def redact_url(url: str) -> str:
    """Return `url` without its user, its password, and the values of its query.

    The query of a signed URL gives access to the file, so only the names of parameters are kept.
    """
    if _DRIVE.match(url):
        return url  # a path on Windows, whose letter is no scheme
    try:
        return redact_parts(urlsplit(url))
    except ValueError:
        return "***"


def redact_parts(parts: SplitResult) -> str:
    """Return a parsed URL in the same way; raises ValueError for an invalid port.

    An invalid port may be the start of a password that contains `/`, `?` or a space.
    """
    netloc, _ = parts.netloc, parts.port
    if "@" in parts.path or "@" in parts.fragment:
        # A password with `/` or `#`, whose start was parsed as the host.
        parts = urlsplit(re.sub(r"(?<=://)(?:(?!://).)*@", "***@", parts.geturl()))
        netloc = parts.netloc
    if "@" in netloc:
        netloc = "***@" + netloc.rpartition("@")[2]
    query = "&".join(_redact_pair(pair) for pair in parts.query.split("&") if pair)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def redact(text: str) -> str:
    """Return `text` with every URL in it redacted."""
    return _URL.sub(lambda match: redact_url(match[0]), _USERINFO.sub("***@", text))


def _redact_pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    # Without a value, the name may be a token.
    return f"{name}=***" if equals else "***"
