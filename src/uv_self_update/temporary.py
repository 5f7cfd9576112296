"""Private temporary directories; those of killed runs are removed by a later run.

A process holds a lock on a file in each of its own. The system ends a lock with the process, so a
directory whose lock can be taken was left by a process that was killed. Nothing else is proof: the
number of a process is used again, and there is no time after which a run must have ended.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if sys.platform != "win32":
    import fcntl

    _MACHINE = os.fsencode(os.uname().nodename)
    _DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = "uv-self-update-"
_LOCK = "lock"
_SEEN = 10_000  # entries of the system's directory; 0.7 us each
_NAME = 256  # bytes of a machine's name


@contextmanager
def private_directory(parent: Path | None = None) -> Iterator[Path]:
    """Create a directory that only this user can read, and remove it on exit.

    Args:
        parent: Where to create it; None for where the system puts what is temporary.

    Raises:
        OSError: It cannot be created.
    """
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=parent) as made:
        place = Path(made)
        lock = _locked(place)
        try:
            yield place
        finally:
            if sys.platform != "win32" and lock is not None:
                with suppress(OSError), _opened(place, _DIRECTORY) as directory:
                    _empty(directory)
                os.close(lock)


def remove_abandoned() -> None:
    """Remove the directories that killed processes of this user have left, as far as possible.

    In a directory with very many entries, only the first are looked at. On Windows there are no
    such locks, and nothing is removed.
    """
    with suppress(OSError), os.scandir(tempfile.gettempdir()) as entries:
        for entry in islice(entries, _SEEN):
            if entry.name.startswith(_PREFIX):
                with suppress(OSError):
                    _remove_if_abandoned(entry.path)


def _locked(place: Path) -> int | None:
    """Return the open lock; None where the file system, or Windows, has no locks.

    It gets its name last: without it, a directory is not removed.
    """
    if sys.platform != "win32":
        unnamed = place / f".{_LOCK}"
        lock = os.open(unnamed, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(lock, _MACHINE)
            unnamed.rename(place / _LOCK)
        except OSError:
            os.close(lock)
        else:
            return lock
    return None


def _remove_if_abandoned(path: str) -> None:
    """Remove a directory whose owner was killed.

    Raises:
        OSError: It has an owner, belongs to another user, or was not made by this package.
    """
    if sys.platform != "win32":
        with _opened(path, _DIRECTORY) as directory:
            status = os.fstat(directory)
            if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) != stat.S_IRWXU:
                return
            flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK
            with _opened(_LOCK, flags, within=directory) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Machines may share the directory, and not the locks in it.
                if os.read(lock, _NAME) != _MACHINE:
                    return
                _empty(directory)
        os.rmdir(path)  # noqa: PTH106 # what has another name by now is not empty


def _empty(directory: int) -> None:
    """Remove all files of an open directory, the lock last: until then, a later run can go on."""
    for name in os.listdir(directory):
        if stat.S_ISDIR(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode):
            shutil.rmtree(name, dir_fd=directory)
        elif name != _LOCK:
            os.unlink(name, dir_fd=directory)
    os.unlink(_LOCK, dir_fd=directory)


@contextmanager
def _opened(path: str | Path, flags: int, *, within: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, flags, dir_fd=within)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
