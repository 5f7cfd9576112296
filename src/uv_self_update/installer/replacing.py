"""The new executables take the place of the old ones, or everything stays as it was.

At every instant each name is the whole old file or the whole new one. What is about to be done is
written down before it is done, so that an update that was killed in the middle is finished, or
undone, by the next one: see `recover`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import InstallError, NotReplaced, NotRestored
from uv_self_update.installer import journal as notes
from uv_self_update.installer.journal import Journal, Step
from uv_self_update.writing import become_like, flush_folder, write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from uv_self_update.installer.staging import Staged
    from uv_self_update.platforms import Platform
    from uv_self_update.receipt import Receipt

    Check = Callable[[Path, str], None]
    """Raises an error unless the uv at a path runs and is of a version."""

__all__ = ("recover", "replace")

_log = logging.getLogger(__name__)

_RECEIPT_BEFORE = ".uv-receipt.json.new"
_EXECUTABLE = 0o755


def replace(
    staged: Staged, receipt: Receipt, platform: Platform, *, work: Path, check: Check
) -> None:
    """Rename the staged executables into place one by one, try uv there, rewrite the receipt.

    Args:
        staged: What to put in place.
        receipt: Of the installation to replace.
        platform: Where uv runs.
        work: The claimed workplace.
        check: Tries uv where it lies then.

    Raises:
        NotReplaced: The file system refused; everything is as it was.
        NotRestored: It refused to put the old ones back as well; they are kept in the workplace.
        InstallError: uv does not run in its place; everything is as it was.
    """
    folder = receipt.folder(platform.uv)
    try:
        plan = Journal(
            state="preparing",
            version=staged.version,
            receipt=receipt.path.resolve(),
            before=os.fsdecode(receipt.path.read_bytes()),
            after=os.fsdecode(receipt.updated(staged.version)),
            steps=tuple(
                _step(staged.folder / name, folder / name, work)
                for name in platform.executables
                if (staged.folder / name).exists()
            ),
        )
        plan.write(work)
        try:
            _prepare(plan)
        except BaseException:
            _tidy(plan, work)
            raise
        _carry_out(plan, work, check, windows=platform.windows)
    except OSError as error:
        raise NotReplaced(folder, error.strerror or str(error)) from error


def recover(work: Path, check: Check, *, windows: bool) -> str | None:
    """Finish what an update that was killed has begun in a workplace; undo it if that fails.

    Returns:
        The version that uv has now, if there was something to finish.

    Raises:
        NotReplaced: What was begun cannot be read or written.
        NotRestored: Neither can be done; everything is kept for the next one.
    """
    plan = notes.read(work)
    if plan is None:
        return None
    try:
        match plan.state:
            case "preparing":
                _tidy(plan, work)
            case "restoring":
                _restore(plan, work)
            case "replacing":
                try:
                    _carry_out(plan, work, check, windows=windows)
                except NotRestored:
                    raise
                except InstallError as error:
                    _log.warning("an update that was interrupted is undone: %s", error)
                else:
                    return plan.version
    except OSError as error:
        raise NotReplaced(work, error.strerror or str(error)) from error
    return None


def _step(staged: Path, named: Path, work: Path) -> Step:
    """Plan how one executable is replaced; where it is a link, what that leads to."""
    place = Path(os.path.realpath(named))
    if not place.exists() and named.is_symlink():
        place = named  # it leads nowhere
    fresh = not os.path.lexists(place)
    if place.parent.resolve() == work.parent.resolve():
        kept = work / "old" / named.name
        return Step(staged=staged, new=staged, place=place, kept=kept, fresh=fresh)
    # Another folder may be another file system, so it has to be made ready there.
    hidden = f"{work.name}.{named.name}"
    return Step(
        staged=staged,
        new=place.with_name(f"{hidden}.new"),
        place=place,
        kept=place.with_name(f"{hidden}.old"),
        fresh=fresh,
    )


def _prepare(plan: Journal) -> None:
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
        if not step.fresh:
            step.kept.parent.mkdir(exist_ok=True)
            step.kept.unlink(missing_ok=True)
            _keep(step)


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
                _put(step, windows=windows)
        uv = plan.steps[-1].place
        check(uv, plan.version)
        _flush_folders(plan)
        _rewrite_receipt(plan, plan.after)
    except BaseException:
        # If it cannot be written down, it is done all the same.
        with contextlib.suppress(OSError):
            plan.at("restoring").write(work)
        _restore(plan, work)
        raise
    _tidy(plan, work)


def _put(step: Step, *, windows: bool) -> None:
    try:
        step.new.replace(step.place)
    except PermissionError:
        if not windows:
            raise
        # A program that runs can be renamed there, but not replaced.
        step.place.replace(step.kept.with_name(f"{step.kept.name}.running"))
        step.new.replace(step.place)


def _rewrite_receipt(plan: Journal, text: str) -> None:
    try:
        write_atomically(plan.receipt, os.fsencode(text), temporary=_RECEIPT_BEFORE)
    except OSError as error:
        raise NotReplaced(plan.receipt, error.strerror or str(error)) from error


def _restore(plan: Journal, work: Path) -> None:
    """Put the old executables back.

    Raises:
        NotRestored: One of them cannot be put back; the others are.
    """
    failure: NotRestored | None = None
    for step in reversed(plan.steps):
        try:
            if os.path.lexists(step.kept):
                step.kept.replace(step.place)
            elif step.fresh:
                step.place.unlink(missing_ok=True)
        except OSError as error:
            failure = NotRestored(step.place, step.kept, error.strerror or str(error))
    if failure is not None:
        raise failure
    with contextlib.suppress(FileNotFoundError):
        if plan.receipt.read_bytes() == os.fsencode(plan.after):
            _rewrite_receipt(plan, plan.before)
    _flush_folders(plan)
    _tidy(plan, work)


def _tidy(plan: Journal, work: Path) -> None:
    """Forget the plan, and remove what lies outside the workplace."""
    litter = [path for step in plan.steps for path in (step.new, step.kept)]
    _remove(path for path in litter if work not in path.parents)
    _remove([plan.receipt.with_name(_RECEIPT_BEFORE)])
    with contextlib.suppress(OSError):
        notes.forget(work)


def _remove(files: Iterable[Path]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def _flush_folders(plan: Journal) -> None:
    for folder in dict.fromkeys(step.place.parent for step in plan.steps):
        flush_folder(folder)
