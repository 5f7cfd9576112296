"""The new executables take the place of the old ones, or everything stays as it was."""

from __future__ import annotations

import contextlib
import os
import shutil
from typing import TYPE_CHECKING

from uv_self_update.errors import NotReplaced
from uv_self_update.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from uv_self_update.installer.staging import Staged
    from uv_self_update.platforms import Platform
    from uv_self_update.receipt import Receipt

__all__ = ("replace",)


def replace(staged: Staged, receipt: Receipt, platform: Platform, *, aside: Path) -> None:
    """Rename the staged executables into place one by one, then rewrite the receipt.

    At every instant each name is the whole old file or the whole new one.

    Args:
        staged: What to put in place, on the same file system.
        receipt: Of the installation to replace.
        platform: Where uv runs.
        aside: An existing folder on the same file system, to keep the old ones in meanwhile.

    Raises:
        NotReplaced: The file system refused; everything is as it was.
    """
    folder = place = receipt.folder(platform.uv)
    undo: list[Callable[[], object]] = []
    try:
        for name in platform.executables:
            new, old = staged.folder / name, folder / name
            if new.exists():
                undo.append(_prepare(new, old, aside / name))
                new.replace(old)
        place = receipt.path
        write_atomically(receipt.path, receipt.updated(staged.version))
    except BaseException as error:
        for step in reversed(undo):
            with contextlib.suppress(OSError):
                step()
        if isinstance(error, OSError):
            raise NotReplaced(place, error.strerror or str(error)) from error
        raise


def _prepare(new: Path, old: Path, kept: Path) -> Callable[[], object]:
    """Give the new file the mode of the old one, keep the old one, return how to put it back."""
    new.chmod(old.stat().st_mode & 0o7777 if old.exists() else 0o755)
    # Not the same as above for a link that points to nothing.
    if not os.path.lexists(old):
        return lambda: old.unlink(missing_ok=True)
    try:
        os.link(old, kept)
    except OSError:  # a file system without hard links
        shutil.copy2(old, kept, follow_symlinks=False)
    return lambda: kept.replace(old)
