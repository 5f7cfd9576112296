"""`artifactory`: a generic repository of JFrog Artifactory, local, virtual or remote.

The entries of a directory come from `api/storage`. The URL of a directory is never requested: a
remote repository would fetch that page from its upstream and store it as a file of that name, and
the files below it would become unavailable.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uv_self_update.errors import StatusRefused, UnexpectedBody
from uv_self_update.releases.digests import lone_sum
from uv_self_update.sources.formats.documents import describe, read_json
from uv_self_update.sources.formats.entry import Entry, is_name
from uv_self_update.sources.proxied import ManifestOrTree, RepositoryTree

if TYPE_CHECKING:
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.responses import Document
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.tree import Names


_EXPECTED = "Artifactory's JSON for a directory"
_CACHE = "-cache"


def create(settings: SourceSettings, context: Context) -> ManifestOrTree:
    """Create the source of a `[[source]]`; see context."""
    return ManifestOrTree(settings, context, ArtifactoryTree)


class ArtifactoryTree(RepositoryTree):
    """The directories of `https://HOST[/CONTEXT]/artifactory/REPOSITORY[/PATH]`.

    If a reverse proxy hides `/artifactory`, the first name in the path is the repository.
    """

    pattern = re.compile(r"(?P<root>(?:.*?/artifactory)?)/+(?P<name>[^/]+)(?P<path>/.*)?")
    hint = (
        "Artifactory may also answer 404 if a permission is missing: check the name of the "
        "repository, or set `token-env` to the name of a variable with a token."
    )

    def entries(self, path: Names) -> list[Entry]:
        try:
            return self._stored(self._repository, path)
        except StatusRefused as error:
            if not error.gone or path or self._repository.endswith(_CACHE):
                raise
            return self._cached(error)

    def checksum(self, path: Names) -> str | None:
        try:
            document = self._read(self._repository, path)
        except StatusRefused as error:
            # A remote repository does not know a file before it was first fetched.
            if error.gone:
                return None
            raise
        info = read_json(document, "Artifactory's JSON for a file")
        checksums = info.get("checksums") if isinstance(info, dict) else None
        return lone_sum(checksums.get("sha256")) if isinstance(checksums, dict) else None

    def _cached(self, error: StatusRefused) -> list[Entry]:
        """List the cache of a remote repository, which is a repository of its own."""
        try:
            entries = self._stored(self._repository + _CACHE, ())
        except StatusRefused as second:
            if not second.gone:
                raise
            raise self.missing(error) from error
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
        url = self._root.below(("api", "storage", repository, *self._path, *path))
        return self._upstream.read(url, accept="application/json")


def _entry(child: object) -> Entry | None:
    uri = child.get("uri") if isinstance(child, dict) else None
    if not isinstance(child, dict) or not isinstance(uri, str):
        return None
    name = uri.strip("/")
    if not is_name(name):
        return None
    # A string in the documentation, a boolean in the responses of servers.
    return Entry(name=name, is_directory=str(child.get("folder")).lower() == "true")
