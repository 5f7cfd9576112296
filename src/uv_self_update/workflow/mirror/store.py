"""The directory of a mirror: every file in it appears and changes as a whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from uv_self_update.errors import MirrorBusy, MirrorUnusable
from uv_self_update.files import content_of, make_directories, strerror
from uv_self_update.installer.holder import locked
from uv_self_update.values import frozen
from uv_self_update.workflow.mirror import record
from uv_self_update.workflow.mirror.layout import DOWNLOADS, LINKED
from uv_self_update.workflow.mirror.record import File, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_MODE, _DIRECTORY = 0o644, 0o755
"""For a web server, which is another user."""


@frozen
class Store:
    """A mirror on disk. Unfinished files are in `.mirror`, on the same file system."""

    root: Path

    @property
    def own(self) -> Path:
        """The directory of the record, the lock and unfinished files."""
        return self.root / ".mirror"

    @property
    def parts(self) -> Path:
        """Files that are being written."""
        return self.own / "parts"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out, and remove what a killed one has left.

        Raises:
            MirrorBusy: Another run is at work.
            MirrorUnusable: The directory cannot be written.
        """
        try:
            make_directories(self.parts, mode=_DIRECTORY)
            descriptor = os.open(self.own / "lock", os.O_RDWR | os.O_CREAT, _MODE)
        except OSError as error:
            raise MirrorUnusable(self.root, strerror(error)) from error
        try:
            if not locked(descriptor):
                raise MirrorBusy(self.root)
            self._clean()
            yield
        except OSError as error:
            raise MirrorUnusable(self.root, strerror(error)) from error
        finally:
            os.close(descriptor)

    def record(self) -> Record:
        """Read what the mirror holds; raises MirrorUnusable."""
        return record.read(self.own / "record.json")

    def remember(self, known: Record) -> None:
        """Write what the mirror holds, unless that is written already."""
        self.write(".mirror/record.json", known.encode())

    def waiting(self, version: str, name: str) -> Path:
        """Return the place of a verified file whose release is not complete yet."""
        directory = self.own / "new" / version
        directory.mkdir(parents=True, exist_ok=True)
        return directory / name

    def put(self, file: Path, path: str) -> None:
        """Put a finished file at a path, and keep it where it is: both are the same file."""
        target = self.root / path
        part = self.parts / "link"
        part.unlink(missing_ok=True)
        try:
            part.hardlink_to(file)
        except OSError:  # a file system without links
            shutil.copyfile(file, part)
        self._publish(part, target)

    def write(self, path: str, content: bytes) -> bool:
        """Write a document, and return whether that changed it."""
        target = self.root / path
        if content_of(target) == content:
            return False
        part = self.parts / "document"
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        self._publish(part, target)
        return True

    def has(self, path: str, file: File) -> bool:
        """Return whether a path has a file of the right size."""
        try:
            return (self.root / path).stat().st_size == file.size
        except OSError:
            return False

    def remove(self, version: str, wheels: Iterable[str]) -> None:
        """Remove a release that no list names any more; its directories vanish as a whole."""
        for name in (DOWNLOADS, LINKED):
            gone = self.own / "gone"
            with contextlib.suppress(FileNotFoundError):
                (self.root / name / version).rename(gone)
                shutil.rmtree(gone)
        for path in wheels:
            (self.root / path).unlink(missing_ok=True)
        (self.root / f"api/v3/repos/astral-sh/uv/releases/tags/{version}").unlink(missing_ok=True)

    def release_done(self, version: str) -> None:
        """Remove the other names of files that are in their places."""
        shutil.rmtree(self.own / "new" / version, ignore_errors=True)

    def forget_waiting(self, wanted: Iterable[str]) -> None:
        """Remove the files that wait for other versions, which a killed run has left."""
        waiting = self.own / "new"
        kept = {*wanted}
        for left in [*waiting.iterdir()] if waiting.is_dir() else ():
            if left.name not in kept:
                shutil.rmtree(left, ignore_errors=True)

    @staticmethod
    def _publish(part: Path, target: Path) -> None:
        part.chmod(_MODE)
        make_directories(target.parent, mode=_DIRECTORY)
        part.replace(target)

    def _clean(self) -> None:
        for part in self.parts.iterdir():
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()
        shutil.rmtree(self.own / "gone", ignore_errors=True)


def measured(path: Path) -> File | None:
    """Return the digest and the size of a file; None if it is missing or cannot be read."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return File(sha256=digest.hexdigest(), size=file.tell())
    except OSError:
        return None
