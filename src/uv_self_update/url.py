"""URLs of the configuration and of requests, each parsed once."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from uv_self_update.redaction import redact_parts
from uv_self_update.values import field, frozen

Origin = tuple[str, str, int | None]
"""Scheme, host and port of a URL (RFC 6454)."""

DEFAULT_PORTS = {"http": 80, "https": 443}


@frozen
class Url:
    """A URL that `str` redacts."""

    wire: str = field(repr=False)
    """The URL without credentials, for the client only: its query may be a signature."""

    redacted: str
    """The URL for messages, with a mark in place of credentials."""

    origin: Origin

    parts: SplitResult = field(repr=False, compare=False)
    """Of `wire`."""

    userinfo: str = field(repr=False, compare=False)
    """The credentials, as written: `USER:PASSWORD`; empty without any."""

    @staticmethod
    def parse(text: str) -> Url:
        """Parse a URL, or a template of one; raises ValueError for an invalid host or port."""
        return _parsed(text)

    @property
    def netloc(self) -> str:
        """The host and the port, with the credentials before them."""
        return f"{self.userinfo}@{self.parts.netloc}" if self.userinfo else self.parts.netloc

    @property
    def scheme(self) -> str:
        """The scheme in lower case."""
        return self.origin[0]

    @property
    def host(self) -> str:
        """The host in lower case; empty without one."""
        return self.origin[1]

    @property
    def file_name(self) -> str:
        """The last segment of the path, decoded, or else the host."""
        return unquote(self.parts.path.rstrip("/").rpartition("/")[2]) or self.host

    def __str__(self) -> str:
        return self.redacted


@lru_cache(maxsize=64)  # several parts of a run need the parsed URL of a source
def _parsed(text: str) -> Url:
    parts = urlsplit(text)
    userinfo, _, netloc = parts.netloc.rpartition("@")
    without = parts._replace(netloc=netloc)
    scheme = parts.scheme.lower()
    port = DEFAULT_PORTS.get(scheme) if parts.port is None else parts.port
    return Url(
        wire=urlunsplit(without),
        redacted=redact_parts(parts),
        origin=(scheme, (parts.hostname or "").lower(), port),
        parts=without,
        userinfo=userinfo,
    )


def origin_of(url: str) -> Origin:
    """Return the origin of a URL; raises ValueError for an invalid port."""
    return Url.parse(url).origin


def without_userinfo(url: str) -> str:
    """Return `url` without credentials."""
    return Url.parse(url).wire
