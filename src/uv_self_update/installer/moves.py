"""Rename executables into place and keep the old ones, by the rules of Windows as well.

There, a file that another program has open cannot be replaced or removed: neither a running
program, which can be renamed, nor a file that a virus scanner reads.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from typing import TYPE_CHECKING

from uv_self_update.errors import FileInUse, NotReplaced
from uv_self_update.files import WINDOWS, is_read_only, persist, remove, strerror
from uv_self_update.uv.executable import renamed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from uv_self_update.installer.journal import Journal, Step


_EXECUTABLE = 0o755
_SMALL = 4 << 20  # bytes; uvx has 350 kB


def keep_file(file: Path, kept: Path) -> None:
    """Link or copy a file to another path, whose directory is created.

    On Windows, small ones are copied: no link of a file that another program holds can be removed.

    Raises:
        OSError: Neither is possible.
    """
    kept.parent.mkdir(exist_ok=True)
    try:
        # All links of a file have the same attributes, and a read-only one cannot be removed.
        if not is_read_only(file) and not (WINDOWS and file.stat().st_size < _SMALL):
            os.link(file, kept, follow_symlinks=False)
            return
    except (OSError, NotImplementedError):  # a file system without hard links
        pass
    shutil.copy2(file, kept, follow_symlinks=False)


def put(file: Path, step: Step, *, windows: bool) -> None:
    """Rename a new file, or a kept one, into its place."""

    def attempt() -> None:
        try:
            file.replace(step.place)
        except PermissionError:
            if not windows or not os.path.lexists(step.place):
                raise
            # A running or a read-only program can be renamed there, but not replaced.
            aside = free(step.kept.with_name(f"{step.kept.name}.running"))
            step.place.replace(aside)
            try:
                file.replace(step.place)
            except OSError:
                aside.replace(step.place)
                raise

    persist(attempt, windows=windows)


@contextlib.contextmanager
def naming(file: Path, *, windows: bool) -> Iterator[None]:
    """Name the file that another program does not let be replaced; raises FileInUse."""
    try:
        yield
    except (PermissionError, NotReplaced) as error:
        cause = error.__cause__ if isinstance(error, NotReplaced) else error
        if windows and isinstance(cause, PermissionError):
            raise FileInUse(file, strerror(cause)) from error
        raise


def let_go(plan: Journal) -> None:
    """Let uv for Windows remove its old file, moved aside, although it is read-only."""
    for step in plan.steps:
        aside = renamed(step.place)
        with contextlib.suppress(OSError):
            if is_read_only(aside):
                aside.chmod(_EXECUTABLE)


def free(path: Path) -> Path:
    """Return an unused path: on Windows, a running program cannot be removed."""
    numbered = (path.with_name(f"{path.name}.{number}") for number in itertools.count(1))
    return next(free for free in itertools.chain([path], numbered) if not _stays(free))


def _stays(file: Path) -> bool:
    with contextlib.suppress(OSError):
        remove(file)
    return os.path.lexists(file)
