"""`directory`: a folder of this machine, a share, a mounted volume."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import StatusRefused, Unreadable
from uv_self_update.network.local_files import path_of_url
from uv_self_update.releases.release import utc
from uv_self_update.sources.formats.entry import Entry
from uv_self_update.sources.tree import Tree

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.sources import tree


_NOT_FOUND = 404


class DirectoryTree(Tree):
    """The folders below one folder of the file system."""

    def __init__(self, upstream: Upstream, *, path: str) -> None:
        """Keep the path.

        Args:
            upstream: What reads the files.
            path: An absolute path, one that begins with `~`, or a `file://` URL.

        Raises:
            Unreadable: There is no home to put in place of `~`.
        """
        self._upstream = upstream
        try:
            self._root = path_of_url(path) if "://" in path else Path(path).expanduser()
        except RuntimeError as error:
            raise Unreadable(path, str(error)) from error
        self.name = str(self._root)

    def entries(self, path: tree.Names) -> list[Entry]:
        """Return what a folder holds; see Tree."""
        folder = self._root.joinpath(*path)
        try:
            return [
                Entry(
                    name=found.name,
                    folder=found.is_dir(),
                    modified=utc(found.stat().st_mtime),
                )
                for found in sorted(folder.iterdir())
                # A link that leads nowhere is not there.
                if found.exists()
            ]
        except OSError as error:
            if path and isinstance(error, FileNotFoundError | NotADirectoryError):
                raise StatusRefused(str(folder), _NOT_FOUND, "(no such folder)") from error
            raise Unreadable(str(folder), error.strerror or str(error)) from error

    def open(self, path: tree.Names) -> AbstractContextManager[Download]:
        """Begin to read a file; see Tree."""
        return self._upstream.open(self._root.joinpath(*path).as_uri())
