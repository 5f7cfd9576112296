"""Digests of files, each of which is read once: a home contains a uv of 30 MB, or of 60."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os
    from pathlib import Path

_known: dict[tuple[int, ...], str] = {}
_TICK = 100_000_000  # nanoseconds: more than the steps of a file system's clock


def digest(path: Path) -> str:
    """Return the SHA-256 of a file; of one that has not changed since, what was found before."""
    key = _key(path.stat())
    found = _known.get(key)
    if found is None:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        _keep(key, path, found)
    return found


def copied(source: Path, copy: Path) -> None:
    """Remember that a copy, with the times of its source, has the content of the source."""
    _keep(_key(copy.stat()), copy, digest(source))


def _keep(key: tuple[int, ...], path: Path, found: str) -> None:
    """Keep a digest, unless a file was written to so lately that its times may not show a change.

    Git has the same rule for its index (Documentation/technical/racy-git).
    """
    stat = path.stat()
    if _key(stat) == key and time.time_ns() - stat.st_mtime_ns > _TICK:
        _known[key] = found


def _key(stat: os.stat_result) -> tuple[int, ...]:
    return stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
