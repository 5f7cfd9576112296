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

from uv_self_update.errors import NotReplaced, UpdateUnderWay
from uv_self_update.files import strerror
from uv_self_update.installer import holder
from uv_self_update.installer.journal import unfinished

if TYPE_CHECKING:
    from pathlib import Path


_log = logging.getLogger(__name__)

NAME = ".uv-self-update"
TEMPORARY = "tmp"
"""Where uv and its installer have their temporary files, in a workplace."""

_LOCK = "lock"
_PATIENCE = 900.0  # seconds to wait for another update, which may have a slow line
_GLANCE = 0.1  # seconds between two looks at the lock
_INSTANT = 0.5  # seconds between a new workplace and the name of who is at work in it
_FAREWELL = 1.0  # seconds in which a file system removes what was open
_RENAMED = (".fuse_hidden", ".nfs")
"""What FUSE and NFS call a file that was removed while it was open."""

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


class Workspace:
    """A directory that this process has claimed, or was refused; the system ends a claim."""

    def __init__(
        self, path: Path, lock: int | None, sign: int | None, *, refused: OSError | None = None
    ) -> None:
        """Keep a claim, or why there is none.

        Args:
            path: The directory.
            lock: The open lock in it.
            sign: The open file that names this process.
            refused: Why the directory could not be claimed.
        """
        self._path = path
        self._lock = lock
        self._sign = sign
        self._refused = refused

    @property
    def path(self) -> Path:
        """The directory.

        Raises:
            NotReplaced: It could not be claimed.
        """
        if self._refused is not None:
            raise NotReplaced(self._path.parent, strerror(self._refused)) from self._refused
        return self._path

    @property
    def claimed(self) -> Path | None:
        """The directory; None if it could not be claimed."""
        return None if self._refused is not None else self._path

    def environ(self, *, windows: bool) -> dict[str, str]:
        """Return the variables that name the directory for temporary files; none on Windows.

        The system's may be on a file system that programs cannot be run from (uv#17191), and files
        there would stay if everything is killed.

        Raises:
            OSError: The directory cannot be created.
        """
        if windows or self.claimed is None:
            # PowerShell writes `__PSScriptPolicyTest_*.ps1` into %TEMP%, and takes what AppLocker
            # says of that for what it may do itself (`GetAppLockerPolicy` in its sources). With
            # another folder it would get another answer: fewer rights where scripts are let run in
            # %TEMP%, and more where they are let run here, which is a known way around AppLocker.
            # What a killed uv leaves is in each user's own %TEMP% then, and is run by nobody.
            return {}
        temporary = self.path / TEMPORARY
        temporary.mkdir(mode=0o700, exist_ok=True)
        return {"TMPDIR": str(temporary)}

    @property
    def empty(self) -> bool:
        """Whether nobody has left anything here."""
        return {entry.name for entry in self.path.iterdir()} <= {_LOCK, holder.NAME}

    def clear(self) -> None:
        """Remove everything but the claim, as far as it can be removed.

        On Windows a program that runs cannot be: it stays for the next update to remove.
        """
        with contextlib.suppress(OSError):
            for entry in list(self.path.iterdir()):
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                elif entry.name not in {_LOCK, holder.NAME}:
                    with contextlib.suppress(OSError):
                        entry.unlink()

    def close(self) -> None:
        """Remove the folder and give up the claim; a second call changes nothing.

        Where something is still to be finished, or undone, all of it stays for the next one.
        """
        if self._lock is None:
            return
        held = tuple(file for file in (self._sign, self._lock) if file is not None)
        self._lock = self._sign = None
        if unfinished(self.path):
            _close(held)
            return
        self.clear()
        if sys.platform == "win32":
            # What is open cannot be removed there, nor what another has open by now.
            _close(held)
            self._remove()
        else:
            # While it is ours: who has it open by now sees that it is not at this place any more.
            removed = self._remove()
            _close(held)
            if not removed:
                self._remove_late()

    def _remove(self) -> bool:
        with contextlib.suppress(OSError):
            for name in (holder.NAME, _LOCK):
                (self.path / name).unlink(missing_ok=True)
            self.path.rmdir()
            return True
        return False

    def _remove_late(self) -> None:
        """Remove the directory where an open file keeps it: FUSE and NFS rename what is removed.

        It is gone when it has been closed, which FUSE is told some time later. Another update may
        have claimed the directory meanwhile: then it is not empty, and stays.
        """
        deadline = time.monotonic() + _FAREWELL
        with contextlib.suppress(OSError):
            while any(entry.name.startswith(_RENAMED) for entry in self.path.iterdir()):
                if time.monotonic() > deadline:
                    return
                time.sleep(_FAREWELL / 100)
            self.path.rmdir()


