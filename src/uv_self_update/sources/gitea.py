"""`gitea`: releases of a Gitea or Forgejo repository, and its owner's generic packages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from uv_self_update.releases.digests import lone_sum
from uv_self_update.releases.release import Asset, Release, listed_release, stated_date
from uv_self_update.sources.context import url_of
from uv_self_update.sources.forge import ACCEPT, DEFAULT_PACKAGE, ForgeSource, PackageFile
from uv_self_update.sources.formats.documents import read_json_list
from uv_self_update.sources.formats.entry import is_name
from uv_self_update.sources.formats.paging import entries
from uv_self_update.sources.tree import below
from uv_self_update.url import Url
from uv_self_update.values import replace
from uv_self_update.versions import version_of_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Document, Download
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


class GiteaServer:
    """One repository, `https://HOST[/PATH]/OWNER/REPO`, or the packages of `https://HOST/OWNER`.

    URLs of files are built from names, because those in the JSON may have a wrong host.
    """

    def __init__(self, upstream: Upstream, *, url: str) -> None:
        parts = urlsplit(url)
        if match := _PACKAGES.fullmatch(parts.path.rstrip("/")):
            root, names = match["root"], [match["owner"]]
        else:
            above, _, last = parts.path.rstrip("/").rpartition("/")
            root, _, owner = above.rpartition("/")
            names = [owner, last] if owner else [last]
        self._upstream = upstream
        self._owner = unquote(names[0])
        self.repository = unquote(names[1]).removesuffix(".git") if len(names) > 1 else None
        self.root = urlunsplit((parts.scheme, parts.netloc, root, "", ""))

    def releases(self) -> Iterator[dict[str, Any]]:
        """Yield the releases as the API describes them.

        Raises:
            SourceError: They cannot be listed.
        """
        return self._entries(self._api, "page=1&limit=50&draft=false", "Gitea's list of releases")

    def release(self, tag: str) -> Document:
        """Return the description of one release.

        Raises:
            SourceError: It cannot be read.
        """
        return self._upstream.read(below(self.root, (*self._api, "tags", tag)), accept=ACCEPT)

    def packages(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the versions of a generic package, each with what the API says.

        Raises:
            SourceError: They cannot be listed.
        """
        path = ("api", "v1", "packages", self._owner)
        query = f"page=1&limit=50&type=generic&q={quote(name, safe='')}"
        for entry in self._entries(path, query, "Gitea's list of packages"):
            version = entry.get("version")
            if entry.get("name") == name and isinstance(version, str):
                yield version, entry

    def files(self, name: str, version: str) -> list[PackageFile]:
        """Return the files of one version of a generic package.

        Raises:
            SourceError: They cannot be listed.
        """
        path = ("api", "v1", "packages", self._owner, "generic", name, version, "files")
        document = self._upstream.read(below(self.root, path), accept=ACCEPT)
        return [
            PackageFile(
                name=file,
                url=self.package_url(name, version, file),
                size=size if isinstance(size := entry.get("size"), int) else None,
                sha256=lone_sum(entry.get("sha256")),
            )
            for entry in read_json_list(document, "Gitea's files of a package")
            if isinstance(file := entry.get("name"), str) and is_name(file)
        ]

    def release_url(self, tag: str, file: str) -> str:
        """Return the URL of a file of a release."""
        path = (self._owner, str(self.repository), "releases", "download", tag, file)
        return below(self.root, path)

    def package_url(self, name: str, version: str, file: str) -> str:
        """Return the URL of a file of a generic package."""
        return below(self.root, ("api", "packages", self._owner, "generic", name, version, file))

    @property
    def _api(self) -> Names:
        return ("api", "v1", "repos", self._owner, str(self.repository), "releases")

    def _entries(self, path: Names, query: str, expected: str) -> Iterator[dict[str, Any]]:
        url = below(self.root, path)
        return entries(self._upstream, url, query, accept=ACCEPT, expected=expected)


class GiteaSource(ForgeSource):
    """The releases of uv in a repository, or in the packages of its owner."""

    what = "such repository or owner"
    hint = (
        "Gitea also answers 404 if a token is missing: set `token-env` to the name of a variable "
        "with a token that has the scope `read:repository` or `read:package`."
    )

    def __init__(
        self, upstream: Upstream, platform: Platform, *, url: str, package: str = DEFAULT_PACKAGE
    ) -> None:
        self._server = GiteaServer(upstream, url=url)
        self.name = str(Url.parse(url))
        super().__init__(upstream, platform, api=self._server.root, package=package)

    def parts(self) -> Sequence[Callable[[], Iterator[Release]]]:
        """Return both lists; an owner has packages only."""
        if self._server.repository is None:
            return (self._packages,)
        return self._packages, self._releases

    def detailed(self, release: Release) -> Release:
        if release.assets is not None:
            return release
        files = self._server.files(self._package, release.tag)
        assets = (Asset(name=file.name, sha256=file.sha256, size=file.size) for file in files)
        return replace(release, assets=tuple(assets))

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        url = self._server.release_url(release.tag, asset.name)
        if release.where:
            url = self._server.package_url(self._package, release.tag, asset.name)
        return self._upstream.open(url)

    def _releases(self) -> Iterator[Release]:
        for entry in self._server.releases():
            release = listed_release(entry)
            if release is not None:
                # Gitea's list has all files: an empty one means that the release has none.
                yield replace(release, assets=release.assets or ())

    def _packages(self) -> Iterator[Release]:
        for tag, entry in self._server.packages(self._package):
            if version := version_of_tag(tag):
                published = stated_date(entry.get("created_at"))
                yield Release(version=version, tag=tag, published=published, where="package")
