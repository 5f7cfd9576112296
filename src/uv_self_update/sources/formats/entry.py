"""An entry of a directory, the result of every parser of listings."""

from __future__ import annotations

import re

from uv_self_update.releases.release import utc
from uv_self_update.values import frozen
from uv_self_update.versions import LONGEST_NAME

_UNFIT = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Separators, control characters, and surrogates, which represent invalid UTF-8."""


_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*)"
    # Go, and so rclone, writes a space before the offset, and the zone's name or offset after it.
    r"(?:Z|\ ?([+-]\d\d:?\d\d)(?:\ (?:[A-Z]{1,5}|[+-]\d{2,4}))?)",
    re.ASCII,
)
_FORMATS = (
    "%a, %d %b %Y %H:%M:%S GMT",  # HTTP
    "%a %b %d %H:%M:%S UTC %Y",  # Java, where the server's own time is UTC
    "%a %b %d %H:%M:%S GMT %Y",
)


@frozen
class Entry:
    """A file or a directory in a directory."""

    name: str
    """Decoded, without a slash; see is_name."""

    is_directory: bool | None
    """None if unknown: the page has no trailing slash in links to directories."""

    modified: str | None = None
    """RFC 3339 in UTC, as in `2026-01-29T20:24:46Z`; None if the server gives no time zone."""

    sha256: str | None = None

    size: int | None = None
    """Bytes, if the listing has them exactly."""


def is_name(name: str) -> bool:
    """Return whether a decoded name is a single path segment that can be requested and shown."""
    if len(name) > LONGEST_NAME or name in {"", ".", ".."} or _UNFIT.search(name):
        return False
    return len(name.encode()) <= LONGEST_NAME


def utc_of(text: str) -> str | None:
    """Return a time as RFC 3339 in UTC; None if the text is no time, or has no time zone."""
    from datetime import UTC, datetime  # noqa: PLC0415 # slow to import, and seldom needed

    text = text.strip()
    if iso := _ISO.fullmatch(text):
        return utc(f"{iso[1]}{iso[2] or 'Z'}")
    if "GMT" not in text and "UTC" not in text:
        return None  # most texts; strptime is slow
    for form in _FORMATS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return utc(moment.isoformat())
    return None
