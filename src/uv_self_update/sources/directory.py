"""`directory`: a local directory, a network share, a mounted volume."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import StatusRefused, Unreadable
from uv_self_update.files import strerror
from uv_self_update.network.local_files import path_of_url
from uv_self_update.releases.release import utc
from uv_self_update.sources.formats.entry import Entry
from uv_self_update.sources.index.wheels import TreeOrWheels
from uv_self_update.sources.tree import Tree
from uv_self_update.url import Url

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.sources import tree
    from uv_self_update.sources.context import Context


def create(settings: SourceSettings, context: Context) -> TreeOrWheels:
    """Create the source of a `[[source]]`; see context."""
    assert settings.path is not None, "the configuration was validated"  # noqa: S101 # for the type checker
    tree = DirectoryTree(context.upstream(settings), path=settings.path)
    return TreeOrWheels(tree, context)


class DirectoryTree(Tree):
    """The directories below one directory of the file system.

    Args:
        upstream: The client that reads the files.
        path: An absolute path, one that begins with `~`, or a `file://` URL.

    Raises:
        Unreadable: The home directory for `~` is unknown.
    """

    def __init__(self, upstream: Upstream, *, path: str) -> None:
        self._upstream = upstream
        try:
            self._root = path_of_url(path) if "://" in path else Path(path).expanduser()
        except RuntimeError as error:
            raise Unreadable(path, str(error)) from error
        self.name = str(self._root)

    def entries(self, path: tree.Names) -> list[Entry]:
        directory = self._root.joinpath(*path)
        try:
            return [
                _entry(found)
                for found in sorted(directory.iterdir())
                if found.exists()  # not a dangling link
            ]
        except OSError as error:
            if path and isinstance(error, FileNotFoundError | NotADirectoryError):
                words = "(no such directory)"
                raise StatusRefused(str(directory), HTTPStatus.NOT_FOUND, words) from error
            raise Unreadable(str(directory), strerror(error)) from error

    def url(self, path: tree.Names) -> Url:
        return Url.parse(f"{self._root.joinpath(*path).absolute().as_uri()}/")

    def open(self, path: tree.Names) -> AbstractContextManager[Download]:
        return self._upstream.open(self._root.joinpath(*path).as_uri())

    def tail(self, path: tree.Names, length: int) -> None:
        """Return nothing: all of a file is as near as its end."""


def _entry(path: Path) -> Entry:
    is_directory, status = path.is_dir(), path.stat()
    return Entry(
        name=path.name,
        is_directory=is_directory,
        modified=utc(status.st_mtime),
        size=None if is_directory else status.st_size,
    )
