"""`nexus`: a raw repository of Sonatype Nexus 3, hosted, proxy or group.

Nexus does not list directories below `/repository/NAME/`. Their entries come from its browse pages,
`/service/rest/repository/browse/NAME/`, or from its search API if browsing is forbidden.
"""

from __future__ import annotations

import re
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

from uv_self_update.errors import StatusRefused, TooLarge, UnexpectedBody
from uv_self_update.releases.digests import lone_sum
from uv_self_update.sources.catalog import DENIED
from uv_self_update.sources.formats.documents import describe, read_json
from uv_self_update.sources.formats.entry import Entry, is_name
from uv_self_update.sources.formats.json_array import MAX_ENTRIES
from uv_self_update.sources.formats.listing import read_listing
from uv_self_update.sources.proxied import ManifestOrTree, RepositoryTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.tree import Names


_MAX_DEPTH = 32  # names in a path
_MAX_TOKEN = 1024  # characters
_EXPECTED = "a page of Nexus search results"


def create(settings: SourceSettings, context: Context) -> ManifestOrTree:
    """Create the source of a `[[source]]`; see context."""
    return ManifestOrTree(settings, context, NexusTree)


class NexusTree(RepositoryTree):
    """The directories of a raw repository, `https://HOST[/CONTEXT]/repository/NAME[/PATH]`."""

    pattern = re.compile(r"(?P<root>.*?)/repository/(?P<name>[^/]+)(?P<path>/.*)?")
    hint = (
        "Nexus also answers 404 if the permission to browse is missing: check the name of the "
        "repository, or set `username` and `password-env`."
    )
    _searching = False

    def entries(self, path: Names) -> tuple[Entry, ...]:
        if not self._searching:
            try:
                return self._browsed(path)
            except StatusRefused as error:
                if path or not error.gone:
                    raise
                refused = error
            if not self._all_files:
                raise self.missing(refused)
            self._searching = True
        return self._searched(path)

    def checksum(self, path: Names) -> str | None:
        file = (*self._path, *path)
        try:
            for found, sha256 in self._search(group="/" + "/".join(file[:-1])):
                if found == file:
                    return sha256
        except StatusRefused as error:
            # The permission to read a file does not include the search.
            if not error.gone and error.status not in DENIED:
                raise
        return None

    def _browsed(self, path: Names) -> tuple[Entry, ...]:
        names = (self._repository, *self._path, *path)
        url = self._root.below(("service", "rest", "repository", "browse", *names), directory=True)
        # Files have links to their download URLs, with the host that Nexus is configured for.
        files = ("repository", *names)
        return read_listing(self._upstream.read(url, accept="text/html"), also=files)

    def _searched(self, path: Names) -> tuple[Entry, ...]:
        parents = (*self._path, *path)
        found: dict[str, Entry] = {}
        for file, sha256 in self._all_files:
            if file[: len(parents)] == parents and len(file) > len(parents):
                name, is_file = file[len(parents)], len(file) == len(parents) + 1
                digest = sha256 if is_file else None
                found[name] = Entry(name=name, is_directory=not is_file, sha256=digest)
        return tuple(found.values())

    @cached_property
    def _all_files(self) -> list[tuple[Names, str | None]]:
        try:
            found = [*islice(self._search(), MAX_ENTRIES + 1)]
        except StatusRefused as error:
            if error.gone:
                return []
            raise
        if len(found) > MAX_ENTRIES:
            raise TooLarge(self.name, MAX_ENTRIES, unit="files")
        return found

    def _search(self, **criteria: str) -> Iterator[tuple[Names, str | None]]:
        """Yield the path in the repository and the sha256 of each file that matches.

        Raises:
            SourceError: The search failed.
        """
        token, requested = "", set[str]()
        url = self._root.below(("service", "rest", "v1", "search", "assets"))
        for _ in range(self._upstream.limits.nexus_pages):
            query = {"repository": self._repository, **criteria}
            if token:
                query["continuationToken"] = token
            pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
            document = self._upstream.read(url.asking(pairs), accept="application/json")
            page = read_json(document, _EXPECTED)
            if not isinstance(page, dict) or not isinstance(page.get("items"), list):
                raise UnexpectedBody(document.url, _EXPECTED, describe(document.body))
            for item in page["items"]:
                if isinstance(item, dict) and isinstance(item.get("path"), str):
                    names = tuple(name for name in item["path"].split("/") if name)
                    if len(names) <= _MAX_DEPTH and all(map(is_name, names)):
                        yield names, _sha256(item.get("checksum"))
            token = page.get("continuationToken") or ""
            # Nexus's tokens are ASCII; anything else ends the search.
            if not isinstance(token, str) or not token or not token.isascii():
                return
            if token in requested or len(token) > _MAX_TOKEN:
                raise UnexpectedBody(self.name, "a search in Nexus", "an endless one")
            requested.add(token)
        raise TooLarge(self.name, self._upstream.limits.nexus_pages, unit="pages")


def _sha256(checksum: object) -> str | None:
    return lone_sum(checksum.get("sha256")) if isinstance(checksum, dict) else None
