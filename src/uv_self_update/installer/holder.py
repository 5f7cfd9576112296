"""Who has the claim on a workplace, for another user who may replace the same uv.

A lock that others could open could be held by them, too, for ever. So the claim itself is a file of
its owner's, and this is a second one, which only says whose it is: the number of the process, and
locked as long as that runs. Nothing depends on it but what others are told, and whether they wait.
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
_TRIES = 5  # to lock what another may look at in this instant
_PAUSE = 0.01  # seconds between them
_BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
_UNKNOWN = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})


def sign(path: Path) -> int | None:
    """Write down who has the claim, and return the open file that says so.

    Other users may look at it where they may replace uv as well, or where uv is theirs. Where it
    cannot be written, an update goes on without it.
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
    """Return which process of which user has a claim, as far as that can be read; or nothing."""
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
    """Return the user that a directory belongs to, as messages name one; empty on Windows."""
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
    """Return whether the user that a workplace belongs to is at work in it.

    Raises:
        FileNotFoundError: It is not there any more.
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
    """Lock an open file for this process, and return whether no other has.

    Args:
        lock: The file.
        shared: Whether to lock it only against those who want it for themselves.
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
        # Some network file systems have no locks: then two at once are not told apart.
        _log.debug("%s cannot be locked: %s", lock, error)
    return True


def _may_be_replaced_by_others(folder: Path) -> bool:
    """Return whether other users may replace what is in a directory: its owner, or its group."""
    status = folder.stat()
    written = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    own = sys.platform == "win32" or status.st_uid == os.geteuid()
    return bool(written and not status.st_mode & stat.S_ISVTX) or not own
