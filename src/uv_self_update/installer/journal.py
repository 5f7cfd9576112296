"""What an update is about to do to the file system, for the one that comes after it was killed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from uv_self_update.files import write_atomically
from uv_self_update.uv.receipt import Rewrite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_NAME = "journal.json"
_PATHS = ("staged", "new", "named", "place", "kept")

State = Literal["preparing", "replacing", "restoring", "theirs"]
"""Nothing was replaced yet; the new files go into place; the old ones go back; somebody else's
installer is at work, and the old ones are kept.
"""

_STATES: tuple[State, ...] = ("preparing", "replacing", "restoring", "theirs")

Mark = tuple[int, int]
"""Bytes and nanoseconds: how large a file is and when it was written, by which it is known again.

A rename, a hard link and a copy keep both.
"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One executable that takes the place of another."""

    staged: Path
    """Where it was tried; perhaps on another file system than its place."""

    new: Path
    """From where it goes into place; often the same."""

    named: Path
    """What it is called, perhaps a link."""

    link: str | None
    """What that link says, if it is one."""

    place: Path
    """Links are resolved already: what a link leads to is replaced, and not the link."""

    kept: Path
    """What the old one is called meanwhile."""

    old: Mark | None
    """The old one; None if there is none."""

    put: Mark | None
    """The one that goes into place; None until it is ready, or where nobody knows."""

    @property
    def foreign(self) -> bool:
        """Whether somebody else has put another file into the place since."""
        return mark(self.place) not in {None, self.old, self.put}

    @property
    def changed(self) -> bool:
        """Whether what it is called is another file than before."""
        return mark(self.place) != self.old or leads_to(self.named) != self.link


@dataclass(frozen=True, kw_only=True)
class Journal:
    """Everything that it takes to finish an update, or to undo it."""

    state: State
    version: str
    rewrites: tuple[Rewrite, ...]
    """The receipt and what else changes, in this order, once the executables are in place."""

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
            "rewrites": [
                {
                    "path": str(rewrite.path),
                    "before": None if rewrite.before is None else os.fsdecode(rewrite.before),
                    "after": None if rewrite.after is None else os.fsdecode(rewrite.after),
                }
                for rewrite in self.rewrites
            ],
            "steps": [
                {
                    **{name: str(getattr(step, name)) for name in _PATHS},
                    "link": step.link,
                    "old": step.old,
                    "put": step.put,
                }
                for step in self.steps
            ],
        }
        # Paths and receipts may be no text; JSON's escapes hold those, too.
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


def mark(file: Path) -> Mark | None:
    """Return by what a file is known again; None if there is none."""
    try:
        found = file.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def leads_to(file: Path) -> str | None:
    """Return what a link says; None for anything else."""
    try:
        return os.readlink(file)  # noqa: PTH115 # as it stands there
    except OSError:
        return None


def forget(folder: Path) -> None:
    """Remove what was written down: there is nothing left to do.

    Raises:
        OSError: It cannot be removed.
    """
    (folder / _NAME).unlink()


def _parse(document: Mapping[str, Any]) -> Journal:
    states: Mapping[str, State] = {name: name for name in _STATES}
    return Journal(
        state=states[document["state"]],
        version=str(document["version"]),
        rewrites=tuple(
            Rewrite(
                path=Path(rewrite["path"]),
                before=None if rewrite["before"] is None else os.fsencode(rewrite["before"]),
                after=None if rewrite["after"] is None else os.fsencode(rewrite["after"]),
            )
            for rewrite in document["rewrites"]
        ),
        steps=tuple(
            Step(
                **{name: Path(step[name]) for name in _PATHS},
                link=None if step["link"] is None else str(step["link"]),
                old=_mark(step["old"]),
                put=_mark(step["put"]),
            )
            for step in document["steps"]
        ),
    )


def _mark(said: Sequence[Any] | None) -> Mark | None:
    if said is None:
        return None
    size, written = said
    return int(size), int(written)