def claim_if_writable(directory: Path) -> Workspace:
    """Claim the workspace of a directory; if that is refused, raise why when its path is needed.

    Often nothing is to be updated, and so nothing to be written.

    Raises:
        UpdateUnderWay: Another update did not end.
    """
    try:
        return claim(directory)
    except OSError as error:
        return Workspace(directory / NAME, None, None, refused=error)


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
    begun = time.monotonic()
    told = False
    while True:
        waited = time.monotonic() - begun
        lock = _try_to_claim(path, patient=waited < _INSTANT)
        if lock is not None:
            return Workspace(path, lock, holder.sign(path))
        if waited > patience:
            raise UpdateUnderWay(folder, holder.named(path))
        if not told and waited >= _INSTANT:
            who = holder.named(path)
            _log.warning(
                "another uv-self-update%s is at work in %s; waiting for it to end",
                f" ({who})" if who else "",
                folder,
            )
            told = True
        time.sleep(_GLANCE)


def _try_to_claim(path: Path, *, patient: bool) -> int | None:
    """Return the open lock; None if another has it, or has removed it at this moment.

    Args:
        path: The workplace.
        patient: Whether another user may be about to say that they are at work in it.
    """
    file = path / _LOCK
    try:
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            if not _is_trusted(path):
                _refuse_to_wait(path, patient=patient)
                return None
        try:
            lock = os.open(file, os.O_RDWR | os.O_CREAT | _NOFOLLOW, 0o600)
        except OSError as error:
            if error.errno == errno.EACCES and _is_of_another(path):
                _refuse_to_wait(path, patient=patient)
                return None
            with contextlib.suppress(OSError):
                path.rmdir()  # if it is ours, there is nothing in it yet
            raise
    except FileNotFoundError:
        if not path.parent.exists():
            raise
        return None
    try:
        if holder.locked(lock) and _is_at(lock, file):
            return lock
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return None


def _is_trusted(path: Path) -> bool:
    """Return whether what is there is a directory of a user who could replace uv anyway.

    What it says was begun is going to be finished. In a directory such as /tmp everybody can make
    one, and nobody can remove that of another.

    Raises:
        FileNotFoundError: It is not there any more.
        OSError: It is something else.
    """
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return sys.platform == "win32" or (found.st_uid in {0, os.geteuid(), path.parent.stat().st_uid})


def _is_of_another(path: Path) -> bool:
    return sys.platform != "win32" and path.lstat().st_uid != os.geteuid()


def _refuse_to_wait(path: Path, *, patient: bool) -> None:
    """Make sure that the user that a workplace belongs to is at work in it, and may be waited for.

    Where files are only their owner's to remove, as in /tmp, nobody else can replace uv: whoever
    has made a workplace there is not waited for.

    Raises:
        PermissionError: It was left behind, nobody can tell, or waiting would not help.
    """
    folder = path.parent
    effective = os.access in os.supports_effective_ids
    if not os.access(folder, os.W_OK, effective_ids=effective):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    if folder.stat().st_mode & stat.S_ISVTX or not (patient or holder.is_at_work(path)):
        reason = (
            f"the {NAME} in it belongs to another user, and its update is not finished: "
            f"{holder.owner(path)} has to run uv-self-update again, or to remove {path}"
        )
        raise PermissionError(errno.EPERM, reason, str(path))


def _close(files: tuple[int, ...]) -> None:
    for file in files:
        os.close(file)


def _is_at(lock: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock), file.lstat())
    except FileNotFoundError:
        return False
