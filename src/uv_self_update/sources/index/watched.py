"""Wait for a uv that writes below one directory, and limit the size of that directory."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.releases.release import LARGEST_UNPACKED

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path


_BLOCK = 4096  # bytes that an empty file or a directory takes
_POLL = 0.1  # seconds between two measurements of the directory


class OutputTooLarge(Exception):
    """uv wrote more than a wheel of uv can contain, and was killed."""


def watched(
    process: subprocess.Popen[str],
    stdin: str,
    directory: Path,
    heard: Callable[[str], bool] | None,
    written: Callable[[int], None],
) -> str:
    """Wait for a process to exit, and return its stderr.

    Args:
        process: The uv.
        stdin: What it reads.
        directory: Where it writes.
        heard: Is told each line of its stderr, and returns whether it is to continue.
        written: Is told the bytes below the directory.

    Raises:
        OutputTooLarge: The directory has exceeded the limit.
    """
    listening = Background(partial(_listen, process, heard))
    assert process.stdin is not None, "it is a pipe"  # noqa: S101 # for the type checker
    with contextlib.suppress(OSError), process.stdin as pipe:
        pipe.write(stdin)  # uv may have exited
    # With a timeout, Python would sleep for up to 50 ms between two looks at a process.
    ending = Background(process.wait)
    ended = False
    while not ended:
        ended = ending.wait(_POLL)
        size = _size(directory)
        written(size)
        if size > LARGEST_UNPACKED:
            raise OutputTooLarge
    return listening.result()


def _listen(process: subprocess.Popen[str], heard: Callable[[str], bool] | None) -> str:
    """Read the stderr of a process to its end, and kill the process if it is not to continue."""
    assert process.stderr is not None, "it is a pipe"  # noqa: S101 # for the type checker
    lines = []
    with process.stderr as pipe:
        for line in pipe:
            lines.append(line)
            if heard is not None and not heard(line.rstrip("\n")):
                process.kill()
    return "".join(lines)


def _size(directory: Path) -> int:
    """Return the bytes below a directory, at least: files may vanish while they are counted."""
    total = 0
    for path, directories, names in os.walk(directory):
        total += len(directories) * _BLOCK
        for name in names:
            with contextlib.suppress(OSError):
                total += max(os.lstat(os.path.join(path, name)).st_size, _BLOCK)  # noqa: PTH118
    return total
