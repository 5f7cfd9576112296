"""Releases in directories, for every kind of server that lists directories.

A kind implements how a directory is listed and a file is opened. This module finds the releases in
the directories, by the names in `layout`.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from uv_self_update.errors import SourceError, StatusRefused, UnexpectedBody, WheelsOnly
from uv_self_update.network.limits import DEFAULTS
from uv_self_update.releases.release import INSTALLER_NAMES, Asset, Release
from uv_self_update.sources.catalog import CatalogSource
from uv_self_update.sources.formats.documents import start_of
from uv_self_update.sources.layout import (
    PARENTS,
    flat_name,
    is_asset,
    version_in_script,
    version_of_directory,
)
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.formats.entry import Entry
    from uv_self_update.url import Url


Names = tuple[str, ...]
"""The path of a directory or a file below the base: its names, decoded."""

_log = logging.getLogger(__name__)

_MAX_DIRECTORIES = 24
"""Directories to list before giving up; each costs a request."""

_WHEEL = re.compile(r"uv-[0-9][^-/]*-[^/]+\.whl")


class Tree(ABC):
    """Directories that can be listed, and files that can be fetched; or else SourceError.

    Files are fetched below one URL, not from the host in the server's responses. The query of that
    URL is part of every request.
    """

    def __init__(self, upstream: Upstream, *, base: Url) -> None:
        self._upstream = upstream
        self._base = base
        self.name = str(base)
        """The name in messages, without secrets."""

    @abstractmethod
    def entries(self, path: Names) -> Sequence[Entry]:
        """Return the entries of a directory.

        Raises:
            StatusRefused: The directory does not exist, among other reasons.
            SourceError: It cannot be listed.
        """

    def open(self, path: Names) -> AbstractContextManager[Download]:
        """Open a file for download."""
        return self._upstream.open(self._base.below(path))

    def tail(self, path: Names, length: int) -> bytes | None:
        """Return the last `length` bytes of a file; None where only all of it is available."""
        return self._upstream.tail(self._base.below(path), length)

    def url(self, path: Names) -> Url:
        """Return the URL of a directory, with the credentials of the base URL."""
        return self._base.below(path, directory=True)

    def checksum(self, path: Names) -> str | None:  # noqa: ARG002 # few servers know one
        """Return the sha256 that the server computed for a file, or None."""
        return None

    def digest_next_to(self, path: Names) -> str | None:  # noqa: ARG002 # as in `presumed`
        """Return the sha256 in the `.sha256` file of a file that was not listed, or None."""
        return None


def names_in(path: str) -> Names:
    """Return the names in the path of a URL, decoded."""
    return tuple(unquote(name) for name in path.split("/") if name)


class TreeSource(CatalogSource):
    """The releases in the directories of a server."""

    def __init__(self, tree: Tree, platform: Platform) -> None:
        super().__init__(platform)
        self._tree = tree
        self.name = tree.name
        self._unsure: set[Names] = set()
        """The paths that may be files, from pages that do not distinguish them from directories."""
        self._begun: dict[str, tuple[Download, ExitStack]] = {}
        """The downloads that `presumed` has begun, by path, until `fetch` continues them."""

    def listed(self) -> Iterator[Release]:
        """Return the releases of the first directory that has any, from the base downwards.

        Raises:
            WheelsOnly: A directory has wheels of uv, and no directory before it has a release.
        """
        pending: list[Names] = [()]
        for _ in range(_MAX_DIRECTORIES):
            if not pending:
                return
            path = pending.pop(0)
            entries = self._entries(path)
            self._unsure |= {(*path, entry.name) for entry in entries if entry.is_directory is None}
            releases = [*_in_directories(path, entries), *_in_file_names(path, entries)]
            if releases or (releases := [*self._single_release(path, entries)]):
                yield from map(self._dated, releases)
                return
            if any(_WHEEL.fullmatch(entry.name) for entry in entries):
                raise WheelsOnly(self._tree.url(path))
            inner = {
                entry.name.lower(): entry.name
                for entry in entries
                if entry.is_directory is not False
            }
            # Depth first: the children of a directory come before its siblings.
            pending[:0] = [(*path, inner[name]) for name in PARENTS if name in inner]

    def with_files(self, release: Release) -> Release:
        if release.assets is not None:
            return release
        path = _path_of(release.where)
        entries = self._entries(path)
        assets = tuple(_asset(path, entry) for entry in entries if not entry.is_directory)
        return self._dated(replace(release, assets=assets))

    def presumed(self, releases: Sequence[Release], wanted: Wanted) -> Release | None:
        """Return a release with its archive alone, which was not listed, but is being downloaded.

        Its name and that of its digest are known, so an update saves a request. Of a release with a
        date, the files may have a later one, which is in the listing; and a rule may require a
        date. If either is something else, or is missing, the listing decides.
        """
        release, *others = releases
        dated = release.published or wanted.policy.longest_age
        if not wanted.archive_only or others or dated or release.assets is not None:
            return None
        path = (*_path_of(release.where), self._platform.archive)
        sha256 = self._tree.digest_next_to(path)
        if sha256 is None:
            return None
        archive = Asset(name=path[-1], sha256=sha256, where=_where(path))
        with ExitStack() as stack, suppress(SourceError):
            download = stack.enter_context(self._tree.open(path))
            self._begun[archive.where] = download, stack.pop_all()
            return replace(release, assets=(archive,))
        return None

    @contextmanager
    def fetch(self, release: Release, asset: Asset) -> Iterator[Download]:
        download, stack = self._begun.pop(asset.where, (None, ExitStack()))
        with stack:
            if download is None:
                download = stack.enter_context(self._tree.open(self._path(release, asset)))
            yield download

    def close(self) -> None:
        """Close the downloads that were begun in vain."""
        while self._begun:
            _, (_, stack) = self._begun.popitem()
            stack.close()

    def checksum(self, release: Release, asset: Asset) -> str | None:
        return self._tree.checksum(self._path(release, asset))

    def _path(self, release: Release, asset: Asset) -> Names:
        return _path_of(asset.where) if asset.where else (*_path_of(release.where), asset.name)

    def _entries(self, path: Names) -> Sequence[Entry]:
        """List a directory; one below the base that no longer exists counts as empty."""
        try:
            return self._tree.entries(path)
        except StatusRefused as error:
            if path and (error.gone or path in self._unsure):
                return ()
            raise
        except UnexpectedBody:
            if path in self._unsure:  # it is a file
                return ()
            raise

    def _dated(self, release: Release) -> Release:
        """Return a release with the date of its directory or of its archive, whichever is later.

        A directory's date changes when a file is added, a file's date when it is replaced. A bucket
        has no dates of directories. Without this platform's archive, the latest file counts.
        """
        archive = release.asset(self._platform.archive)
        files = (release.assets or ()) if archive is None else (archive,)
        dates = [release.published, *(file.modified for file in files)]
        return replace(release, published=max(filter(None, dates), default=None))

    def _single_release(self, path: Names, entries: Sequence[Entry]) -> Iterator[Release]:
        """Yield the release whose files a directory contains, if its version can be determined."""
        assets = [_asset(path, entry) for entry in entries if not entry.is_directory]
        if not any(is_asset(asset.name) for asset in assets):
            return
        version = version_of_directory(path[-1] if path else _last_name(self._tree.name))
        for asset in assets:
            if version is None and asset.name in INSTALLER_NAMES:
                with self._tree.open(_path_of(asset.where)) as download:
                    script = start_of(download, DEFAULTS.script)
                version = version_in_script(script.decode("utf-8", errors="replace"))
        if version is None:
            _log.warning("%s contains a release of unknown version; skipping it", self.name)
            return
        yield Release(version=version, tag=version, assets=tuple(assets), where=_where(path))


def _in_directories(path: Names, entries: Sequence[Entry]) -> Iterator[Release]:
    """Yield the releases that have a directory each, without their files."""
    for entry in entries:
        version = None if entry.is_directory is False else version_of_directory(entry.name)
        if version is not None:
            yield Release(
                version=version,
                tag=entry.name,
                published=entry.modified,
                where=_where((*path, entry.name)),
            )


def _in_file_names(path: Names, entries: Sequence[Entry]) -> Iterator[Release]:
    """Yield the releases whose files share a directory, with the version in each name."""
    found: dict[str, list[Asset]] = {}
    for entry in entries:
        named = None if entry.is_directory else flat_name(entry.name)
        if named is not None:
            version, name = named
            found.setdefault(version, []).append(replace(_asset(path, entry), name=name))
    for version, assets in found.items():
        yield Release(version=version, tag=version, assets=tuple(assets), where=_where(path))


def _asset(path: Names, entry: Entry) -> Asset:
    where = _where((*path, entry.name))
    return Asset(
        name=entry.name,
        sha256=entry.sha256,
        where=where,
        size=entry.size,
        modified=entry.modified,
    )


def _where(path: Names) -> str:
    return "/".join(path)


def _path_of(where: str) -> Names:
    return tuple(where.split("/")) if where else ()


def _last_name(location: str) -> str:
    """Return the last name of a URL, or of a POSIX or Windows path."""
    path = unquote(urlsplit(location).path) if "://" in location else location
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]
