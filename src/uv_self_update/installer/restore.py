"""Restore the old executables and receipts, and remove the traces of a replacement."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from typing import TYPE_CHECKING

from uv_self_update.errors import NotReplaced, NotRestored
from uv_self_update.files import flush_folder, remove, strerror, write_atomically
from uv_self_update.installer import journal as notes
from uv_self_update.installer.moves import put
from uv_self_update.installer.workspace import TEMPORARY
from uv_self_update.values import replace as with_changes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from uv_self_update.installer.journal import Journal
    from uv_self_update.uv.receipt import Rewrite


_STRAY = re.compile(r"tmp\.[A-Za-z0-9]{10}")
"""A directory that a release's own installer leaves next to uv when it is killed.

It moves the new executables into `$(mktemp -d "$_install_dir/tmp.XXXXXXXXXX")`, then into place,
and removes that directory at the end (`install` in the scripts of cargo-dist 0.33.0).
"""


def put_back(plan: Journal, work: Path, *, windows: bool) -> None:
    """Restore all files that a release's own installer may have replaced.

    Raises:
        NotRestored: A file cannot be restored; it is kept for the next run.
    """
    try:
        undo(plan, work, windows=windows)
    except OSError as error:
        raise NotRestored(plan.steps[-1].place, None, strerror(error)) from error


def undo(plan: Journal, work: Path, *, windows: bool) -> None:
    """Restore all files; raises NotRestored."""
    if plan.state == "theirs":
        # An installer that still runs after uv has ended finds no more files to move.
        shutil.rmtree(work / TEMPORARY, ignore_errors=True)
        _remove_strays(plan)
        # Marked as ours, or they would count as installed by another program.
        steps = (
            with_changes(step, put=notes.mark(step.place)) if step.changed else step
            for step in plan.steps
        )
        plan = with_changes(plan, steps=tuple(steps))
    # Without a journal, the files are restored all the same.
    with contextlib.suppress(OSError):
        plan.at("restoring").write(work)
    restore(plan, work, windows=windows)


def restore(plan: Journal, work: Path, *, windows: bool) -> None:
    """Restore the old executables and receipts.

    Raises:
        NotRestored: One of the executables cannot be restored; the others are.
        OSError: A receipt cannot be restored.
    """
    failure: NotRestored | None = None
    for step in reversed(plan.steps):
        try:
            if step.link is not None and notes.leads_to(step.named) != step.link:
                link = hidden(step.named, work, "link")
                link.unlink(missing_ok=True)
                link.symlink_to(step.link)
                link.replace(step.named)
            if step.moved_aside:
                remove(step.place)  # uv moves itself back, or `restore_name` does
            elif step.unmoved:
                _remove([step.kept])
            elif os.path.lexists(step.kept):
                put(step.kept, step, windows=windows)
            elif step.old is None:
                remove(step.place)
        except OSError as error:
            kept = None if step.old is None else step.kept
            failure = NotRestored(step.place, kept, strerror(error))
    if failure is not None:
        raise failure
    for rewrite in reversed(plan.rewrites):
        _take_back(rewrite)
    flush_folders(plan)
    drop(plan, work)


def _take_back(rewrite: Rewrite) -> None:
    if rewrite.after is not None and not rewrite.expected:
        return  # another program has written it since
    if rewrite.before is None:
        rewrite.path.unlink(missing_ok=True)
    elif not rewrite.untouched:
        write_atomically(rewrite.path, rewrite.before, temporary=_temporary(rewrite))


def write_receipt(rewrite: Rewrite, after: bytes) -> None:
    """Write a receipt, and make its directory if needed; raises NotReplaced."""
    folder = rewrite.path.parent
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(rewrite.path, after, temporary=_temporary(rewrite))
    except OSError as error:
        for one in made:
            with contextlib.suppress(OSError):
                one.rmdir()
        raise NotReplaced(rewrite.path, strerror(error)) from error


def _temporary(rewrite: Rewrite) -> str:
    return f".{rewrite.path.name}.new"


def drop(plan: Journal, work: Path) -> None:
    """Remove the journal and all files of ours outside the workspace; the executables stay."""
    _remove_strays(plan)
    _remove(hidden(step.named, work, "link") for step in plan.steps if step.link is not None)
    for step in plan.steps:
        if work not in step.kept.parents:
            # A program that still runs on Windows stays, and is removed by a later update.
            begun = f"{work.name}.{step.place.name}."
            _remove(file for file in step.place.parent.iterdir() if file.name.startswith(begun))
    _remove(rewrite.path.with_name(_temporary(rewrite)) for rewrite in plan.rewrites)
    with contextlib.suppress(OSError):
        notes.forget(work)


def strays_in(directory: Path) -> list[Path]:
    """Return the directories of killed installers, perhaps of others than a release's.

    Raises:
        OSError: The directory cannot be read.
    """
    return [
        path
        for path in directory.iterdir()
        if _STRAY.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    ]


def _remove_strays(plan: Journal) -> None:
    if plan.spared is None:
        return
    executables = {step.named.name for step in plan.steps}
    with contextlib.suppress(OSError):
        for path in strays_in(plan.steps[-1].named.parent):
            files = list(path.iterdir())
            # Any other file shows that it is not the installer's.
            if path.name not in plan.spared and {file.name for file in files} <= executables:
                with contextlib.suppress(OSError):
                    for file in files:
                        file.unlink()
                    path.rmdir()


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            remove(file)


def flush_folders(plan: Journal) -> None:
    """Flush the directories of the executables to the disk; raises OSError."""
    for folder in dict.fromkeys(step.place.parent for step in plan.steps):
        flush_folder(folder)


def hidden(place: Path, work: Path, what: str) -> Path:
    """Return the path of a file that a replacement keeps next to an executable."""
    return place.with_name(f"{work.name}.{place.name}.{what}")
