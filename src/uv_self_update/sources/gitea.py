"""`gitea`: a repository's releases, and its owner's generic packages; Forgejo is the same."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from uv_self_update.redaction import redact_url
from uv_self_update.releases.digests import parse_sums
from uv_self_update.releases.release import Asset, Release, utc
from uv_self_update.sources.forge import ACCEPT, ForgeSource
from uv_self_update.sources.formats.documents import read_json_list, read_releases
from uv_self_update.sources.formats.paging import pages
from uv_self_update.sources.tree import below
from uv_self_update.versions import version_of_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.tree import Names


_PACKAGES = re.compile(r"(?P<root>.*)/api/(?:v1/)?packages/(?P<owner>[^/]+)(?:/generic(?:/.*)?)?")


class GiteaSource(ForgeSource):
    """One repository of a Gitea or a Forgejo, or one owner's packages."""

    what = "such repository or owner"
    hint = (
        "Gitea says 404 as well where a login is missing: `token-env` names the variable that "
        "holds a token. It needs `read:repository` or `read:package`."
    )

    def __init__(
        self, upstream: Upstream, platform: Platform, *, url: str, package: str = "uv"
    ) -> None:
        """Work out the addresses; nothing is asked yet.

        Args:
            upstream: The client.
            platform: Where uv runs.
            url: `https://HOST[/PATH]/OWNER/REPO`, or `https://HOST/OWNER` for packages only.
            package: The name of the generic package that holds uv.
        """
        parts = urlsplit(url)
        if match := _PACKAGES.fullmatch(parts.path.rstrip("/")):
            root, names = match["root"], [match["owner"]]
        else:
            above, _, last = parts.path.rstrip("/").rpartition("/")
            root, _, owner = above.rpartition("/")
            names = [owner, last] if owner else [last]
        self._owner = unquote(names[0])
        self._repository = unquote(names[1]).removesuffix(".git") if len(names) > 1 else None
        self._root = urlunsplit((parts.scheme, parts.netloc, root, "", ""))
        self.name = redact_url(url)
        super().__init__(upstream, platform, api=self._root, package=package)

    def parts(self) -> Sequence[Callable[[], Iterator[Release]]]:
        """Return the lists: an owner alone has packages only."""
        if self._repository is None:
            return (self._packages,)
        return self._packages, self._releases

    def detailed(self, release: Release) -> Release:
        """Return a release with its files; see CatalogSource."""
        if release.assets is not None:
            return release
        path = ("api", "v1", "packages", self._owner, "generic", self._package, release.tag)
        document = self._upstream.read(below(self._root, (*path, "files")), accept=ACCEPT)
        assets = []
        for entry in read_json_list(document, "Gitea's files of a package"):
            name = entry.get("name")
            if isinstance(name, str):
                sums = parse_sums(str(entry.get("sha256")))
                assets.append(Asset(name=name, sha256=sums.get("")))
        return replace(release, assets=tuple(assets))

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Begin to fetch one file; see CatalogSource.

        Its URL is put together from names: the server's own may have another host.
        """
        path: Names = (self._owner, str(self._repository), "releases", "download")
        if release.where:
            path = ("api", "packages", self._owner, "generic", self._package)
        return self._upstream.open(below(self._root, (*path, release.tag, asset.name)))

    def _releases(self) -> Iterator[Release]:
        path = ("api", "v1", "repos", self._owner, str(self._repository), "releases")
        query = "page=1&limit=50&draft=false"
        for page in pages(self._upstream, below(self._root, path), query, accept=ACCEPT):
            for release in read_releases(page):
                # A list without files is complete here.
                yield replace(release, assets=release.assets or ())

    def _packages(self) -> Iterator[Release]:
        path = ("api", "v1", "packages", self._owner)
        query = f"page=1&limit=50&type=generic&q={quote(self._package, safe='')}"
        for page in pages(self._upstream, below(self._root, path), query, accept=ACCEPT):
            for entry in read_json_list(page, "Gitea's list of packages"):
                tag, published = entry.get("version"), entry.get("created_at")
                version = version_of_tag(tag) if isinstance(tag, str) else None
                if version is None or entry.get("name") != self._package:
                    continue
                yield Release(
                    version=version,
                    tag=str(tag),
                    published=utc(published) if isinstance(published, str) else None,
                    where="package",
                )
