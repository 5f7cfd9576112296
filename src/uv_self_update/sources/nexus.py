"""`nexus`: a raw repository of Sonatype Nexus 3, hosted, proxy or group.

A folder below `/repository/NAME/` is no listing there, so what is in it comes from the pages to
browse it, `/service/rest/repository/browse/NAME/`; where these are forbidden, from the search.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from uv_self_update.errors import NotFoundOrUnauthorized, StatusRefused, UnexpectedBody
from uv_self_update.releases.digests import parse_sums
from uv_self_update.sources.formats.documents import describe, read_json
from uv_self_update.sources.formats.entry import Entry, is_name
from uv_self_update.sources.formats.listing import read_listing
from uv_self_update.sources.tree import HttpTree, below, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.tree import Names


_URL = re.compile(r"(?P<context>.*?)/repository/(?P<name>[^/]+)(?P<path>/.*)?")
_MAX_PAGES = 400
"""Pages of a search: 50 or 100 files each."""

_DENIED = {401, 403}
_HINT = (
    "Nexus says 404 as well where the right to browse is missing: give a login by `username` and "
    "`password-env`, or check the name of the repository."
)


class NexusTree(HttpTree):
    """The folders of a raw repository."""

    def __init__(self, upstream: Upstream, *, base: str) -> None:
        """Take the URL apart: `https://HOST[/CONTEXT]/repository/NAME[/PATH]`."""
        super().__init__(upstream, base=base)
        parts = urlsplit(base)
        match = _URL.fullmatch(parts.path)
        assert match is not None, "checked with the settings"  # noqa: S101 # for the type checker
        self._repository = unquote(match["name"])
        self._path = names_in(match["path"] or "")
        self._root = urlunsplit((parts.scheme, parts.netloc, match["context"], "", ""))
        self._searching = False

    def entries(self, path: Names) -> tuple[Entry, ...]:
        """Return what a folder holds; see Tree."""
        if not self._searching:
            try:
                return self._browsed(path)
            except StatusRefused as error:
                if path or not error.gone:
                    raise
                refused = error
            if not self._all_files:
                login = self._upstream.login_for(self._root) is not None
                what = "such repository or folder"
                raise NotFoundOrUnauthorized(refused, what, login=login, hint=_HINT)
            self._searching = True
        return self._searched(path)

    def checksum(self, path: Names) -> str | None:
        """Return the sha256 that Nexus has taken of a file; see Tree."""
        *above, name = (*self._path, *path)
        group = "/" + "/".join(above)
        try:
            for file, sha256 in self._search(group=group):
                if file == (*above, name):
                    return sha256
        except StatusRefused as error:
            # Who may read a file may not always search.
            if not error.gone and error.status not in _DENIED:
                raise
        return None

    def _browsed(self, path: Names) -> tuple[Entry, ...]:
        where = ("service", "rest", "repository", "browse", self._repository, *self._path, *path)
        url = below(self._root, where, folder=True)
        # Files are linked to where they are fetched, by the address that Nexus has for itself.
        files = urlsplit(below("", ("repository", *where[4:]), folder=True)).path
        return read_listing(self._upstream.read(url, accept="text/html"), also=files)

    def _searched(self, path: Names) -> tuple[Entry, ...]:
        above = (*self._path, *path)
        found: dict[str, Entry] = {}
        for file, sha256 in self._all_files:
            if file[: len(above)] == above and len(file) > len(above):
                name, is_file = file[len(above)], len(file) == len(above) + 1
                digest = sha256 if is_file else None
                found[name] = Entry(name=name, folder=not is_file, sha256=digest)
        return tuple(found.values())

    @cached_property
    def _all_files(self) -> list[tuple[Names, str | None]]:
        try:
            return [*self._search()]
        except StatusRefused as error:
            if error.gone:
                return []
            raise

    def _search(self, **criteria: str) -> Iterator[tuple[Names, str | None]]:
        """Yield the path of each file that is found, below the repository, and its sha256.

        Raises:
            SourceError: Nexus cannot be asked.
        """
        token = ""
        url = below(self._root, ("service", "rest", "v1", "search", "assets"))
        for _ in range(_MAX_PAGES):
            query = {"repository": self._repository, **criteria}
            if token:
                query["continuationToken"] = token
            pairs = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
            document = self._upstream.read(f"{url}?{pairs}", accept="application/json")
            page = read_json(document, "a page of a search in Nexus")
            if not isinstance(page, dict) or not isinstance(page.get("items"), list):
                expected = "a page of a search in Nexus"
                raise UnexpectedBody(document.url, expected, describe(document.body))
            for item in page["items"]:
                if isinstance(item, dict) and isinstance(item.get("path"), str):
                    names = tuple(name for name in item["path"].split("/") if name)
                    if all(map(is_name, names)):
                        yield names, _sha256(item.get("checksum"))
            token = page.get("continuationToken") or ""
            # What is not ASCII was not made by a server that wants to be asked again.
            if not isinstance(token, str) or not token or not token.isascii():
                return


def _sha256(checksum: object) -> str | None:
    value = checksum.get("sha256") if isinstance(checksum, dict) else None
    return parse_sums(value).get("") if isinstance(value, str) else None
