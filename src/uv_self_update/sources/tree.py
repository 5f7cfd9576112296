"""Releases that lie in folders, whatever it is that lists these folders.

A kind of server says how a folder is listed and where a file is; where in the folders the releases
are is found out here, by the names that `layout` knows.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from uv_self_update.errors import StatusRefused
from uv_self_update.redaction import redact_url
from uv_self_update.releases.release import INSTALLER_NAMES, Asset, Release
from uv_self_update.sources.catalog import CatalogSource
from uv_self_update.sources.layout import (
    IN_BETWEEN,
    flat_name,
    is_asset,
    version_in_script,
    version_of_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.formats.entry import Entry


Names = tuple[str, ...]
"""The names of folders, and perhaps of a file, from the base on; decoded."""

_log = logging.getLogger(__name__)

_MAX_FOLDERS = 24
"""Folders to look into before giving up; each costs a request."""

_LARGEST_SCRIPT = 4 << 20  # bytes


class Tree(ABC):
    """Folders that can be listed, and files in them that can be fetched."""

    name: str
    """What it is called in messages, without secrets."""

    @abstractmethod
    def entries(self, path: Names) -> Sequence[Entry]:
        """Return what a folder holds; nothing where it is empty.

        Raises:
            StatusRefused: It is not there, among others.
            SourceError: It cannot be listed.
        """

    @abstractmethod
    def open(self, path: Names) -> AbstractContextManager[Download]:
        """Begin to fetch a file.

        Raises:
            SourceError: It cannot be fetched.
        """

    def checksum(self, path: Names) -> str | None:  # noqa: ARG002 # few servers know one
        """Return the sha256 that the server knows of a file, or None.

        Raises:
            SourceError: It cannot be asked.
        """
        return None


class HttpTree(Tree):
    """A tree whose files are fetched below one URL, whatever host the server calls itself."""

    def __init__(self, upstream: Upstream, *, base: str) -> None:
        """Keep the URL of the base folder; its query, if any, goes with every request."""
        self._upstream = upstream
        self._base = base
        self.name = redact_url(base)

    def open(self, path: Names) -> AbstractContextManager[Download]:
        """Begin to fetch a file; see Tree."""
        return self._upstream.open(below(self._base, path))


def below(base: str, path: Names, *, folder: bool = False) -> str:
    """Return the URL of a file, or of a folder with a slash at its end, below a base URL."""
    parts = urlsplit(base)
    added = "/".join(quote(name, safe="") for name in path)
    full = f"{parts.path.rstrip('/')}/{added}"
    if folder:
        full = f"{full.rstrip('/')}/"
    return urlunsplit((parts.scheme, parts.netloc, full, parts.query, ""))


def names_in(path: str) -> Names:
    """Return the names in the path of a URL, decoded."""
    return tuple(unquote(name) for name in path.split("/") if name)


class TreeSource(CatalogSource):
    """The releases in the folders of a server."""

    def __init__(self, tree: Tree, platform: Platform) -> None:
        """Prepare; nothing is listed yet."""
        super().__init__(platform)
        self._tree = tree
        self.name = tree.name

    def listed(self) -> Iterator[Release]:
        """Return the releases of the first folder that has any, from the base downwards."""
        waiting: list[Names] = [()]
        for _ in range(_MAX_FOLDERS):
            if not waiting:
                return
            path = waiting.pop(0)
            entries = self._entries(path)
            releases = [*_of_folders(path, entries), *_of_flat_names(path, entries)]
            if releases or (releases := [*self._only(path, entries)]):
                yield from releases
                return
            inner = {entry.name.lower(): entry.name for entry in entries if entry.folder}
            # The folders in between are followed downwards before their neighbours are looked at.
            waiting[:0] = [(*path, inner[name]) for name in IN_BETWEEN if name in inner]

    def detailed(self, release: Release) -> Release:
        """Return a release with its files; see CatalogSource."""
        if release.assets is not None:
            return release
        path = _path_of(release.where)
        entries = self._entries(path)
        assets = tuple(_asset(path, entry) for entry in entries if not entry.folder)
        return replace(release, assets=assets)

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Begin to fetch one file; see CatalogSource."""
        return self._tree.open(self._place(release, asset))

    def checksum(self, release: Release, asset: Asset) -> str | None:
        """Return what the server knows of a file; see CatalogSource."""
        return self._tree.checksum(self._place(release, asset))

    def _place(self, release: Release, asset: Asset) -> Names:
        return _path_of(asset.where) if asset.where else (*_path_of(release.where), asset.name)

    def _entries(self, path: Names) -> Sequence[Entry]:
        """List a folder; one below the base may have gone since it was listed itself."""
        try:
            return self._tree.entries(path)
        except StatusRefused as error:
            if path and error.gone:
                return ()
            raise

    def _only(self, path: Names, entries: Sequence[Entry]) -> Iterator[Release]:
        """Return the one release whose files lie in a folder, if it can be told which it is."""
        assets = [_asset(path, entry) for entry in entries if not entry.folder]
        if not any(is_asset(asset.name) for asset in assets):
            return
        version = version_of_folder(path[-1] if path else _last_name(self._tree.name))
        for asset in assets:
            if version is None and asset.name in INSTALLER_NAMES:
                with self._tree.open(_path_of(asset.where)) as download:
                    version = version_in_script(_text(download))
        if version is None:
            _log.warning("%s holds a release, but nothing in it says of which version", self.name)
            return
        yield Release(version=version, tag=version, assets=tuple(assets), where=_where(path))


def _of_folders(path: Names, entries: Sequence[Entry]) -> Iterator[Release]:
    """Return the releases that have a folder each, not looked into yet."""
    for entry in entries:
        version = version_of_folder(entry.name) if entry.folder else None
        if version is not None:
            yield Release(
                version=version,
                tag=entry.name,
                published=entry.modified,
                where=_where((*path, entry.name)),
            )


def _of_flat_names(path: Names, entries: Sequence[Entry]) -> Iterator[Release]:
    """Return the releases whose files lie in one folder, with the version in each name."""
    found: dict[str, list[Asset]] = {}
    for entry in entries:
        named = None if entry.folder else flat_name(entry.name)
        if named is not None:
            version, name = named
            found.setdefault(version, []).append(replace(_asset(path, entry), name=name))
    for version, assets in found.items():
        yield Release(version=version, tag=version, assets=tuple(assets), where=_where(path))


def _asset(path: Names, entry: Entry) -> Asset:
    return Asset(name=entry.name, sha256=entry.sha256, where=_where((*path, entry.name)))


def _where(path: Names) -> str:
    return "/".join(path)


def _path_of(where: str) -> Names:
    return tuple(where.split("/")) if where else ()


def _text(download: Download) -> str:
    body = bytearray()
    for chunk in download.chunks:
        body += chunk
        if len(body) > _LARGEST_SCRIPT:
            break
    return body.decode("utf-8", errors="replace")


def _last_name(place: str) -> str:
    """Return the last name of a URL or a path, of whatever system."""
    path = unquote(urlsplit(place).path) if "://" in place else place
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]
