"""`artifactory`: a generic repository of JFrog Artifactory, local, virtual or remote.

What is in a folder comes from `api/storage`. The URL of the folder itself is never asked for: a
remote repository would fetch its page from the server behind it, and store it as a file of that
name, so that nothing below it could be had any longer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from uv_self_update.errors import NotFoundOrUnauthorized, StatusRefused, UnexpectedBody
from uv_self_update.releases.digests import parse_sums
from uv_self_update.sources.formats.documents import describe, read_json
from uv_self_update.sources.formats.entry import Entry, is_name
from uv_self_update.sources.tree import HttpTree, below, names_in

if TYPE_CHECKING:
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Document
    from uv_self_update.sources.tree import Names


_URL = re.compile(r"(?P<root>(?:.*?/artifactory)?)/(?P<name>[^/]+)(?P<path>/.*)?")
_EXPECTED = "what Artifactory says of a folder"
_CACHE = "-cache"
_HINT = (
    "Artifactory may say 404 where a right is missing: `token-env` names the variable that "
    "holds a token. Or check the name of the repository."
)


class ArtifactoryTree(HttpTree):
    """The folders of a generic repository."""

    def __init__(self, upstream: Upstream, *, base: str) -> None:
        """Take the URL apart: `https://HOST[/CONTEXT]/artifactory/REPOSITORY[/PATH]`.

        Where a reverse proxy hides `/artifactory`, the first segment is the repository.
        """
        super().__init__(upstream, base=base)
        parts = urlsplit(base)
        match = _URL.fullmatch(parts.path)
        assert match is not None, "checked with the settings"  # noqa: S101 # for the type checker
        self._repository = unquote(match["name"])
        self._path = names_in(match["path"] or "")
        self._root = urlunsplit((parts.scheme, parts.netloc, match["root"], "", ""))

    def entries(self, path: Names) -> list[Entry]:
        """Return what a folder holds; see Tree."""
        try:
            return self._stored(self._repository, path)
        except StatusRefused as error:
            if not error.gone or path or self._repository.endswith(_CACHE):
                raise
            return self._cached(error)

    def checksum(self, path: Names) -> str | None:
        """Return the sha256 that Artifactory has taken of a file; see Tree."""
        try:
            document = self._read(self._repository, path)
        except StatusRefused as error:
            # A remote repository does not know yet what nobody has fetched.
            if error.gone:
                return None
            raise
        info = read_json(document, "what Artifactory says of a file")
        checksums = info.get("checksums") if isinstance(info, dict) else None
        sha256 = checksums.get("sha256") if isinstance(checksums, dict) else None
        return parse_sums(sha256).get("") if isinstance(sha256, str) else None

    def _cached(self, error: StatusRefused) -> list[Entry]:
        """Look into the cache of a remote repository, which has a name of its own."""
        try:
            entries = self._stored(self._repository + _CACHE, ())
        except StatusRefused as second:
            if not second.gone:
                raise
            login = self._upstream.login_for(self._root) is not None
            what = "such repository or folder"
            raise NotFoundOrUnauthorized(error, what, login=login, hint=_HINT) from error
        self._repository += _CACHE
        return entries

    def _stored(self, repository: str, path: Names) -> list[Entry]:
        document = self._read(repository, path)
        info = read_json(document, _EXPECTED)
        children = info.get("children") if isinstance(info, dict) else None
        if not isinstance(children, list):
            raise UnexpectedBody(document.url, _EXPECTED, describe(document.body))
        return [entry for child in children if (entry := _entry(child)) is not None]

    def _read(self, repository: str, path: Names) -> Document:
        url = below(self._root, ("api", "storage", repository, *self._path, *path))
        return self._upstream.read(url, accept="application/json")


def _entry(child: object) -> Entry | None:
    uri = child.get("uri") if isinstance(child, dict) else None
    if not isinstance(child, dict) or not isinstance(uri, str):
        return None
    name = uri.strip("/")
    if not is_name(name):
        return None
    # The documentation shows a string where the servers send a boolean.
    return Entry(name=name, folder=str(child.get("folder")).lower() == "true")
