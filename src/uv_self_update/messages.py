"""How values are spoken of in messages: on one line, without a secret, in plain words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_TYPE_NAMES: Mapping[type, str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a string",
    dict: "a table",
    list: "an array",
}


def printable(text: str) -> str:
    """Return text without what a terminal would obey, except for the ends of lines."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "_" for sign in text)


def shown(text: str) -> str:
    """Return what a person wrote as a message may repeat it: on one line, without a password.

    Text that is no proper URL may hold a password all the same, in a place where `redact_url` does
    not look: `user:password@host`, or a password with a slash. So all before the last `@` goes.
    """
    line = "".join(char if char.isprintable() else "_" for char in text)
    return redact_url(re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", r"\1***@", line))


def suggestion(got: object, known: Iterable[str], *, prefix: str = "") -> str:
    """Return the end of a message: the known word that may have been meant, if one is near.

    Args:
        got: What was written.
        known: What it may be.
        prefix: What all of them begin with; it is left out here, since it makes each of them near.
    """
    from difflib import get_close_matches  # noqa: PLC0415 # only a mistake needs it

    matches = get_close_matches(str(got), [*known], n=1)
    return f"; did you mean `{prefix}{matches[0]}`?" if matches else ""


def echo(value: object) -> str:
    """Return what a value is, as a message repeats it after `it is`."""
    if not isinstance(value, str):
        return type_name(value)
    return f"`{shown(value)}`" if value else "empty"


def type_name(value: object) -> str:
    """Return what a TOML value is, with its article."""
    return _TYPE_NAMES.get(type(value), "a date or a time")


def listed(words: Iterable[str]) -> str:
    """Return words in quotes, with `or` before the last."""
    *some, last = (f"`{word}`" for word in words)
    return f"{', '.join(some)} or {last}" if some else last
