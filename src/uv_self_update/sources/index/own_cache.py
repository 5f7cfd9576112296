"""A cache of uv for one update, in a directory that is removed with it.

uv unpacks wheels into its cache, whose size could not be limited in that of the user.
Only what uv knows about this Python is taken from there: uv takes 45 to 65 ms of processor time to
find that out (0.5.0 to 0.13.9), and does so again with `--refresh-package`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uv_self_update.uv.settings import UvSettings


_INTERPRETERS = "interpreter-v*"
"""The directories of uv's cache about Pythons; the number changes with their format."""

_LOOKED_AT = 100
"""Files about a Python to look at: uv has one for each environment."""


class OwnCache:
    """A cache, a target and temporary files, below one directory that only uv writes to.

    Args:
        directory: The directory; it exists.
        users: The cache of the user's uv; None without one.
    """

    def __init__(self, directory: Path, users: Path | None) -> None:
        self.directory = directory
        self.target = directory / "wheel"
        self.path = directory / "cache"
        self.temporary = directory / "tmp"
        self._users = users

    def create(self) -> None:
        """Create the directories.

        Raises:
            OSError: They cannot be written.
        """
        self.temporary.mkdir()
        self.path.mkdir()
        if self._users is not None:
            for file in _about_python(self._users):
                _copied(file, self.path / file.relative_to(self._users))

    def keep(self) -> None:
        """Add what uv has detected of this Python to the user's cache, as uv does itself."""
        if self._users is None:
            return
        for file in _about_python(self.path):
            place = self._users / file.relative_to(self.path)
            part = place.with_name(f".{place.name}.{os.getpid()}")
            with contextlib.suppress(OSError):
                if not place.exists() and _copied(file, part):
                    part.replace(place)

    def discard(self) -> None:
        """Remove everything, as far as possible."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def remove(self) -> None:
        """Remove everything but the target, as far as possible."""
        for path in (self.path, self.temporary):
            shutil.rmtree(path, ignore_errors=True)


def users_cache(settings: UvSettings) -> Path | None:
    """Return the cache of the user's uv; None without one.

    https://docs.astral.sh/uv/reference/storage/#cache-directory
    """
    environ, table = settings.environ, settings.table
    if table.get("no-cache") is True or environ.get("UV_NO_CACHE"):
        return None
    named = environ.get("UV_CACHE_DIR") or table.get("cache-dir")
    if isinstance(named, str):
        return Path(named)
    if os.name == "nt":
        base = environ.get("LOCALAPPDATA")
        return Path(base, "uv", "cache") if base else None
    base, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME")
    if os.path.isabs(base):  # noqa: PTH117 # uv ignores a relative one
        return Path(base, "uv")
    return Path(home, ".cache", "uv") if home else None


def _about_python(cache: Path) -> list[Path]:
    """Return the newest files of a cache about the Python that runs this."""
    name = os.fsencode(sys.executable)
    with contextlib.suppress(OSError):
        files = [path for found in cache.glob(_INTERPRETERS) for path in found.rglob("*.msgpack")]
        newest = sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)[:_LOOKED_AT]
        return [path for path in newest if name in path.read_bytes()]
    return []


def _copied(file: Path, copy: Path) -> bool:
    """Copy a file, and return whether that was possible."""
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    except OSError:
        return False
    return True
