"""Replace the old executables by the new ones, all or none.

At every instant each name is the complete old file or the complete new one. Every step is written
to a journal first, so that the next update finishes or undoes one that was killed: see `recover`.
"""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import ChangedMeanwhile, InstallError, NotReplaced, NotRestored
from uv_self_update.files import become_like, flush, strerror
from uv_self_update.installer import journal as notes
from uv_self_update.installer.journal import Journal, Step
from uv_self_update.installer.moves import free, keep_file, let_go, naming, put
from uv_self_update.installer.restore import (
    drop,
    flush_folders,
    hidden,
    restore,
    strays_in,
    undo,
    write_receipt,
)
from uv_self_update.installer.workspace import KEPT
from uv_self_update.uv.executable import current_path
from uv_self_update.uv.receipt import NAME
from uv_self_update.values import replace as with_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uv_self_update.installer.stage import Staged
    from uv_self_update.platforms import Platform
    from uv_self_update.uv.receipt import Rewrite

    Check = Callable[[Path, str], None]
    """Raises an error unless the uv at a path runs and has a version."""


_log = logging.getLogger(__name__)

_EXECUTABLE = 0o755


def replace(
    staged: Staged,
    directory: Path,
    platform: Platform,
    *,
    rewrites: Sequence[Rewrite],
    work: Path,
    check: Check,
) -> None:
    """Rename the staged executables into place one by one, rewrite the receipt.

    uv is tried in its place, too, unless it is known to run there: a rename keeps the file that has
    run, and the directory, the mode and the owner are those of the uv that is running now. A copy
    on another file system may be another file, or not be allowed to run there; on Windows, rules
    about paths decide what may be run (AppLocker).

    Args:
        staged: The new executables.
        directory: The directory of the old ones.
        platform: The platform of uv.
        rewrites: The receipts that change.
        work: The claimed workspace.
        check: Runs uv in its place.

    Raises:
        NotReplaced: The file system refused; nothing was changed.
        FileInUse: Windows refused, because another program has a file open; nothing was changed.
        ChangedMeanwhile: Another program has written a receipt, which stays; nothing was changed.
        NotRestored: The old ones could not be restored; they are kept in the workspace.
        InstallError: uv does not run in its place; nothing was changed.
    """
    try:
        plan = Journal(
            state="preparing",
            version=staged.version,
            rewrites=tuple(rewrites),
            steps=tuple(
                _step(staged.folder / name, directory / name, work)
                for name in (*staged.others, *platform.executables)
                if (staged.folder / name).exists()
            ),
        )
        if any(work not in step.kept.parents for step in plan.steps):
            # Outside the workspace, which is cleared as a whole, the next run has to find files.
            plan.write(work)
        try:
            ready = _prepared(plan)
        except BaseException:
            drop(plan, work)
            raise
        _carry_out(
            ready,
            work,
            check if platform.windows or ready.steps[-1].copied else None,
            windows=platform.windows,
        )
    except OSError as error:
        raise NotReplaced(directory, strerror(error)) from error


def noted(
    directory: Path, platform: Platform, *, version: str, rewrites: Sequence[Rewrite], work: Path
) -> Journal:
    """Return the files that a release's own installer may replace, as they are now."""
    steps = (_step(work / "new" / name, directory / name, work) for name in platform.executables)
    return Journal(
        state="theirs",
        version=version,
        rewrites=tuple(rewrites),
        steps=tuple(steps),
        spared=tuple(path.name for path in strays_in(directory)),
    )


def keep(plan: Journal, work: Path) -> None:
    """Keep copies of the files of a plan, and write it.

    Raises:
        OSError: A file cannot be kept.
    """
    for step in plan.steps:
        if step.place.exists():
            step.kept.parent.mkdir(exist_ok=True)
            # A copy rather than a link: an installer may write into the file itself.
            shutil.copy2(step.place, step.kept)
            become_like(step.place, step.kept)
    plan.write(work)


def settle(plan: Journal, work: Path) -> None:
    """Accept the files of a release's own installer, and remove the journal.

    A receipt about another uv that was overwritten is kept next to the new one.

    Raises:
        NotReplaced: It cannot be kept; the journal stays for the next run.
    """
    written = {one.path for one in plan.rewrites if one.after is None and not one.untouched}
    for one in plan.rewrites:
        if one.after is not None and one.path.with_name(NAME).resolve() in written:
            write_receipt(one, one.after)
    drop(plan, work)


