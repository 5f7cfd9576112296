"""The steps of a replacement, written first, so that the next update finishes or undoes them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from uv_self_update.files import write_atomically
from uv_self_update.uv.executable import renamed
from uv_self_update.uv.receipt import Rewrite
from uv_self_update.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_NAME = "journal.json"
_TEMPORARY = "journal.json.new"
_PATHS = ("staged", "new", "named", "place", "kept")
_REWRITE = ("path", "before", "after")

State = Literal["preparing", "replacing", "restoring", "theirs"]
"""Nothing was replaced yet; the new files are put in place; the old ones are restored; a release's
own installer is running, and the old files are kept.
"""

_STATES: tuple[State, ...] = ("preparing", "replacing", "restoring", "theirs")

Mark = tuple[int, int]
"""Size in bytes and `st_mtime_ns`, which identify a file: renames, links and copies keep both."""


@frozen
class Step:
    """The replacement of one executable."""

    staged: Path
    """Where the new file was tried; perhaps on another file system."""

    new: Path
    """From where it is renamed into place; often the same."""

    named: Path
    """The path that users run; perhaps a link."""

    link: str | None
    """The target of that link; None if it is not a link."""

    place: Path
    """The same with links resolved: the target of a link is replaced, not the link."""

    kept: Path
    """Where the old file is kept."""

    old: Mark | None
    """The old file; None if it does not exist."""

    put: Mark | None
    """The new file; None until it is ready, or if unknown."""

    @property
    def copied(self) -> bool:
        """Whether the new file is a copy of the one that was tried."""
        return self.new != self.staged

    @property
    def foreign(self) -> bool:
        """Whether another program has replaced the file since."""
        return mark(self.place) not in {None, self.old, self.put}

    @property
    def unmoved(self) -> bool:
        """Whether the old file is still in its place."""
        return self.old is not None and mark(self.place) == self.old != self.put

    @property
    def moved_aside(self) -> bool:
        """Whether uv for Windows has renamed its file, and has not removed it since."""
        return self.old is not None and mark(renamed(self.place)) == self.old

    @property
    def changed(self) -> bool:
        """Whether the path leads to another file than before."""
        return mark(self.place) != self.old or leads_to(self.named) != self.link


@frozen
class Journal:
    """All facts that are needed to finish an update, or to undo it."""

    state: State
    version: str
    rewrites: tuple[Rewrite, ...]
    """The receipts that change, in this order, once the executables are in place."""

    steps: tuple[Step, ...]

    spared: tuple[str, ...] | None = None
    """The directories that had a name as a release's installer gives before it ran (see `restore`);
    None if no such installer is running, or if unknown.
    """

    def at(self, state: State) -> Self:
        """Return the same in another state."""
        return replace(self, state=state)

    def write(self, folder: Path) -> None:
        """Write it, flushed to the disk.

        Raises:
            OSError: It cannot be written.
        """
        document = {
            **vars(self),
            "rewrites": [{name: vars(one)[name] for name in _REWRITE} for one in self.rewrites],
            "steps": [vars(step) for step in self.steps],
        }
        # Paths and receipts may not be UTF-8; JSON's escapes represent those, too.
        text = json.dumps(document, indent=2, default=os.fsdecode).encode("ascii")
        write_atomically(folder / _NAME, text, temporary=_TEMPORARY)


def read(folder: Path) -> Journal | None:
    """Return the journal in a directory; None if it is missing or damaged."""
    try:
        return _parse(json.loads((folder / _NAME).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def unfinished(folder: Path) -> bool:
    """Return whether a directory contains a journal."""
    return (folder / _NAME).exists()


def mark(file: Path) -> Mark | None:
    """Return what identifies a file; None if it does not exist."""
    try:
        found = file.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def leads_to(file: Path) -> str | None:
    """Return the target of a link; None for other files."""
    try:
        return os.readlink(file)  # noqa: PTH115 # as written, not as a Path
    except OSError:
        return None


def forget(folder: Path) -> None:
    """Remove the journal.

    Raises:
        OSError: It cannot be removed.
    """
    (folder / _NAME).unlink()


def _parse(document: Mapping[str, Any]) -> Journal:
    states: Mapping[str, State] = {name: name for name in _STATES}
    spared = document.get("spared")
    return Journal(
        state=states[document["state"]],
        version=str(document["version"]),
        spared=None if spared is None else tuple(map(str, spared)),
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
