"""What an interrupted download has received, kept for the next run.

A file of the user's cache holds the bytes, and what tells versions of the file apart: the rest is
requested with `If-Range` (RFC 9110 section 13.1.5), so a server that has another version by now
sends all of that. Digests are checked over all bytes, as of any download. The file is removed when
a server has answered, so that what is wrong with it is met once.
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
from typing import TYPE_CHECKING

from uv_self_update.errors import Interrupted
from uv_self_update.messages import human_bytes
from uv_self_update.network.ranges import Part, Version

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from uv_self_update.network.download import Transfer
    from uv_self_update.network.url import Url


_log = logging.getLogger(__name__)

_LEAST = 1 << 20  # bytes that are worth a request of their own
_MOST = 64 << 20  # bytes; archives of uv are smaller than 40 MiB
_AGE = 7 * 86400  # seconds for which they are kept
_HEAD = 4096  # bytes of the first line
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
            return _parsed(opened.readline(_HEAD), opened.read(_MOST + 1))

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
        pieces: list[bytes] = []
        able = _LEAST < (transfer.version.size or 0) <= _MOST
        complete = changed = False
        try:
            for chunk in transfer.chunks():
                if able:
                    pieces.append(chunk)
                yield chunk
            complete = True
        except Interrupted as error:
            changed = not error.passing
            raise
        finally:
            if complete:
                self._clear()
            elif not changed:
                self._put(url, transfer.version, pieces)

    def _put(self, url: Url, version: Version, pieces: list[bytes]) -> None:
        received = sum(map(len, pieces))
        if version.validator is None or version.size is None:
            return
        if not _LEAST <= received < version.size:
            return
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        head = {
            "etag": version.etag,
            "modified": version.modified,
            "size": version.size,
            "sha256": digest.hexdigest(),
        }
        file = self._file(url)
        part = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._clear()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _BINARY
            with os.fdopen(os.open(part, flags, 0o600), "wb") as opened:
                opened.write(json.dumps(head).encode() + b"\n")
                opened.writelines(pieces)
            part.replace(file)
        except OSError as error:
            _log.debug("nothing of the download was kept: %s", error)
            with contextlib.suppress(OSError):
                part.unlink()
            return
        _log.info(
            "kept %s of %s: the next update continues the download",
            human_bytes(received, digits=1),
            human_bytes(version.size, digits=1),
        )

    def _clear(self) -> None:
        """Remove what was kept of any file: one is enough."""
        with contextlib.suppress(OSError):
            for entry in self._directory.iterdir():
                entry.unlink()

    def _file(self, url: Url) -> Path:
        # Its query may be a secret.
        return self._directory / hashlib.sha256(url.wire.encode()).hexdigest()[:32]


def _parsed(head: bytes, content: bytes) -> Part | None:
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
