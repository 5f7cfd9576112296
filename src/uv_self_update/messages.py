"""Values in messages: on one line, without secrets, in plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_KIBI = 1024

_TYPE_NAMES: Mapping[type, str] = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    dict: "a table",
    list: "an array",
}


def printable(text: str) -> str:
    """Return text without control characters, except for line feeds."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "_" for sign in text)


def shown(text: str) -> str:
    """Return a user's text for a message: on one line, without a password.

    `redact_url` misses a password in text that is not a valid URL, as in `user:password@host`, or
    in one with a slash in the password. So everything before the last `@` is removed.
    """
    line = "".join(char if char.isprintable() else "_" for char in text)
    return redact_url(re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", r"\1***@", line))


def suggestion(got: object, known: Iterable[str], *, prefix: str = "") -> str:
    """Return the end of a message: `; did you mean …?` with the most similar known word, if any.

    Args:
        got: The user's word.
        known: The known words, without their common prefix, which would make all of them similar.
        prefix: That prefix.
    """
    from difflib import get_close_matches  # noqa: PLC0415 # only needed for a mistake

    matches = get_close_matches(str(got), [*known], n=1)
    return f"; did you mean `{prefix}{matches[0]}`?" if matches else ""


def invalid(value: object, *, secret: bool = False) -> str:
    """Return the beginning of a message about a TOML value, before `: expected …`.

    Args:
        value: The value.
        secret: Whether it may be a secret, and is not repeated.
    """
    if not isinstance(value, str):
        return f"invalid type ({type_name(value)})"
    if not value.strip():
        return "empty value"
    return "invalid value" if secret else f"invalid value `{shown(value)}`"


def echo(value: object) -> str:
    """Return a TOML value for a message: its text, or the name of its type."""
    if not isinstance(value, str):
        return type_name(value)
    return f"`{shown(value)}`" if value else "empty"


def type_name(value: object) -> str:
    """Return the type of a TOML value, with its article."""
    return _TYPE_NAMES.get(type(value), "a date or a time")


def listed(words: Iterable[str]) -> str:
    """Return words in quotes, with `or` before the last."""
    *some, last = (f"`{word}`" for word in words)
    return f"{', '.join(some)} or {last}" if some else last


def human_bytes(count: float, *, digits: int = 2) -> str:
    """Return a number of bytes with a binary unit, as uv's bars show it: `16.00 MiB`."""
    *small, largest = "B", "KiB", "MiB", "GiB"
    for unit in small:
        # What would be shown as 1024.00 is 1.00 of the next unit.
        if round(count, digits) < _KIBI:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.{digits}f} {unit}"
        count /= _KIBI
    return f"{count:.{digits}f} {largest}"
