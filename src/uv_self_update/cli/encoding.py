"""Text in an encoding that lacks some of its characters, such as a code page of Windows."""

from __future__ import annotations

import codecs
import io
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = "uv-self-update"

_PLAIN: Mapping[str, str] = {
    "\u2018": "'",
    "\u2019": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u2013": "-",
    "\u2014": "-",
    "\u2026": "...",
    "\u2192": "->",
    "\u2713": "ok",
    "\u2717": "X",
}
"""Character -> what is printed where the encoding lacks it; any other is escaped."""


def lose_nothing() -> None:
    """Let stdout and stderr print every text, whatever their encoding is."""
    codecs.register_error(_NAME, _replaced)
    for stream in (sys.stdout, sys.stderr):
        # Tests and other programs replace the streams by simpler ones.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    escaped = (
        _PLAIN.get(one, one.encode("ascii", "backslashreplace").decode("ascii")) for one in text
    )
    return "".join(escaped), error.end
