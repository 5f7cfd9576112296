"""`gitea`: releases of a Gitea or Forgejo repository, and its owner's generic packages."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from uv_self_update.redaction import redact_url
from uv_self_update.releases.digests import parse_sums
from uv_self_update.releases.release import Asset, Release, listed_release, utc
from uv_self_update.sources.context import url_of
from uv_self_update.sources.forge import ACCEPT, DEFAULT_PACKAGE, ForgeSource
from uv_self_update.sources.formats.documents import read_json_list
from uv_self_update.sources.formats.entry import is_name
from uv_self_update.sources.formats.paging import entries
from uv_self_update.sources.tree import below
from uv_self_update.versions import version_of_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.tree import Names


_PACKAGES = re.compile(r"(?P<root>.*)/api/(?:v1/)?packages/(?P<owner>[^/]+)(?:/generic(?:/.*)?)?")


def create(settings: SourceSettings, context: Context) -> GiteaSource:
    """Create the source of a `[[source]]`; see registry."""
    return GiteaSource(
        context.upstream(settings),
        context.platform,
        url=url_of(settings),
        package=settings.package or DEFAULT_PACKAGE,
    )


class GiteaSource(ForgeSource):
    """One repository, `https://HOST[/PATH]/OWNER/REPO`, or the packages of `https://HOST/OWNER`."""

    what = "such repository or owner"
    hint = (
        "Gitea also answers 404 if a token is missing: set `token-env` to the name of a variable "
        "with a token that has the scope `read:repository` or `read:package`."
    )

    def __init__(
        self, upstream: Upstream, platform: Platform, *, url: str, package: str = DEFAULT_PACKAGE
    ) -> None:
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
        """Return both lists; an owner has packages only; see ForgeSource."""
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
            if isinstance(name, str) and is_name(name):
                sums = parse_sums(str(entry.get("sha256")))
                assets.append(Asset(name=name, sha256=sums.get("")))
        return replace(release, assets=tuple(assets))

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Open one file for download; see CatalogSource.

        The URL is built from names, because the one in the JSON may have a wrong host.
        """
        path: Names = (self._owner, str(self._repository), "releases", "download")
        if release.where:
            path = ("api", "packages", self._owner, "generic", self._package)
        return self._upstream.open(below(self._root, (*path, release.tag, asset.name)))

    def _releases(self) -> Iterator[Release]:
        path = ("api", "v1", "repos", self._owner, str(self._repository), "releases")
        query = "page=1&limit=50&draft=false"
        for entry in self._entries(path, query, "Gitea's list of releases"):
            release = listed_release(entry)
            if release is not None:
                # Gitea's list has all files: an empty one means that the release has none.
                yield replace(release, assets=release.assets or ())

    def _packages(self) -> Iterator[Release]:
        path = ("api", "v1", "packages", self._owner)
        query = f"page=1&limit=50&type=generic&q={quote(self._package, safe='')}"
        for entry in self._entries(path, query, "Gitea's list of packages"):
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

    def _entries(self, path: Names, query: str, expected: str) -> Iterator[dict[str, Any]]:
        url = below(self._root, path)
        return entries(self._upstream, url, query, accept=ACCEPT, expected=expected)
