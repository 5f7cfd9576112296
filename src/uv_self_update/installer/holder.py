"""The process that has claimed a workspace, for other users who may replace the same uv.

Other users could hold a lock that they can open for ever. So only its owner can open the lock of a
claim; this is a second file, with the number of the process, locked as long as that runs. Messages
to other users, and whether they wait, depend on it, and nothing else.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


_log = logging.getLogger(__name__)

NAME = "holder"
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_TRIES = 5  # to lock a file that another process may test in this instant
_PAUSE = 0.01  # seconds between them
_BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
_UNKNOWN = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


def sign(path: Path) -> int | None:
    """Write the number of this process, and return the open file; None if it cannot be written.

    Other users can read it if they may replace uv as well, or if uv is theirs.
    """
    with contextlib.suppress(OSError):
        file = os.open(path / NAME, os.O_RDWR | os.O_CREAT | os.O_TRUNC | _NOFOLLOW, 0o600)
        try:
            os.write(file, f"{os.getpid()}\n".encode())
            if sys.platform != "win32":
                tries = iter(range(_TRIES))
                while not locked(file) and next(tries, None) is not None:
                    time.sleep(_PAUSE)
                if _may_be_replaced_by_others(path.parent):
                    os.fchmod(file, 0o644)
                    path.chmod(0o711)
        except OSError:
            os.close(file)
            raise
        return file
    return None


def named(path: Path) -> str:
    """Return the process and user that have a claim, as messages name them; empty if unknown."""
    said = ""
    with contextlib.suppress(OSError, ValueError):
        file = os.open(path / NAME, os.O_RDONLY | _NOFOLLOW | _NONBLOCK)
        try:
            said = f"process {int(os.read(file, 20))}"
        finally:
            os.close(file)
    with contextlib.suppress(OSError):
        said = " of ".join(filter(None, (said, owner(path))))
    return said


def owner(path: Path) -> str:
    """Return the owner of a directory, as messages name one; empty on Windows."""
    name = ""
    if sys.platform != "win32":
        import pwd  # noqa: PLC0415 # not on Windows

        number = path.lstat().st_uid
        try:
            name = f"user {pwd.getpwuid(number).pw_name}"
        except KeyError:
            name = f"user number {number}"
    return name


def is_at_work(path: Path) -> bool:
    """Return whether the owner of a workspace is running an update in it.

    Raises:
        FileNotFoundError: It does not exist any more.
    """
    try:
        file = os.open(path / NAME, os.O_RDONLY | _NOFOLLOW | _NONBLOCK)
    except OSError:
        return False
    try:
        status = os.fstat(file)
        own = status.st_uid == path.lstat().st_uid and stat.S_ISREG(status.st_mode)
        return own and not locked(file, shared=True)
    finally:
        os.close(file)


def locked(lock: int, *, shared: bool = False) -> bool:
    """Lock an open file, and return whether that succeeded: False if another process has it.

    Args:
        lock: The file.
        shared: Whether to take a shared lock rather than an exclusive one.
    """
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 # there only

            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 # not on Windows

            fcntl.flock(lock, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno not in _UNKNOWN:
            raise
        # Some network file systems have no locks: then two updates at once are not noticed.
        _log.debug("%s cannot be locked: %s", lock, error)
    return True


def _may_be_replaced_by_others(folder: Path) -> bool:
    """Return whether other users, by owner or group, may replace files in a directory."""
    status = folder.stat()
    written = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    own = sys.platform == "win32" or status.st_uid == os.geteuid()
    return bool(written and not status.st_mode & stat.S_ISVTX) or not own
