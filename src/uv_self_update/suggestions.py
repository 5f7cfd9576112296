"""What was probably meant by a command, an option or a URL that is mistyped; nothing is read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_SIMILAR = 0.75
"""How much of an option has to be right: enough for `--src`, too much for `--unknown`."""

_COMMANDS: Mapping[str, str] = {
    "adopt": "--adopt",
    "available": "releases",
    "check": "--check",
    "dry-run": "--dry-run",
    "get": "config get",
    "latest": "",
    "list": "releases",
    "ls": "releases",
    "newest": "",
    "outdated": "--check",
    "path": "config path",
    "required": "--required",
    "self": "",
    "self-update": "",
    "set": "config set",
    "settings": "config show",
    "setup": "init",
    "show": "config show",
    "status": "--check",
    "unset": "config unset",
    "upgrade": "",
    "version": "--version",
    "versions": "releases",
}
"""What other programs call it, uv among them; an empty text is an update."""

_NAME = r"(?:[\w-]+\.)+[a-z][\w-]*|localhost|(?:[0-9]+\.){3}[0-9]+(?=[:/])|\[[0-9a-f:]+\]"
_PLACE = re.compile(rf"(?:{_NAME})(?::[0-9]+)?(?=[/?#]|$)", re.IGNORECASE)
_SCHEME = re.compile(r"(?P<scheme>h?t+ps?)(?P<marks>:?/{0,2}|;//?)(?=[\w\[])", re.IGNORECASE)
_LOCAL = re.compile(r"(?:localhost|127\.|\[::1\])")


def closest_option(option: str, known: Iterable[str]) -> str | None:
    """Return the option that was probably meant: one with a letter wrong, or a hyphen missing.

    Args:
        option: What was typed, without a value.
        known: Options that begin with two hyphens.
    """
    from difflib import get_close_matches  # noqa: PLC0415 # only a mistake needs it

    # A word processor makes a dash of two hyphens.
    name = re.sub(r"^[-\N{EN DASH}\N{EM DASH}]+", "", option).lower().replace("_", "-")
    near = get_close_matches(f"--{name}", [*known], n=1, cutoff=_SIMILAR)
    return near[0] if near else None


def meant_command(word: str, known: Iterable[str]) -> str | None:
    """Return the command line that was probably meant by a word that is no command.

    Args:
        word: What was typed.
        known: The commands.
    """
    from difflib import get_close_matches  # noqa: PLC0415 # as above

    meant = _COMMANDS.get(word.lower())
    if meant is None:
        near = get_close_matches(word.lower(), [*known], n=1)
        meant = near[0] if near else None
    return None if meant is None else f"uv-self-update {meant}".rstrip()


def with_scheme(place: str) -> str | None:
    """Return the URL that was probably meant by one without a scheme, or with half of one.

    Returns:
        None for what does not begin with a host, and for what may hold a password.
    """
    if "@" in place or re.match(r"https?://", place):
        return None
    scheme, rest = "", place.removeprefix("//")
    if (found := _SCHEME.match(place)) and found["marks"]:
        scheme, rest = found["scheme"].lower(), place[found.end() :]
        scheme = "https" if scheme.endswith("s") else "http"
    if not _PLACE.match(rest):
        return None
    if not scheme:
        scheme = "http" if _LOCAL.match(rest.lower()) else "https"
    return f"{scheme}://{rest}"
