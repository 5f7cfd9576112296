"""What an interrupted download has received, kept for the next run.

A file of the user's cache receives the bytes while they arrive, and at last what tells versions of
the file apart. The rest is requested with `If-Range` (RFC 9110 section 13.1.5), so a server that
has another version by now sends all of that. Digests are checked over all bytes, as of any
download. The file is removed when a server has answered, so that what is wrong with it is met once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import stat
import sys
import time
from io import BufferedRandom, FileIO
from typing import TYPE_CHECKING

from uv_self_update.errors import Interrupted
from uv_self_update.messages import human_bytes
from uv_self_update.network.ranges import Part, Version

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from uv_self_update.network.download import Transfer
    from uv_self_update.url import Url


_log = logging.getLogger(__name__)

_LEAST = 1 << 20  # bytes that are worth a request of their own
_MOST = 64 << 20  # bytes; archives of uv are smaller than 40 MiB
_AGE = 7 * 86400  # seconds for which they are kept
_HEAD = 4096  # bytes of the last line
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)


class Kept:
    """The part of one download, in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def find(self, url: Url) -> Part | None:
        """Return what is kept of a file; None without any that can be used."""
        try:
            descriptor = os.open(self._file(url), os.O_RDONLY | _NOFOLLOW | _BINARY)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as opened:
            status = os.fstat(descriptor)
            if not _is_ours(status) or time.time() - status.st_mtime > _AGE:
                return None
            content, _, head = opened.read(_MOST + _HEAD).rpartition(b"\n")
            return _parsed(content, head)

    def use(self, url: Url, part: Part | None) -> None:
        """Remove what is kept of a file, and log that a download continues with it, if it does."""
        with contextlib.suppress(OSError):
            self._file(url).unlink()
        if part is not None and part.version.size is not None:
            _log.info(
                "continuing an interrupted download: %s of %s were kept",
                human_bytes(len(part.content), digits=1),
                human_bytes(part.version.size, digits=1),
            )

    def recorded(self, url: Url, transfer: Transfer) -> Generator[bytes]:
        """Yield the bytes of a download, and keep them if it is interrupted."""
        version = transfer.version
        able = version.validator is not None and _LEAST < (version.size or 0) <= _MOST
        file = self._file(url)
        record = _Record(file.with_name(f"{file.name}.{os.getpid()}"), able=able)
        complete = changed = False
        try:
            for chunk in transfer.chunks():
                record.write(chunk)
                yield chunk
            complete = True
        except Interrupted as error:
            changed = not error.passing
            raise
        finally:
            if not (complete or changed) and _LEAST <= record.size < (version.size or 0):
                self._clear(but=record.path)
                record.keep(file, version)
            record.discard()
            if complete:
                self._clear()

    def _clear(self, *, but: Path | None = None) -> None:
        """Remove what was kept of any file but one, and the directory if it is empty."""
        with contextlib.suppress(OSError):
            for entry in self._directory.iterdir():
                if entry != but:
                    entry.unlink()
            if but is None:
                self._directory.rmdir()

    def _file(self, url: Url) -> Path:
        # Its query may be a secret.
        return self._directory / hashlib.sha256(url.wire.encode()).hexdigest()[:32]


class _Record:
    """The bytes of a download, in a file from the first MiB on; without one after an error."""

    def __init__(self, path: Path, *, able: bool) -> None:
        """Prepare; with `able` false, nothing is ever written."""
        self.path = path
        self.size = 0
        """Bytes received, as long as they are recorded."""

        self._able = able
        self._pieces: list[bytes] = []
        self._opened: BufferedRandom | None = None

    def write(self, piece: bytes) -> None:
        """Record the next bytes."""
        if not self._able:
            return
        self.size += len(piece)
        try:
            if self._opened is not None:
                self._opened.write(piece)
                return
            self._pieces.append(piece)
            if self.size >= _LEAST:
                self._open()
        except OSError as error:
            self._give_up(error)

    def keep(self, file: Path, version: Version) -> None:
        """Move the bytes to a file of the next run, followed by a line that describes them."""
        if self._opened is None:
            return
        try:
            self._opened.seek(0)
            head = {
                "etag": version.etag,
                "modified": version.modified,
                "size": version.size,
                "sha256": hashlib.file_digest(self._opened, "sha256").hexdigest(),
            }
            self._opened.write(b"\n" + json.dumps(head).encode())
            self._opened.close()
            self.path.replace(file)
        except OSError as error:
            self._give_up(error)
            return
        _log.info(
            "kept %s of %s: the next update continues the download",
            human_bytes(self.size, digits=1),
            human_bytes(version.size or 0, digits=1),
        )

    def discard(self) -> None:
        """Remove the file, unless it was kept."""
        self._able, self.size, self._pieces = False, 0, []
        if self._opened is not None:
            with contextlib.suppress(OSError):
                self._opened.close()
            with contextlib.suppress(OSError):
                self.path.unlink()
            self._opened = None

    def _open(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY
        descriptor = os.open(self.path, flags, 0o600)
        self._opened = BufferedRandom(FileIO(descriptor, "r+"), _LEAST)
        self._opened.writelines(self._pieces)
        self._pieces.clear()

    def _give_up(self, error: OSError) -> None:
        _log.debug("nothing of the download was kept: %s", error)
        self.discard()


def _parsed(content: bytes, head: bytes) -> Part | None:
    """Return the part in a file; None if it is not as it was written."""
    try:
        found = json.loads(head)
        etag, modified, size = found["etag"], found["modified"], found["size"]
        if found["sha256"] != hashlib.sha256(content).hexdigest():
            return None
    except (ValueError, LookupError, TypeError):
        return None
    if not isinstance(size, int) or not 0 < len(content) < size:
        return None
    return Part(version=Version(etag=etag, modified=modified, size=size), content=content)


def _is_ours(status: os.stat_result) -> bool:
    """Return whether a file is a regular one that no other user has written."""
    own = sys.platform == "win32" or (
        status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
    return own and stat.S_ISREG(status.st_mode)