def recover(
    work: Path,
    check: Check,
    *,
    doubt: Callable[[str], str | None],
    complete: Callable[[Journal], bool],
    windows: bool,
) -> str | None:
    """Finish an update that was killed in a workspace, or undo it.

    If another program has installed a uv since, that one stays, and the journal is removed.

    Args:
        work: The claimed workspace.
        check: Runs uv in its place.
        doubt: Returns why a version must not be installed without another check of the policy.
        complete: Returns whether a release's own installer has finished.
        windows: Whether this is Windows.

    Returns:
        The version that uv has now; None if no update was finished.

    Raises:
        NotReplaced: The file system refused.
        NotRestored: Neither succeeded; all files are kept for the next run.
    """
    plan = notes.read(work)
    if plan is None:
        return None
    foreign = next((step.place for step in plan.steps if step.foreign), None)
    try:
        match plan.state:
            case "preparing":
                drop(plan, work)
            case "theirs" if complete(plan):
                settle(plan, work)
            case "theirs":
                _undo_theirs(plan, work, windows=windows)
            case _ if foreign is not None:
                _log.warning(
                    "discarding an interrupted update to uv %s: another program has replaced %s "
                    "since",
                    plan.version,
                    foreign,
                )
                drop(plan, work)
            case "restoring":
                restore(plan, work, windows=windows)
            case "replacing":
                expected = all(rewrite.expected for rewrite in plan.rewrites)
                reason = doubt(plan.version) if expected else "uv's receipt has changed since"
                if reason is None:
                    return _finish(plan, work, check, windows=windows)
                _log.warning("undoing an interrupted update: %s", reason)
                undo(plan, work, windows=windows)
    except OSError as error:
        raise NotReplaced(work, strerror(error)) from error
    return None


def _undo_theirs(plan: Journal, work: Path, *, windows: bool) -> None:
    if any(step.changed for step in plan.steps):
        reason = "its installer had not finished"
        _log.warning("undoing an interrupted update: %s", reason)
    undo(plan, work, windows=windows)


def _finish(plan: Journal, work: Path, check: Check, *, windows: bool) -> str | None:
    """Do the remaining steps; or undo all of them, and warn with the reason."""
    try:
        _carry_out(plan, work, check, windows=windows)
    except NotRestored:
        raise
    except InstallError as error:
        _log.warning("undoing an interrupted update: %s", error)
        return None
    return plan.version


def _step(staged: Path, named: Path, work: Path) -> Step:
    """Plan the replacement of one executable; of a link, the file that it leads to."""
    place = Path(os.path.realpath(named))
    if not place.exists() and named.is_symlink():
        place = named  # a broken link
    if place.parent.resolve() == work.parent.resolve():
        new, kept = staged, work / KEPT / named.name
    else:
        # Another directory may be on another file system, so the file is copied there first.
        new, kept = hidden(place, work, "new"), hidden(place, work, "old")
    return Step(
        staged=staged,
        new=new,
        named=named,
        link=notes.leads_to(named),
        place=place,
        kept=free(kept),
        # uv for Windows has moved itself aside, and moves itself back if its installer fails.
        old=notes.mark(current_path(place)),
        put=None,
    )


def _prepared(plan: Journal) -> Journal:
    """Prepare the new files, and link or copy the old ones into the workspace or next to it."""
    for step in plan.steps:
        if step.copied:
            step.new.unlink(missing_ok=True)
            shutil.copyfile(step.staged, step.new)
            flush(step.new)  # before it may become unreadable
        present = current_path(step.place)
        if present.exists():
            become_like(present, step.new)
        else:
            step.new.chmod(_EXECUTABLE)
        if step.old is not None:
            keep_file(present, step.kept)
    ready = (with_changes(step, put=notes.mark(step.new)) for step in plan.steps)
    return with_changes(plan, steps=tuple(ready))


def _carry_out(plan: Journal, work: Path, check: Check | None, *, windows: bool) -> None:
    """Do the remaining steps; or undo all of them, and raise the error.

    Args:
        plan: The steps.
        work: The workspace.
        check: Runs uv in its place; None if it is known to run there.
        windows: Whether this is Windows.
    """
    try:
        plan.at("replacing").write(work)
        for step in plan.steps:
            if step.new.exists():
                with naming(step.place, windows=windows):
                    put(step.new, step, windows=windows)
        if check is not None:
            check(plan.steps[-1].place, plan.version)
        flush_folders(plan)
        for rewrite in plan.rewrites:
            if rewrite.path.is_file() and not rewrite.expected:
                raise ChangedMeanwhile(rewrite.path, plan.version)  # noqa: TRY301 # undone below
            if rewrite.after is not None:
                with naming(rewrite.path, windows=windows):
                    write_receipt(rewrite, rewrite.after)
        let_go(plan)
    except BaseException:
        undo(plan, work, windows=windows)
        raise
    drop(plan, work)
