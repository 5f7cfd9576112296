"""Atomic writes of small files, and attributes of files."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from pathlib import Path


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
        written.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            written.unlink()
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
