"""What comes for a request, as the sources get it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, kw_only=True)
class Document:
    """A body that was read as a whole, decoded."""

    url: str
    """Where it came from in the end, as it may be shown."""

    content_type: str
    """The media type without parameters, in lower case; empty where none was given."""

    body: bytes

    links: Mapping[str, str]
    """The `Link` header: relation -> absolute URL."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """The body of a file on its way here: raw bytes, never decoded."""

    url: str
    """Where it comes from, as it may be shown."""

    size: int | None
    """Bytes, where the server says so."""

    chunks: Iterator[bytes]
    """The bytes, once; raises UpstreamError where they break off."""

    sha256: str | None = None
    """The digest that the server, or a file beside it, gives for it: 64 lower-case digits."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came for a request, whatever its status."""

    url: str
    """Where it came from in the end, as it may be shown."""

    status: int

    headers: Mapping[str, str]
    """Names in lower case -> values."""

    body: bytes
    """The start of it, decoded."""
