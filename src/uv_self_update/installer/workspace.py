"""The working directory of an update: next to the uv that it replaces, claimed by one at a time.

It contains the new executables, the old ones, and the temporary files of uv and its installer. So
they are on the file system of uv, programs can be run from there, and the update after a killed one
finds all leftovers in one directory.
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

from uv_self_update.errors import LockTimeout, NotReplaced
from uv_self_update.files import PAUSES, remove, remove_tree, strerror
from uv_self_update.installer import holder
from uv_self_update.installer.journal import unfinished

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


_log = logging.getLogger(__name__)

NAME = ".uv-self-update"
TEMPORARY = "tmp"
"""The directory for temporary files of uv and its installer, in a workspace."""

KEPT = "old"
"""The directory of the replaced executables, in a workspace."""

_LOCK = "lock"
_PATIENCE = 900.0  # seconds to wait for another update, which may have a slow connection
_POLL = 0.1  # seconds between two attempts to lock
_INSTANT = 0.5  # seconds between the creation of a workspace and of the holder's file in it
_FAREWELL = 1.0  # seconds in which a file system removes a file that was open
_RENAMED = (".fuse_hidden", ".nfs")
"""The names that FUSE and NFS give a file that was removed while it was open."""

_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


def interrupted(directory: Path) -> bool:
    """Return whether an update was killed in the workspace of a uv's directory."""
    return unfinished(directory / NAME)


def at_work(directory: Path) -> bool:
    """Return whether an update of the uv in a directory is running now."""
    with contextlib.suppress(FileNotFoundError):
        return holder.is_at_work(directory / NAME)
    return False


class Workspace:
    """A directory that this process has claimed, or was refused; the system ends a claim."""

    def __init__(
        self, path: Path, lock: int | None, sign: int | None, *, refused: OSError | None = None
    ) -> None:
        """Keep a claim, or the reason why it failed.

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
            # PowerShell writes `__PSScriptPolicyTest_*.ps1` into %TEMP%, and restricts itself if
            # AppLocker forbids that script (`GetAppLockerPolicy` in its sources). Another directory
            # would change its rights: fewer if AppLocker allows scripts in %TEMP%, more if it
            # allows them here, which is a known way around AppLocker. So the files of a killed uv
            # stay in the user's own %TEMP%, where no program runs them.
            return {}
        return {"TMPDIR": str(self.temporary)}

    @property
    def temporary(self) -> Path | None:
        """The directory for temporary files; None if the workspace could not be claimed.

        Raises:
            OSError: It cannot be created.
        """
        if self.claimed is None:
            return None
        temporary = self.path / TEMPORARY
        temporary.mkdir(mode=0o700, exist_ok=True)
        return temporary

    @property
    def empty(self) -> bool:
        """Whether an earlier update has left no files here."""
        return {entry.name for entry in self.path.iterdir()} <= {_LOCK, holder.NAME}

    def clear(self, *, only: Collection[str] | None = None) -> None:
        """Remove all files except the claim, as far as possible.

        On Windows a running program cannot be removed: the next update does that.

        Args:
            only: The names of what is removed; None for everything.
        """
        with contextlib.suppress(OSError):
            for entry in list(self.path.iterdir()):
                if only is not None and entry.name not in only:
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    remove_tree(entry)
                elif entry.name not in {_LOCK, holder.NAME}:
                    with contextlib.suppress(OSError):
                        remove(entry)

    def close(self) -> None:
        """Remove the directory and end the claim; a second call changes nothing.

        If a journal is left, all files stay for the next update.
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
            # Files cannot be removed there while this or another process has them open: uv's
            # helper, which removes uv's old file, runs in its directory for temporary files.
            self._clear_late()
            _close(held)
            self._remove()
        else:
            # During the claim: a process that has the lock open then notices that its path is gone.
            removed = self._remove()
            _close(held)
            if not removed:
                self._remove_late()

    def _clear_late(self) -> None:
        """Remove what programs that are about to end have kept open.

        An old uvx may run for hours; uv's helper ends in a moment.
        """
        for pause in PAUSES:
            if self.empty or (pause > _INSTANT and not (self.path / TEMPORARY).exists()):
                return
            time.sleep(pause)
            self.clear()

    def _remove(self) -> bool:
        with contextlib.suppress(OSError):
            for name in (holder.NAME, _LOCK):
                (self.path / name).unlink(missing_ok=True)
            self.path.rmdir()
            return True
        return False

    def _remove_late(self) -> None:
        """Remove the directory where an open file keeps it: FUSE and NFS rename what is removed.

        The file is gone some time after it was closed. Another update may have claimed the
        directory meanwhile: then it is not empty, and stays.
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

    Often there is no update, and so nothing to write.

    Raises:
        LockTimeout: Another update did not end.
    """
    try:
        return claim(directory)
    except OSError as error:
        return Workspace(directory / NAME, None, None, refused=error)


def claim(directory: Path, *, patience: float = _PATIENCE) -> Workspace:
    """Claim the workspace in a directory, after a wait if another update has claimed it.

    Args:
        directory: The directory of the executables.
        patience: Seconds to wait.

    Raises:
        LockTimeout: Another update did not end.
        OSError: The directory cannot be written.
    """
    path = directory / NAME
    begun = time.monotonic()
    told = False
    while True:
        waited = time.monotonic() - begun
        lock = _try_to_claim(path, patient=waited < _INSTANT)
        if lock is not None:
            return Workspace(path, lock, holder.sign(path))
        if waited > patience:
            raise LockTimeout(directory, holder.named(path))
        if not told and waited >= _INSTANT:
            who = holder.named(path)
            _log.warning(
                "waiting for the lock on `%s`, held by another `uv-self-update`%s",
                directory,
                f" ({who})" if who else "",
            )
            told = True
        time.sleep(_POLL)


def _try_to_claim(path: Path, *, patient: bool) -> int | None:
    """Return the open lock; None if another process has it, or has just removed it.

    Args:
        path: The workspace.
        patient: Whether another user may be about to write the holder's file.
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
                path.rmdir()  # if this process has made it, it is empty
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
    """Return whether a directory belongs to a user who could replace uv anyway.

    The steps in its journal are going to be executed. In a directory such as /tmp, every user can
    create one, and no other user can remove it.

    Raises:
        FileNotFoundError: It does not exist any more.
        OSError: It is not a directory.
    """
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return sys.platform == "win32" or (found.st_uid in {0, os.geteuid(), path.parent.stat().st_uid})


def _is_of_another(path: Path) -> bool:
    return sys.platform != "win32" and path.lstat().st_uid != os.geteuid()


def _refuse_to_wait(path: Path, *, patient: bool) -> None:
    """Refuse to wait for a workspace unless its owner is running an update in it.

    Where only its owner can remove a file, as in /tmp, no other user can replace uv, so there is no
    update to wait for.

    Raises:
        PermissionError: It was left behind, or waiting would not help.
    """
    folder = path.parent
    effective = os.access in os.supports_effective_ids
    if not os.access(folder, os.W_OK, effective_ids=effective):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
    if folder.stat().st_mode & stat.S_ISVTX or not (patient or holder.is_at_work(path)):
        reason = (
            f"the {NAME} in it belongs to another user, whose update was interrupted: "
            f"{holder.owner(path)} must run uv-self-update again, or remove {path}"
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
