"""The URL of a request, parsed once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uv_self_update.auth.credentials import origin_of, without_userinfo
from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from uv_self_update.auth.credentials import Origin


@dataclass(frozen=True, kw_only=True)
class Url:
    """A URL that `str` redacts."""

    wire: str = field(repr=False)
    """The URL without credentials, for the client only: its query may be a signature."""

    redacted: str
    """The URL for messages, with a mark in place of credentials."""

    origin: Origin

    @classmethod
    def parse(cls, text: str) -> Url:
        """Parse a URL; raises ValueError for an invalid host or port."""
        return cls(wire=without_userinfo(text), redacted=redact_url(text), origin=origin_of(text))

    @property
    def scheme(self) -> str:
        """The scheme in lower case."""
        return self.origin[0]

    @property
    def host(self) -> str:
        """The host in lower case; empty without one."""
        return self.origin[1]

    def __str__(self) -> str:
        return self.redacted
