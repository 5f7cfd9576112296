"""What an update is about to do to the file system, for the one that comes after it was killed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from uv_self_update.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("Journal", "State", "Step", "forget", "read", "unfinished")

_NAME = "journal.json"
_PATHS = ("staged", "new", "place", "kept")

State = Literal["preparing", "replacing", "restoring"]
"""Nothing was replaced yet; the new files go into place; the old ones go back."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One executable that takes the place of another."""

    staged: Path
    """Where it was tried; perhaps on another file system than its place."""

    new: Path
    """From where it goes into place; often the same."""

    place: Path
    """Links are resolved already: what a link leads to is replaced, and not the link."""

    kept: Path
    """What the old one is called meanwhile."""

    fresh: bool
    """Whether there is no old one."""


@dataclass(frozen=True, kw_only=True)
class Journal:
    """Everything that it takes to finish an update, or to undo it."""

    state: State
    version: str
    receipt: Path
    before: str
    """What the receipt said."""

    after: str
    """What it will say."""

    steps: tuple[Step, ...]

    def at(self, state: State) -> Self:
        """Return the same in another state."""
        return replace(self, state=state)

    def write(self, folder: Path) -> None:
        """Write it down, so that it is there even if everything ends now.

        Raises:
            OSError: It cannot be written.
        """
        document = {
            "state": self.state,
            "version": self.version,
            "receipt": str(self.receipt),
            "before": self.before,
            "after": self.after,
            "steps": [
                {
                    **{name: str(getattr(step, name)) for name in _PATHS},
                    "fresh": step.fresh,
                }
                for step in self.steps
            ],
        }
        # Paths are bytes here and there; JSON's escapes hold those that are no text, too.
        write_atomically(folder / _NAME, json.dumps(document, indent=2).encode("ascii"))


def read(folder: Path) -> Journal | None:
    """Return what was written down in a folder; None if there is nothing that can be used."""
    try:
        return _parse(json.loads((folder / _NAME).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def unfinished(folder: Path) -> bool:
    """Return whether something is written down in a folder."""
    return (folder / _NAME).exists()


def forget(folder: Path) -> None:
    """Remove what was written down: there is nothing left to do.

    Raises:
        OSError: It cannot be removed.
    """
    (folder / _NAME).unlink()


def _parse(document: Mapping[str, Any]) -> Journal:
    states: Mapping[str, State] = {name: name for name in ("preparing", "replacing", "restoring")}
    return Journal(
        state=states[document["state"]],
        version=str(document["version"]),
        receipt=Path(document["receipt"]),
        before=str(document["before"]),
        after=str(document["after"]),
        steps=tuple(
            Step(**{name: Path(step[name]) for name in _PATHS}, fresh=bool(step["fresh"]))
            for step in document["steps"]
        ),
    )
