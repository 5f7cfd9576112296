"""Directories that a release's own installer leaves next to uv when it is killed.

It moves the new executables into `$(mktemp -d "$_install_dir/tmp.XXXXXXXXXX")`, then into place,
and removes that directory at the end (`install` in the scripts of cargo-dist 0.33.0).
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


_NAME = re.compile(r"tmp\.[A-Za-z0-9]{10}")


def present(directory: Path) -> tuple[str, ...]:
    """Return the names of all such directories in a directory.

    Raises:
        OSError: It cannot be read.
    """
    return tuple(path.name for path in _found(directory))


def remove(directory: Path, *, spared: Collection[str], executables: Collection[str]) -> None:
    """Remove all such directories, as far as possible.

    Args:
        directory: The directory of uv.
        spared: The names of those that existed before the update.
        executables: The files that one may contain; any other shows that it is not the installer's.
    """
    with contextlib.suppress(OSError):
        for path in _found(directory):
            files = list(path.iterdir())
            if path.name not in spared and {file.name for file in files} <= set(executables):
                with contextlib.suppress(OSError):
                    for file in files:
                        file.unlink()
                    path.rmdir()


def _found(directory: Path) -> Iterator[Path]:
    return (
        path
        for path in list(directory.iterdir())
        if _NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    )
