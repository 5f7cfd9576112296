"""The one folder that an update works in: beside the uv that it replaces, held by one at a time.

Everything that is only there for the length of an update lies in it: the new executables, the old
ones, and the temporary files of uv and its installer. So it is on the file system of what is
replaced, programs can be run from it, and whoever comes after one that was killed knows what is
left, and that nobody needs it any more.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import shutil
import stat
import sys
import time
from typing import TYPE_CHECKING

from uv_self_update.errors import UpdateUnderWay
from uv_self_update.installer.journal import unfinished

if TYPE_CHECKING:
    from pathlib import Path


_log = logging.getLogger(__name__)

NAME = ".uv-self-update"
_LOCK = "lock"
_PATIENCE = 900.0  # seconds to wait for another update, which may have a slow line
_GLANCE = 0.1  # seconds between two looks at the lock
_BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})
_UNKNOWN = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


class Workspace:
    """A claimed folder; whoever ends, however, gives up the claim."""

    def __init__(self, path: Path, lock: int) -> None:
        """Keep the folder and the open lock in it; see `claim`."""
        self.path = path
        self._lock: int | None = lock

    def environ(self, *, windows: bool) -> dict[str, str]:
        """Return what tells a program to put its temporary files here; on Windows, nothing does.

        Those of others may be on a file system that programs cannot be run from (uv#17191), and
        would stay where they are if everything is killed.
        """
        if windows:
            # PowerShell writes `__PSScriptPolicyTest_*.ps1` into %TEMP%, and takes what AppLocker
            # says of that for what it may do itself (`GetAppLockerPolicy` in its sources). With
            # another folder it would get another answer: fewer rights where scripts are let run in
            # %TEMP%, and more where they are let run here, which is a known way around AppLocker.
            # What a killed uv leaves is in each user's own %TEMP% then, and is run by nobody.
            return {}
        temporary = self.path / "tmp"
        temporary.mkdir(mode=0o700, exist_ok=True)
        return {"TMPDIR": str(temporary)}

    @property
    def empty(self) -> bool:
        """Whether nobody has left anything here."""
        return [entry.name for entry in self.path.iterdir()] == [_LOCK]

    def clear(self) -> None:
        """Remove everything but the lock, as far as it can be removed.

        On Windows a program that runs cannot be: it stays for the next update to remove.
        """
        with contextlib.suppress(OSError):
            for entry in list(self.path.iterdir()):
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                elif entry.name != _LOCK:
                    with contextlib.suppress(OSError):
                        entry.unlink()

    def close(self) -> None:
        """Remove the folder and give up the claim; a second call changes nothing.

        Where something is still to be finished, or undone, all of it stays for the next one.
        """
        if self._lock is None:
            return
        lock, self._lock = self._lock, None
        if unfinished(self.path):
            os.close(lock)
            return
        self.clear()
        if sys.platform == "win32":
            # What is open cannot be removed there, nor what another has open by now.
            os.close(lock)
            self._remove()
        else:
            # While it is ours: who has it open by now sees that it is not at this place any more.
            self._remove()
            os.close(lock)

    def _remove(self) -> None:
        with contextlib.suppress(OSError):
            (self.path / _LOCK).unlink()
            self.path.rmdir()


def claim(folder: Path, *, patience: float = _PATIENCE) -> Workspace:
    """Claim the workplace in a folder, for which another update is waited for.

    Args:
        folder: Where the executables are.
        patience: Seconds to wait.

    Raises:
        UpdateUnderWay: Another update did not end.
        OSError: The folder cannot be written.
    """
    path = folder / NAME
    deadline = time.monotonic() + patience
    told = False
    while (lock := _try_to_claim(path)) is None:
        if time.monotonic() > deadline:
            raise UpdateUnderWay(folder)
        if not told:
            _log.warning("another uv-self-update is at work in %s; waiting for it to end", folder)
            told = True
        time.sleep(_GLANCE)
    return Workspace(path, lock)


def _try_to_claim(path: Path) -> int | None:
    """Return the open lock; None if another has it, or has removed it at this moment."""
    file = path / _LOCK
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        try:
            _refuse_others(path)
        except FileNotFoundError:
            return None
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | _NOFOLLOW, 0o600)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.EACCES and _is_of_another(path):
            raise _in_the_way(path) from error  # root's, which was killed
        with contextlib.suppress(OSError):
            path.rmdir()  # if it is ours, there is nothing in it yet
        raise
    try:
        if _locked(lock) and _is_at(lock, file):
            return lock
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def _refuse_others(path: Path) -> None:
    """Make sure that what is there is a folder of somebody who could replace uv anyway.

    What it says was begun is going to be finished. In a folder such as /tmp everybody can make
    one, and nobody can remove that of another.

    Raises:
        FileNotFoundError: It is not there any more.
        OSError: It is something else.
    """
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    if sys.platform != "win32":
        trusted = {0, os.geteuid(), path.parent.stat().st_uid}
        if found.st_uid not in trusted:
            raise _in_the_way(path)


def _is_of_another(path: Path) -> bool:
    return sys.platform != "win32" and path.lstat().st_uid != os.geteuid()


def _in_the_way(path: Path) -> PermissionError:
    reason = f"the {NAME} in it belongs to another user, and has to be removed first"
    return PermissionError(errno.EPERM, reason, str(path))


def _is_at(lock: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), file.lstat())
    except FileNotFoundError:
        return False


def _locked(lock: int) -> bool:
    """Lock an open file for this process, and return whether no other has."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 # there only

            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 # not on Windows

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _BUSY:
            return False
        if error.errno not in _UNKNOWN:
            raise
        # Some network file systems have no locks: then two at once are not told apart.
        _log.debug("%s cannot be locked: %s", lock, error)
    return True
