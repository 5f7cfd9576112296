"""`gitlab`: a project's releases, and its generic packages.

Every request goes to the API: GitLab's web pages answer a token with a login page. The password in
the URL is sent as `PRIVATE-TOKEN`, see `authentication`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from uv_self_update.releases.digests import lone_sum
from uv_self_update.releases.release import Asset, Release, stated_date
from uv_self_update.sources.context import url_of
from uv_self_update.sources.forge import ACCEPT, DEFAULT_PACKAGE, ForgeSource, PackageFile
from uv_self_update.sources.formats.entry import is_name
from uv_self_update.sources.formats.paging import entries
from uv_self_update.sources.layout import is_asset
from uv_self_update.sources.tree import below
from uv_self_update.url import Url, origin_of, without_userinfo
from uv_self_update.values import frozen, replace
from uv_self_update.versions import LONGEST_NAME, version_of_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Document, Download
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.context import Context


_MAX_ID = 1 << 63
_MAX_URL = 2048  # characters
_API = re.compile(r"(?P<api>.*?/api/v4/projects/[^/]+)(?:/.*)?")


def create(settings: SourceSettings, context: Context) -> GitlabSource:
    """Create the source of a `[[source]]`; see registry."""
    return GitlabSource(
        context.upstream(settings),
        context.platform,
        url=url_of(settings),
        package=settings.package or DEFAULT_PACKAGE,
    )


@frozen
class LinkedFile:
    """A file that a link of a release leads to."""

    name: str
    """The last name in its URL."""

    label: str
    """The name of the link, which need not be that of the file."""

    url: str


class GitlabProject:
    """The API of one project, by its page `https://HOST/GROUP/PROJECT` or its API URL."""

    def __init__(self, upstream: Upstream, *, url: str) -> None:
        self.api = _api_of(without_userinfo(url))
        self._upstream = upstream

    def releases(self) -> Iterator[dict[str, Any]]:
        """Yield the releases as the API describes them.

        Raises:
            SourceError: They cannot be listed.
        """
        return self._entries(f"{self.api}/releases", "per_page=100", "GitLab's list of releases")

    def release(self, tag: str) -> Document:
        """Return the description of one release.

        Raises:
            SourceError: It cannot be read.
        """
        return self._upstream.read(below(self.api, ("releases", tag)), accept=ACCEPT)

    def links(self, tag: str, release: Mapping[str, Any]) -> Iterator[LinkedFile] | None:
        """Return the files that a release links to; None if it does not describe them."""
        assets = release.get("assets")
        links = assets.get("links") if isinstance(assets, dict) else None
        if not isinstance(links, list):
            return None
        return (found for link in links if (found := self._link(tag, link)) is not None)

    def packages(self, name: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """Yield the versions of a generic package: version, ID, and what the API says.

        Raises:
            SourceError: They cannot be listed.
        """
        query = f"package_type=generic&package_name={quote(name, safe='')}&per_page=100"
        for entry in self._entries(f"{self.api}/packages", query, "GitLab's list of packages"):
            version, number = entry.get("version"), entry.get("id")
            # GitLab matches `package_name` as a substring.
            if entry.get("name") != name or not isinstance(version, str):
                continue
            if isinstance(number, int) and 0 <= number < _MAX_ID:
                yield version, number, entry

    def files(self, name: str, version: str, number: int | str) -> list[PackageFile]:
        """Return the files of one version of a generic package.

        Raises:
            SourceError: They cannot be listed.
        """
        newest: dict[str, tuple[int, PackageFile]] = {}
        url = f"{self.api}/packages/{number}/package_files"
        for entry in self._entries(url, "per_page=100", "GitLab's files of a package"):
            file, index = entry.get("file_name"), entry.get("id")
            if not isinstance(file, str) or not is_name(file) or not isinstance(index, int):
                continue
            # A file that was uploaded twice is listed twice; the later one is served.
            if file not in newest or newest[file][0] < index:
                size = entry.get("size")
                newest[file] = (
                    index,
                    PackageFile(
                        name=file,
                        url=self.package_url(name, version, file),
                        size=size if isinstance(size, int) else None,
                        sha256=lone_sum(entry.get("file_sha256")),
                        created=stated_date(entry.get("created_at")),
                    ),
                )
        return [file for _, file in newest.values()]

    def package_url(self, name: str, version: str, file: str) -> str:
        """Return the URL of a file of a generic package."""
        return below(self.api, ("packages", "generic", name, version, file))

    def _entries(self, url: str, query: str, expected: str) -> Iterator[dict[str, Any]]:
        return entries(self._upstream, url, query, accept=ACCEPT, expected=expected)

    def _link(self, tag: str, link: object) -> LinkedFile | None:
        """Return the file that a link of a release leads to, or None.

        A link to GitLab's own address, as `direct_asset_url` shows it, is rewritten to the
        configured one. Any other link leads to another server.
        """
        if not isinstance(link, dict):
            return None
        url, own, label = link.get("url"), link.get("direct_asset_url"), link.get("name")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            return None
        if len(url) > _MAX_URL or len(str(label)) > LONGEST_NAME:
            return None
        try:
            parts = urlsplit(url)
            name = unquote(parts.path.rpartition("/")[2])
            target = self._target(tag, url, own)
        except ValueError:  # an invalid URL
            return None
        if target is None:
            return None
        return LinkedFile(name=name, label=label if isinstance(label, str) else name, url=target)

    def _target(self, tag: str, url: str, own: object) -> str | None:
        """Return the URL that a link is followed by; None for a link with an unusable path.

        Raises:
            ValueError: A URL is invalid.
        """
        if not isinstance(own, str) or origin_of(own) != origin_of(url):
            return url
        parts = urlsplit(url)
        _, api, rest = parts.path.partition("/api/v4/projects/")
        if api:
            root = self.api.partition("/api/v4/projects/")[0]
            query = f"?{parts.query}" if parts.query else ""
            return f"{root}{api}{rest}{query}"
        path = tuple(unquote(step) for step in own.partition("/downloads/")[2].split("/"))
        if not all(map(is_name, path)):
            return None
        return below(self.api, ("releases", tag, "downloads", *path))


class GitlabSource(ForgeSource):
    """The releases of uv in one project."""

    what = "such project"
    hint = (
        "GitLab also answers 404 if a token is missing: set `token-env` to the name of a variable "
        "with a token. If GitLab has a relative URL, use `https://HOST/PATH/api/v4/projects/ID`."
    )

    def __init__(
        self, upstream: Upstream, platform: Platform, *, url: str, package: str = DEFAULT_PACKAGE
    ) -> None:
        self._project = GitlabProject(upstream, url=url)
        super().__init__(upstream, platform, api=self._project.api, package=package)
        self.name = str(Url.parse(url))

    def parts(self) -> Sequence[Callable[[], Iterator[Release]]]:
        """Return both lists; packages first, as they have digests."""
        return self._packages, self._releases

    def detailed(self, release: Release) -> Release:
        if release.assets is not None:
            return release
        files = self._project.files(self._package, release.tag, release.where)
        assets = tuple(
            Asset(name=file.name, sha256=file.sha256, where=file.url, size=file.size)
            for file in files
        )
        return replace(release, assets=assets)

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        url = asset.where or self._project.package_url(self._package, release.tag, asset.name)
        return self._upstream.open(url, name=asset.name)

    def _packages(self) -> Iterator[Release]:
        for tag, number, entry in self._project.packages(self._package):
            if version := version_of_tag(tag):
                published = stated_date(entry.get("created_at"))
                yield Release(version=version, tag=tag, published=published, where=str(number))

    def _releases(self) -> Iterator[Release]:
        for entry in self._project.releases():
            tag = entry.get("tag_name")
            version = version_of_tag(tag) if isinstance(tag, str) else None
            links = self._project.links(str(tag), entry)
            if version is None or links is None or entry.get("upcoming_release"):
                continue
            yield Release(
                version=version,
                tag=str(tag),
                assets=tuple(
                    Asset(name=link.name if is_asset(link.name) else link.label, where=link.url)
                    for link in links
                ),
                published=stated_date(entry.get("released_at")),
            )


def _api_of(url: str) -> str:
    """Return the API URL of the project at `url`."""
    parts = urlsplit(url)
    match = _API.fullmatch(parts.path)
    if match is not None:
        path = str(match["api"])
    else:
        project = unquote(parts.path.partition("/-/")[0].strip("/")).removesuffix(".git")
        path = f"/api/v4/projects/{quote(project, safe='')}"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
