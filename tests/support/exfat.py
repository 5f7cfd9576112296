"""An exFAT file system by way of FUSE, where a file that is open keeps the directory it was in."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.missing import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIZE = 256 << 20  # bytes
_PROGRAMS = ("losetup", "mkfs.exfat", "mount.exfat-fuse", "umount")
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])


@contextmanager
def exfat(folder: Path) -> Iterator[Path]:
    """Mount a new exFAT below a directory; where the kernel cannot, the test is skipped.

    exfat-fuse mounts block devices only, so that it takes root and a loop device.
    """
    for program in _PROGRAMS:
        if shutil.which(program, path=_PATH) is None:
            missing(f"there is no {program}")
    image, mounted = folder / "image", folder / "mounted"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(_SIZE)
    _run("mkfs.exfat", str(image))
    device = _run("losetup", "--show", "--find", str(image))
    try:
        _run("mount.exfat-fuse", device, str(mounted))
        try:
            yield mounted
        finally:
            _run("umount", str(mounted))
    finally:
        _run("losetup", "--detach", device)


def _run(*command: str) -> str:
    done = subprocess.run(
        command, env={"PATH": _PATH}, capture_output=True, check=False, encoding="utf-8"
    )
    if done.returncode != 0:
        pytest.skip(f"no exFAT here: {command[0]} says {done.stderr.strip()}")
    return done.stdout.strip()
