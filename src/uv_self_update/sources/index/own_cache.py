"""A cache of uv for one update, in a directory that is removed with it.

uv unpacks wheels into its cache, so that of the user would neither be limited nor left as it was.
What is not a wheel is taken from there: the pages of indexes, which uv asks the index to confirm,
and what uv knows about this Python. uv takes 50 to 70 ms to find that out (0.5.0 to 0.13.9).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uv_self_update.uv.settings import UvSettings


_PAGES = "simple-v*"
_INTERPRETERS = "interpreter-v*"
"""The directories of uv's cache; the number changes with their format."""

_DEFAULTS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")
_OTHER_KEYS = {"extra-index-url", "index-url"}

_LOOKED_AT = 100
"""Files about a Python to look at: uv has one for each environment."""

_AHEAD = 24 * 3600
"""Seconds; `--refresh-package` makes uv ignore what it found out before, by the file's time."""


class OwnCache:
    """A cache, and a directory for temporary files, below one directory that only uv writes to.

    Args:
        directory: The directory; it exists.
        users: The cache of the user's uv; None without one.
        pages: Whether to take the pages of indexes from there.
    """

    def __init__(self, directory: Path, users: Path | None, *, pages: bool) -> None:
        self.directory = directory
        self.path = directory / "cache"
        self.temporary = directory / "tmp"
        self._users = users
        self._pages = pages

    def create(self) -> None:
        """Create the directories.

        Raises:
            OSError: They cannot be written.
        """
        self.temporary.mkdir()
        self.path.mkdir()
        if self._users is None:
            return
        with contextlib.suppress(OSError):
            for pages in self._users.glob(_PAGES) if self._pages else ():
                # Windows does not let every user create links.
                (self.path / pages.name).symlink_to(pages, target_is_directory=True)
        later = time.time() + _AHEAD
        for file in _about_python(self._users):
            copy = self.path / file.relative_to(self._users)
            if _copied(file, copy):
                os.utime(copy, (later, later))

    def keep(self) -> None:
        """Add what uv has found out about this Python to the user's cache, as uv does itself."""
        if self._users is None or not self._users.is_dir():
            return
        for file in _about_python(self.path):
            place = self._users / file.relative_to(self.path)
            part = place.with_name(f".{place.name}.{os.getpid()}")
            if not place.exists() and _copied(file, part):
                part.replace(place)

    def remove(self) -> None:
        """Remove the directories, as far as possible."""
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


def has_one_index(settings: UvSettings) -> bool:
    """Return whether uv surely reads one index only.

    Of several, one that lacks uv by now would still be in the cache, and count without a request.
    """
    environ, table = settings.environ, settings.table
    if table.keys() & _OTHER_KEYS or isinstance(table.get("pip"), dict):
        return False
    default = {url for name in _DEFAULTS if (url := environ.get(name))}
    urls = {*default, *environ.get("UV_INDEX", "").split()}
    if environ.get("UV_EXTRA_INDEX_URL"):
        return False
    match table.get("index"):
        case None:
            pass
        case [{"url": str(url), "default": True}]:
            default = {url}
            urls.add(url)
        case _:
            return False
    return urls == default and len(urls) <= 1


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
