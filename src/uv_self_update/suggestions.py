"""Suggestions for mistyped commands, options and URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


_SIMILAR = 0.75
"""The minimum similarity of options: `--src` has a suggestion, `--unknown` has none."""

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
"""Words of other programs, uv among them -> our command; an empty text is an update."""

_NAME = r"(?:[\w-]+\.)+[a-z][\w-]*|localhost|(?:[0-9]+\.){3}[0-9]+(?=[:/])|\[[0-9a-f:]+\]"
_HOST = re.compile(rf"(?:{_NAME})(?::[0-9]+)?(?=[/?#]|$)", re.IGNORECASE)
_SCHEME = re.compile(r"(?P<scheme>h?t+ps?)(?P<marks>:?/{0,2}|;//?)(?=[\w\[])", re.IGNORECASE)
_LOCAL = re.compile(r"(?:localhost|127\.|\[::1\])")


def closest_option(option: str, known: Iterable[str]) -> str | None:
    """Return the most similar option, for one with a wrong letter or a missing hyphen.

    Args:
        option: The user's option, without a value.
        known: The known options, each with two hyphens.
    """
    from difflib import get_close_matches  # noqa: PLC0415 # only needed for a mistake

    # A word processor replaces two hyphens with a dash.
    name = re.sub(r"^[-\N{EN DASH}\N{EM DASH}]+", "", option).lower().replace("_", "-")
    near = get_close_matches(f"--{name}", [*known], n=1, cutoff=_SIMILAR)
    return near[0] if near else None


def meant_command(word: str, known: Iterable[str]) -> str | None:
    """Return the command line for a similar word, or for the same command of another program."""
    from difflib import get_close_matches  # noqa: PLC0415 # as above

    command = _COMMANDS.get(word.lower())
    if command is None:
        near = get_close_matches(word.lower(), [*known, "help"], n=1)
        command = near[0] if near else None
    return None if command is None else f"uv-self-update {command}".rstrip()


def with_scheme(text: str) -> str | None:
    """Return a URL without a scheme, or with a mistyped one, as a complete URL.

    Returns:
        None for a text that does not begin with a host, or that may contain a password.
    """
    if "@" in text or re.match(r"https?://", text):
        return None
    scheme, rest = "", text.removeprefix("//")
    if (found := _SCHEME.match(text)) and found["marks"]:
        scheme, rest = found["scheme"].lower(), text[found.end() :]
        scheme = "https" if scheme.endswith("s") else "http"
    if not _HOST.match(rest):
        return None
    if not scheme:
        scheme = "http" if _LOCAL.match(rest.lower()) else "https"
    return f"{scheme}://{rest}"
