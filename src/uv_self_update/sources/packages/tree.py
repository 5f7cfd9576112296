"""`listing`, `s3` and `directory`: wheels and source archives in directories.

A release is a directory that contains some: the base itself, or any directory below it, to a depth
of `_DEEPEST`. Its tag is its path below the base, which is empty for the base. So one flat
directory works as well as a directory for each version, or for each project.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uv_self_update.errors import StatusRefused, TooLarge, UnexpectedBody
from uv_self_update.releases.distribution import Distribution, parse_filename
from uv_self_update.sources.context import url_of
from uv_self_update.sources.directory import DirectoryTree
from uv_self_update.sources.listing import ListingTree
from uv_self_update.sources.packages.interface import PackageRepository, path_of
from uv_self_update.sources.s3 import BucketTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.sources.formats.entry import Entry
    from uv_self_update.sources.tree import Names, Tree

_DEEPEST = 4
_MOST = 2000  # directories, each of which costs a request
_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]*$")
"""The end of a name that is a file's rather than a version's."""


class TreeRepository(PackageRepository):
    """The distributions in the directories of a tree."""

    def __init__(self, tree: Tree, *, host: str, path: str) -> None:
        super().__init__()
        self._tree = tree
        self.name = tree.name
        self.host = host
        self.path = path_of(path)

    def open(self, file: Distribution) -> AbstractContextManager[Download]:
        return self._tree.open(_names(file))

    def tail(self, file: Distribution, length: int) -> bytes | None:
        return self._tree.tail(_names(file), length)

    def listed(self) -> Iterator[Distribution]:
        pending: list[tuple[Names, bool]] = [((), True)]
        for count, (path, certain) in enumerate(pending):
            if count == _MOST:
                raise TooLarge(self.name, _MOST, unit="directories")
            try:
                entries = self._tree.entries(path)
            except (StatusRefused, UnexpectedBody) as error:
                if _is_file(error, path, certain=certain):
                    continue
                raise
            found = list(_distributions(path, entries))
            if found:
                self.tags.add("/".join(path))
            yield from found
            if len(path) < _DEEPEST:
                pending += _directories(path, entries, leaf=bool(found))

    def tagged(self, tag: str) -> Iterable[Distribution]:
        path = tuple(tag.split("/")) if tag else ()
        found = [*_distributions(path, self._tree.entries(path))]
        if not found:
            return super().tagged(tag)  # a bucket lists nothing for a missing directory
        self.tags.add(tag)
        return found


def create(settings: ReleasesSettings, upstream: Upstream) -> TreeRepository:
    """Make the repository of a `[[releases]]`; see interface.

    The index of a directory is named after its own name, or the `name` of its settings: one share
    has another path on each machine, and uv.lock must be the same on all of them. The query of a
    URL, such as a signature, is no part of the index's name.
    """
    source = settings.source
    if source.kind == "directory":
        tree = DirectoryTree(upstream, path=source.path or "")
        last = settings.name or re.split(r"[/\\]", tree.name.rstrip("/\\"))[-1]
        return TreeRepository(tree, host="directory", path=last)
    url = url_of(source)
    kind = BucketTree if source.kind == "s3" else ListingTree
    return TreeRepository(kind(upstream, base=url), host=url.address, path=url.parts.path)


def _distributions(path: Names, entries: Sequence[Entry]) -> Iterator[Distribution]:
    for entry in entries:
        parsed = None if entry.is_directory else parse_filename(entry.name)
        if parsed is not None:
            yield Distribution(
                project=parsed[0],
                version=parsed[1],
                filename=entry.name,
                tag="/".join(path),
                where="/".join((*path, entry.name)),
                size=entry.size,
                sha256=entry.sha256,
                uploaded=entry.modified,
            )


def _directories(
    path: Names, entries: Sequence[Entry], *, leaf: bool
) -> Iterator[tuple[Names, bool]]:
    """Yield the directories to list next, and whether each is certain to be one.

    Args:
        path: The directory that contains them.
        entries: What it contains.
        leaf: Whether it contains distributions, so that a name without a slash is a file.
    """
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_directory:
            yield (*path, entry.name), True
        elif entry.is_directory is None and not leaf and not _FILE.search(entry.name):
            yield (*path, entry.name), False


def _is_file(error: StatusRefused | UnexpectedBody, path: Names, *, certain: bool) -> bool:
    """Return whether an error means that a path is no directory, or no longer."""
    return bool(path) and (not certain or (isinstance(error, StatusRefused) and error.gone))


def _names(file: Distribution) -> Names:
    return tuple(file.where.split("/"))
