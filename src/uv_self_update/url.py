"""The URL of a request, parsed once."""

from __future__ import annotations

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

    @classmethod
    def parse(cls, text: str) -> Url:
        """Parse a URL; raises ValueError for an invalid host or port."""
        parts = urlsplit(text)
        without = parts_without_userinfo(parts)
        return cls(
            wire=urlunsplit(without),
            redacted=redact_parts(parts),
            origin=origin_of_parts(parts),
            parts=without,
        )

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


def origin_of(url: str) -> Origin:
    """Return the origin of a URL; raises ValueError for an invalid port."""
    return origin_of_parts(urlsplit(url))


def origin_of_parts(parts: SplitResult) -> Origin:
    """Return the origin of a parsed URL; raises ValueError for an invalid port."""
    scheme = parts.scheme.lower()
    port = DEFAULT_PORTS.get(scheme) if parts.port is None else parts.port
    return scheme, (parts.hostname or "").lower(), port


def without_userinfo(url: str) -> str:
    """Return `url` without credentials."""
    return urlunsplit(parts_without_userinfo(urlsplit(url)))


def parts_without_userinfo(parts: SplitResult) -> SplitResult:
    """Return a parsed URL without credentials."""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2])
