"""The URL of a request, parsed once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from uv_self_update.auth.credentials import origin_of_parts, parts_without_userinfo
from uv_self_update.redaction import redact_parts
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from uv_self_update.auth.credentials import Origin


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
