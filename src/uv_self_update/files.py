"""Atomic writes of small files, and attributes of files."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOWS = os.name == "nt"

PAUSES = tuple(0.01 * 2**number for number in range(9))
"""Seconds between the attempts of `persist`: five in all. A virus scanner holds a file for less."""


def write_atomically(path: Path, content: bytes, *, temporary: str | None = None) -> None:
    """Replace a small file atomically: readers see either the old or the new content.

    The mode and the owner are kept. A symbolic link is kept, and its target replaced.

    Args:
        path: The file.
        content: The new content.
        temporary: The name of the temporary file, which remains if the process is killed; only for
            files with a single writer. None for a random name.

    Raises:
        OSError: The directory is not writable; the old file was not changed.
    """
    target = path.resolve()
    descriptor, written = _open_temporary(target, temporary)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            become_like(target, written)
        else:
            written.chmod(0o644)
        persist(lambda: _replace(written, target))
    except BaseException:
        with contextlib.suppress(OSError):
            written.unlink()
        raise


def persist(action: Callable[[], None], *, windows: bool = WINDOWS) -> None:
    """Do what Windows refuses while another program, such as a virus scanner, has a file open.

    Args:
        action: What may raise a `PermissionError`, and is repeated for some seconds then.
        windows: Whether this is Windows; elsewhere such an error lasts.

    Raises:
        OSError: As the last attempt.
    """
    for pause in PAUSES if windows else ():
        try:
            return action()
        except PermissionError:
            time.sleep(pause)
    return action()


def is_read_only(file: Path) -> bool:
    """Return whether a file has Windows' attribute, which does not let it be replaced or removed.

    Raises:
        OSError: It does not exist.
    """
    return WINDOWS and not file.stat().st_mode & stat.S_IWRITE


def remove(file: Path) -> None:
    """Remove a file, if it exists, although it may be read-only.

    Raises:
        OSError: It cannot be removed, such as a program that is running on Windows.
    """
    try:
        file.unlink(missing_ok=True)
    except PermissionError:
        if not is_read_only(file):
            raise
        file.chmod(stat.S_IWRITE)
        file.unlink(missing_ok=True)


def remove_tree(directory: Path) -> None:
    """Remove a directory, as far as possible, although files in it may be read-only."""
    shutil.rmtree(directory, ignore_errors=True)
    if WINDOWS and directory.exists():
        for file in directory.rglob("*"):
            with contextlib.suppress(OSError):
                file.chmod(stat.S_IWRITE)
        shutil.rmtree(directory, ignore_errors=True)


def _replace(written: Path, target: Path) -> None:
    """Replace a file, although it may be read-only; a failure does not change it."""
    read_only = target.exists() and is_read_only(target)
    if read_only:
        target.chmod(stat.S_IWRITE)
    try:
        written.replace(target)
    except OSError:
        if read_only:
            target.chmod(stat.S_IREAD)
        raise


def make_directories(directory: Path, *, mode: int) -> None:
    """Create a directory and its missing parents with a mode, regardless of the umask.

    Raises:
        OSError: A directory cannot be created.
    """
    for missing in reversed([one for one in (directory, *directory.parents) if not one.exists()]):
        missing.mkdir(exist_ok=True)
        missing.chmod(mode)


def content_of(path: Path) -> bytes | None:
    """Return the content of a file; None if it is missing or unreadable."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def become_like(old: Path, new: Path) -> None:
    """Copy the mode of a file to another and, as far as permitted, its owner and group.

    Raises:
        OSError: The mode cannot be set.
    """
    status = old.stat()
    if hasattr(os, "chown"):
        # Only root may change the owner; others may choose one of their groups.
        with contextlib.suppress(PermissionError):
            os.chown(new, -1, status.st_gid)
            os.chown(new, status.st_uid, -1)
    new.chmod(stat.S_IMODE(status.st_mode))


def flush(file: Path) -> None:
    """Flush a file to disk, so that its content survives a power failure.

    Through a descriptor for reading: the system runs no program that is open for writing. Windows
    requires one for writing.

    Raises:
        OSError: The file cannot be opened, or the disk is full or broken.
    """
    descriptor = os.open(file, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def begin_flush(descriptor: int, start: int, length: int) -> None:
    """Have the system begin to write a part of an open file to disk, and do not wait for it.

    What `flush` does at the end is little then: 4 ms instead of 37 ms for a uv (ext4, Linux 6).
    Linux begins to write pages that are not needed any more, and drops only those that it has
    written before (`generic_fadvise` in mm/fadvise.c).
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.posix_fadvise(descriptor, start, length, os.POSIX_FADV_DONTNEED)


def flush_folder(directory: Path) -> None:
    """Flush a directory to disk, so that renames in it survive a power failure."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _open_temporary(target: Path, temporary: str | None) -> tuple[int, Path]:
    if temporary is None:
        import tempfile  # noqa: PLC0415 # slow to import, rarely needed

        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        return descriptor, Path(name)
    written = target.with_name(temporary)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        return os.open(written, flags, 0o600), written
    except FileExistsError:
        written.unlink()
        return os.open(written, flags, 0o600), written


def strerror(error: OSError) -> str:
    """Return the message of the system for an error, or else that of Python."""
    return error.strerror or str(error)
