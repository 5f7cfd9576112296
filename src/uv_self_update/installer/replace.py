"""The new executables take the place of the old ones, or everything stays as it was.

At every instant each name is the whole old file or the whole new one. What is about to be done is
written down before it is done, so that an update that was killed in the middle is finished, or
undone, by the next one: see `recover`.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import shutil
from dataclasses import replace as with_changes
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import InstallError, NotReplaced, NotRestored
from uv_self_update.files import become_like, content_of, flush_folder, write_atomically
from uv_self_update.installer import journal as notes
from uv_self_update.installer.journal import Journal, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from uv_self_update.installer.stage import Staged
    from uv_self_update.platforms import Platform
    from uv_self_update.uv.receipt import Rewrite

    Check = Callable[[Path, str], None]
    """Raises an error unless the uv at a path runs and is of a version."""


_log = logging.getLogger(__name__)

_EXECUTABLE = 0o755


def replace(
    staged: Staged,
    folder: Path,
    platform: Platform,
    *,
    rewrites: Sequence[Rewrite],
    work: Path,
    check: Check,
) -> None:
    """Rename the staged executables into place one by one, try uv there, rewrite the receipt.

    Args:
        staged: What to put in place.
        folder: Of the executables to replace.
        platform: Where uv runs.
        rewrites: The receipt, and what else changes with it.
        work: The claimed workplace.
        check: Tries uv where it lies then.

    Raises:
        NotReplaced: The file system refused; everything is as it was.
        NotRestored: It refused to put the old ones back as well; they are kept in the workplace.
        InstallError: uv does not run in its place; everything is as it was.
    """
    try:
        plan = Journal(
            state="preparing",
            version=staged.version,
            rewrites=tuple(rewrites),
            steps=tuple(
                _step(staged.folder / name, folder / name, work)
                for name in platform.executables
                if (staged.folder / name).exists()
            ),
        )
        plan.write(work)
        try:
            ready = _prepared(plan)
        except BaseException:
            drop(plan, work)
            raise
        _carry_out(ready, work, check, windows=platform.windows)
    except OSError as error:
        raise NotReplaced(folder, error.strerror or str(error)) from error


def keep(
    folder: Path, platform: Platform, *, version: str, rewrites: Sequence[Rewrite], work: Path
) -> Journal:
    """Keep what somebody else's installer is going to replace, and write down that it is.

    Args:
        folder: Of the executables.
        platform: Where uv runs.
        version: What it is going to install.
        rewrites: The receipts that it may write.
        work: The claimed workplace.

    Raises:
        OSError: It cannot be kept.
    """
    steps = (_step(work / "new" / name, folder / name, work) for name in platform.executables)
    plan = Journal(state="theirs", version=version, rewrites=tuple(rewrites), steps=tuple(steps))
    for step in plan.steps:
        if step.place.exists():
            step.kept.parent.mkdir(exist_ok=True)
            # A copy: an installer may write into the file, which a link would be as well.
            shutil.copy2(step.place, step.kept)
            become_like(step.place, step.kept)
    plan.write(work)
    return plan


def put_back(plan: Journal, work: Path, *, windows: bool) -> None:
    """Make everything what it was before somebody else's installer came.

    Raises:
        NotRestored: Something cannot be put back; it is kept for the next run.
    """
    try:
        _undo(plan, work, windows=windows)
    except OSError as error:
        raise NotRestored(plan.steps[-1].place, None, error.strerror or str(error)) from error


def recover(
    work: Path,
    check: Check,
    *,
    doubt: Callable[[str], str | None],
    runs: Callable[[Path], bool],
    windows: bool,
) -> str | None:
    """Finish what an update that was killed has begun in a workplace, or undo it.

    Where somebody has installed another uv since, that one stays, and the rest is forgotten.

    Args:
        work: The claimed workplace.
        check: Tries uv where it lies then.
        doubt: Says why a version cannot be installed without asking anew whether it may be.
        runs: Says whether a uv runs, whatever its version.
        windows: Whether this is Windows.

    Returns:
        The version that uv has now, if there was something to finish.

    Raises:
        NotReplaced: What was begun cannot be read or written.
        NotRestored: Neither can be done; everything is kept for the next one.
    """
    plan = notes.read(work)
    if plan is None:
        return None
    foreign = next((step.place for step in plan.steps if step.foreign), None)
    try:
        match plan.state:
            case "preparing":
                drop(plan, work)
            case "theirs":
                if plan.steps[-1].changed and runs(plan.steps[-1].named):
                    drop(plan, work)
                else:
                    _undo(plan, work, windows=windows)
            case _ if foreign is not None:
                _log.warning(
                    "an update to uv %s that was interrupted is dropped: %s was replaced since",
                    plan.version,
                    foreign,
                )
                drop(plan, work)
            case "restoring":
                _restore(plan, work, windows=windows)
            case "replacing":
                meant = all(rewrite.meant for rewrite in plan.rewrites)
                reason = doubt(plan.version) if meant else "uv's receipt has changed since"
                if reason is None:
                    return _finish(plan, work, check, windows=windows)
                _log.warning("an update that was interrupted is undone: %s", reason)
                _undo(plan, work, windows=windows)
    except OSError as error:
        raise NotReplaced(work, error.strerror or str(error)) from error
    return None


def _finish(plan: Journal, work: Path, check: Check, *, windows: bool) -> str | None:
    """Do what is left to be done; or undo all of it, and say why."""
    try:
        _carry_out(plan, work, check, windows=windows)
    except NotRestored:
        raise
    except InstallError as error:
        _log.warning("an update that was interrupted is undone: %s", error)
        return None
    return plan.version


def _step(staged: Path, named: Path, work: Path) -> Step:
    """Plan how one executable is replaced; where it is a link, what that leads to."""
    place = Path(os.path.realpath(named))
    if not place.exists() and named.is_symlink():
        place = named  # it leads nowhere
    if place.parent.resolve() == work.parent.resolve():
        new, kept = staged, work / "old" / named.name
    else:
        # Another folder may be another file system, so it has to be made ready there.
        new, kept = _hidden(place, work, "new"), _hidden(place, work, "old")
    return Step(
        staged=staged,
        new=new,
        named=named,
        link=notes.leads_to(named),
        place=place,
        kept=_free(kept),
        old=notes.mark(place),
        put=None,
    )


def _hidden(place: Path, work: Path, what: str) -> Path:
    return place.with_name(f"{work.name}.{place.name}.{what}")


def _free(path: Path) -> Path:
    """Return a path that nothing lies at: on Windows, a program that runs cannot be removed."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in itertools.count(1))
    return next(free for free in itertools.chain([path], numbered) if not _stays(free))


