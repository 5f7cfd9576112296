"""Writing a small file as a whole or not at all; being like the file that is replaced."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path


def write_atomically(path: Path, content: bytes, *, temporary: str | None = None) -> None:
    """Replace a small file as a whole: whoever reads it sees the old or the new one.

    Its mode and owner are kept, and so is a symbolic link that it may be.

    Args:
        path: The file.
        content: What will be in it.
        temporary: The name of the file that is written first and left behind by who is killed
            meanwhile; only for files that one at a time writes. None for a name of its own.

    Raises:
        OSError: The folder cannot be written; the old file is as it was.
    """
    target = path.resolve()
    descriptor, written = _open_beside(target, temporary)
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


def content_of(path: Path) -> bytes | None:
    """Return what is in a file; None if there is none, or none that may be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def become_like(old: Path, new: Path) -> None:
    """Give a file the mode and, as far as the system lets us, the owner of another.

    Raises:
        OSError: The mode cannot be set.
    """
    status = old.stat()
    if hasattr(os, "chown"):
        # Only root may give a file away; its group may be any that we are in.
        with contextlib.suppress(PermissionError):
            os.chown(new, -1, status.st_gid)
            os.chown(new, status.st_uid, -1)
    new.chmod(stat.S_IMODE(status.st_mode))


def flush_folder(folder: Path) -> None:
    """Make sure that what was renamed in a folder stays so when the power fails."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _open_beside(target: Path, temporary: str | None) -> tuple[int, Path]:
    if temporary is None:
        import tempfile  # noqa: PLC0415 # slow, and most runs write nothing

        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        return descriptor, Path(name)
    written = target.with_name(temporary)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        return os.open(written, flags, 0o600), written
    except FileExistsError:
        written.unlink()
        return os.open(written, flags, 0o600), written
