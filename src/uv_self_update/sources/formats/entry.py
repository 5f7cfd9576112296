"""What a folder on a server holds, as every kind of listing is read into it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from uv_self_update.releases.release import utc

_UNFIT = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Separators, control characters, and surrogates, which stand for bytes that are no UTF-8."""

_LONGEST = 255  # characters, as in file systems

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:?\d\d)", re.ASCII)
_FORMATS = (
    "%a, %d %b %Y %H:%M:%S GMT",  # HTTP
    "%a %b %d %H:%M:%S UTC %Y",  # Java, where the server's own time is UTC
    "%a %b %d %H:%M:%S GMT %Y",
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A name in a folder: a file, or another folder."""

    name: str
    """Decoded, without a slash; see is_name."""

    folder: bool

    modified: str | None = None
    """RFC 3339 in UTC, as in `2026-01-29T20:24:46Z`, where the server says so unambiguously."""

    sha256: str | None = None


def is_name(name: str) -> bool:
    """Say whether a decoded name stays in its folder, and can be asked for again and shown."""
    return len(name) <= _LONGEST and name not in {"", ".", ".."} and not _UNFIT.search(name)


def utc_of(text: str) -> str | None:
    """Return a time in RFC 3339 and UTC; None where the text does not say in which zone it is."""
    from datetime import UTC, datetime  # noqa: PLC0415 # slow to import, and seldom needed

    text = text.strip()
    if _ISO.fullmatch(text):
        return utc(text)
    if "GMT" not in text and "UTC" not in text:
        return None  # most texts, and the formats take their time
    for form in _FORMATS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return utc(moment.isoformat())
    return None