def _stays(file: Path) -> bool:
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
    return os.path.lexists(file)


def _prepared(plan: Journal) -> Journal:
    """Make the new files ready, and keep the old ones under another name as well."""
    for step in plan.steps:
        if step.new != step.staged:
            step.new.unlink(missing_ok=True)
            shutil.copyfile(step.staged, step.new)
        _flush(step.new)  # before it may become read-only
        if step.place.exists():
            become_like(step.place, step.new)
        else:
            step.new.chmod(_EXECUTABLE)
        if step.old is not None:
            step.kept.parent.mkdir(exist_ok=True)
            _keep(step)
    ready = (with_changes(step, put=notes.mark(step.new)) for step in plan.steps)
    return with_changes(plan, steps=tuple(ready))


def _keep(step: Step) -> None:
    try:
        os.link(step.place, step.kept, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without hard links
        shutil.copy2(step.place, step.kept, follow_symlinks=False)


def _flush(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _carry_out(plan: Journal, work: Path, check: Check, *, windows: bool) -> None:
    """Do what is planned, as far as it is not done yet; or undo all of it, and raise why."""
    try:
        plan.at("replacing").write(work)
        for step in plan.steps:
            if step.new.exists():
                _put(step.new, step, windows=windows)
        uv = plan.steps[-1].place
        check(uv, plan.version)
        _flush_folders(plan)
        for rewrite in plan.rewrites:
            if rewrite.after is not None:
                _rewrite(rewrite, rewrite.after)
    except BaseException:
        _undo(plan, work, windows=windows)
        raise
    drop(plan, work)


def _put(file: Path, step: Step, *, windows: bool) -> None:
    """Move a new file, or the one that was kept, into its place."""
    try:
        file.replace(step.place)
    except PermissionError:
        if not windows:
            raise
        # A program that runs can be renamed there, but not replaced.
        step.place.replace(_free(step.kept.with_name(f"{step.kept.name}.running")))
        file.replace(step.place)


def _rewrite(rewrite: Rewrite, after: bytes) -> None:
    folder = rewrite.path.parent
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(rewrite.path, after, temporary=_temporary(rewrite))
        except OSError:
            for one in made:
                with contextlib.suppress(OSError):
                    one.rmdir()
            raise
    except OSError as error:
        raise NotReplaced(rewrite.path, error.strerror or str(error)) from error


def _temporary(rewrite: Rewrite) -> str:
    return f".{rewrite.path.name}.new"


def _undo(plan: Journal, work: Path, *, windows: bool) -> None:
    """Put everything back; raises NotRestored."""
    # If it cannot be written down, it is done all the same.
    with contextlib.suppress(OSError):
        plan.at("restoring").write(work)
    _restore(plan, work, windows=windows)


def _restore(plan: Journal, work: Path, *, windows: bool) -> None:
    """Put the old executables and receipts back.

    Raises:
        NotRestored: One of the executables cannot be put back; the others are.
        OSError: A receipt cannot be.
    """
    failure: NotRestored | None = None
    for step in reversed(plan.steps):
        try:
            if step.link is not None and notes.leads_to(step.named) != step.link:
                step.named.unlink(missing_ok=True)
                step.named.symlink_to(step.link)
            if os.path.lexists(step.kept):
                _put(step.kept, step, windows=windows)
            elif step.old is None:
                step.place.unlink(missing_ok=True)
        except OSError as error:
            kept = None if step.old is None else step.kept
            failure = NotRestored(step.place, kept, error.strerror or str(error))
    if failure is not None:
        raise failure
    for rewrite in reversed(plan.rewrites):
        _take_back(rewrite)
    _flush_folders(plan)
    drop(plan, work)


def _take_back(rewrite: Rewrite) -> None:
    if rewrite.after is not None and not rewrite.meant:
        return  # somebody else has written it since
    if rewrite.before is None:
        rewrite.path.unlink(missing_ok=True)
    elif content_of(rewrite.path) != rewrite.before:
        write_atomically(rewrite.path, rewrite.before, temporary=_temporary(rewrite))


def drop(plan: Journal, work: Path) -> None:
    """Forget a plan: what is there now stays. What lies outside the workplace is removed."""
    for step in plan.steps:
        if work not in step.kept.parents:
            # What still runs on Windows stays, and is removed by a later update.
            begun = f"{work.name}.{step.place.name}."
            _remove(file for file in step.place.parent.iterdir() if file.name.startswith(begun))
    _remove(rewrite.path.with_name(_temporary(rewrite)) for rewrite in plan.rewrites)
    with contextlib.suppress(OSError):
        notes.forget(work)


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _flush_folders(plan: Journal) -> None:
    for folder in dict.fromkeys(step.place.parent for step in plan.steps):
        flush_folder(folder)
