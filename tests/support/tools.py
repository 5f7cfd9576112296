"""A PATH that lacks some programs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NEEDED = (
    *("awk", "basename", "cat", "chmod", "cp", "cut", "dirname", "env", "grep", "gzip", "head"),
    *("ldd", "ls", "mkdir", "mktemp", "mv", "rm", "sed", "sh", "sha256sum", "tar", "tr", "uname"),
)
"""What an installer may call beside curl or wget."""


def tools(folder: Path, *more: str) -> str:
    """Make a folder with links to the needed programs and to `more`, to be put on PATH."""
    folder.mkdir()
    for name in (*NEEDED, *more):
        found = shutil.which(name)
        assert found is not None, f"the tests need {name}"
        (folder / name).symlink_to(found)
    return str(folder)
