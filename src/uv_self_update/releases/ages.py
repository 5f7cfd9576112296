"""Ages of releases, as configuration files and messages write them."""

from __future__ import annotations

import re

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_WORDS = re.compile(rf"(\d{{1,9}}) ?({'|'.join(_UNITS)})s?", re.ASCII)
_ISO = re.compile(
    r"P(?=[\dT])(?:(\d{1,9})W)?(?:(\d{1,9})D)?"
    r"(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
_ISO_UNITS = ("week", "day", "hour", "minute", "second")
_LONGEST = 3650 * 86_400
"""Ten years, in seconds: uv is younger than that."""


def parse_age(text: str) -> int | None:
    """Return the seconds of `3 days`, `12 hours`, `P3D` or `PT12H`; None for anything else."""
    if words := _WORDS.fullmatch(text.strip().lower()):
        seconds = int(words[1]) * _UNITS[words[2]]
    elif iso := _ISO.fullmatch(text.strip().upper()):
        pairs = zip(iso.groups(default="0"), _ISO_UNITS, strict=True)
        seconds = sum(int(count) * _UNITS[unit] for count, unit in pairs)
    else:
        return None
    return seconds if seconds <= _LONGEST else None


def format_age(seconds: float) -> str:
    """Return a length of time in the largest unit that it fills, up to days: `2 days`."""
    unit, length = "second", 1
    for name, size in _UNITS.items():
        if size <= seconds and name != "week":
            unit, length = name, size
    count = int(seconds // length)
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
