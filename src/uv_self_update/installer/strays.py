"""Directories that a release's own installer leaves next to uv when it is killed.

It moves the new executables into `$(mktemp -d "$_install_dir/tmp.XXXXXXXXXX")` first, from there
into place, and removes that when all is done (`install` in the scripts of cargo-dist 0.33.0).
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


_NAME = re.compile(r"tmp\.[A-Za-z0-9]{10}")


def present(folder: Path) -> tuple[str, ...]:
    """Return the names of all directories in a directory that have such a name.

    Raises:
        OSError: It cannot be read.
    """
    return tuple(path.name for path in _found(folder))


def remove(folder: Path, *, spared: Collection[str], executables: Collection[str]) -> None:
    """Remove the directories that have such a name, as far as possible.

    Args:
        folder: Where uv is.
        spared: The names of directories that existed before.
        executables: The files that one may contain; others show that it is not the installer's.
    """
    with contextlib.suppress(OSError):
        for path in _found(folder):
            files = list(path.iterdir())
            if path.name not in spared and {file.name for file in files} <= set(executables):
                with contextlib.suppress(OSError):
                    for file in files:
                        file.unlink()
                    path.rmdir()


def _found(folder: Path) -> Iterator[Path]:
    return (
        path
        for path in list(folder.iterdir())
        if _NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    )
