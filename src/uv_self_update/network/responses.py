"""The types that the client returns to sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def _nothing() -> None:
    """Do nothing: reading a local file is not interrupted."""


@frozen
class Document:
    """A body that was read completely, and decoded."""

    url: str
    """The redacted URL after redirects."""

    content_type: str
    """The media type without parameters, in lower case; empty without one."""

    body: bytes

    links: Mapping[str, str]
    """The `Link` header: relation -> absolute URL."""


@frozen
class Download:
    """A file that is being downloaded: raw bytes, never decoded."""

    url: str
    """The redacted URL after redirects."""

    size: int | None
    """Bytes, if the server announces them."""

    chunks: Iterator[bytes]
    """The bytes, once; raises UpstreamError."""

    sha256: str | None = None
    """The digest from the server or from a file next to it: 64 lower-case digits."""

    validator: str | None = None
    """What changes with the file's bytes: its strong entity tag, or its date and size."""

    verify: Callable[[], None] = _nothing
    """To be called by a receiver that checks a digest: downloads without validators are then
    resumed, too."""


@frozen
class Answer:
    """A response of any status."""

    url: str
    """The redacted URL after redirects."""

    status: int

    headers: Mapping[str, str]
    """Names in lower case -> values."""

    body: bytes
    """The start of the body, decoded."""
