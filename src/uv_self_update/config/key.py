"""What a setting outside `[[source]]` is: its variable, and how its value is checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uv_self_update.messages import echo

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


Layer = dict[str, tuple[Any, str]]
"""What one place says: dotted key -> its checked value, and where that stands."""


class UnfitError(ValueError):
    """A value is not what its key needs; the message says why, and shows no secret."""

    def __init__(self, *, got: str, due: str, near: str = "") -> None:
        """Say what the value is, what is due, and what may have been meant."""
        super().__init__(f"it is {got}, but {due} is due{near}")


@dataclass(frozen=True, kw_only=True)
class Key:
    """One setting outside `[[source]]`."""

    attribute: str
    """Where `Settings` keeps it, dotted; empty for what is put together of several places."""

    variable: str
    """The environment variable that sets it; empty if there is none."""

    check: Callable[[object, Path], Any]
    """From TOML's value and the folder that paths are relative to, to ours; raises UnfitError."""

    parse: Callable[[str], object] = str
    """From text to what TOML would have; what it cannot read is left to `check`."""


def flag(value: object, _folder: Path) -> bool:
    """Check a switch; raises UnfitError."""
    if not isinstance(value, bool):
        raise UnfitError(got=echo(value), due="`true` or `false`")
    return value


def boolean(text: str) -> object:
    """Read a switch as a variable has it; what is none is handed back."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
