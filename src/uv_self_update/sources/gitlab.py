"""`gitlab`: a project's releases, and its generic packages.

Every request goes to the API: GitLab's web pages answer a token with a login page. The password in
the URL is sent as `PRIVATE-TOKEN`, see `authentication`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from uv_self_update.auth.credentials import origin_of, without_userinfo
from uv_self_update.redaction import redact_url
from uv_self_update.releases.digests import parse_sums
from uv_self_update.releases.release import Asset, Release, utc
from uv_self_update.sources.context import url_of
from uv_self_update.sources.forge import ACCEPT, DEFAULT_PACKAGE, ForgeSource
from uv_self_update.sources.formats.entry import is_name
from uv_self_update.sources.formats.paging import entries
from uv_self_update.sources.layout import is_asset
from uv_self_update.sources.tree import below
from uv_self_update.versions import LONGEST_NAME, version_of_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
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


class GitlabSource(ForgeSource):
    """One project of a GitLab, by its page `https://HOST/GROUP/PROJECT` or its API URL."""

    what = "such project"
    hint = (
        "GitLab also answers 404 if a token is missing: set `token-env` to the name of a variable "
        "with a token. If GitLab has a relative URL, use `https://HOST/PATH/api/v4/projects/ID`."
    )

    def __init__(
        self, upstream: Upstream, platform: Platform, *, url: str, package: str = DEFAULT_PACKAGE
    ) -> None:
        super().__init__(upstream, platform, api=_api_of(without_userinfo(url)), package=package)
        self.name = redact_url(url)

    def parts(self) -> Sequence[Callable[[], Iterator[Release]]]:
        """Return both lists; packages first, as they have digests; see ForgeSource."""
        return self._packages, self._releases

    def detailed(self, release: Release) -> Release:
        """Return a release with its files; see CatalogSource."""
        if release.assets is not None:
            return release
        newest: dict[str, tuple[int, Asset]] = {}
        url = f"{self._api}/packages/{release.where}/package_files"
        for entry in self._entries(url, "per_page=100", "GitLab's files of a package"):
            name, number = entry.get("file_name"), entry.get("id")
            if not isinstance(name, str) or not is_name(name) or not isinstance(number, int):
                continue
            # A file that was uploaded twice is listed twice; the later one is served.
            if name not in newest or newest[name][0] < number:
                sums = parse_sums(str(entry.get("file_sha256")))
                path = ("packages", "generic", self._package, release.tag, name)
                where = below(self._api, path)
                newest[name] = number, Asset(name=name, sha256=sums.get(""), where=where)
        return replace(release, assets=tuple(asset for _, asset in newest.values()))

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Open one file for download; see CatalogSource."""
        path = ("packages", "generic", self._package, release.tag, asset.name)
        return self._upstream.open(asset.where or below(self._api, path))

    def _packages(self) -> Iterator[Release]:
        query = f"package_type=generic&package_name={quote(self._package, safe='')}&per_page=100"
        for entry in self._entries(f"{self._api}/packages", query, "GitLab's list of packages"):
            tag, number = entry.get("version"), entry.get("id")
            version = version_of_tag(tag) if isinstance(tag, str) else None
            # GitLab matches `package_name` as a substring.
            if version is None or entry.get("name") != self._package:
                continue
            if not isinstance(number, int) or not 0 <= number < _MAX_ID:
                continue
            published = entry.get("created_at")
            yield Release(
                version=version,
                tag=str(tag),
                published=utc(published) if isinstance(published, str) else None,
                where=str(number),
            )

    def _releases(self) -> Iterator[Release]:
        url = f"{self._api}/releases"
        for entry in self._entries(url, "per_page=100", "GitLab's list of releases"):
            tag, assets = entry.get("tag_name"), entry.get("assets")
            version = version_of_tag(tag) if isinstance(tag, str) else None
            links = assets.get("links") if isinstance(assets, dict) else None
            if version is None or not isinstance(links, list) or entry.get("upcoming_release"):
                continue
            found = []
            for link in links:
                with suppress(ValueError):  # an invalid URL
                    found.append(self._link(str(tag), link))
            published = entry.get("released_at")
            yield Release(
                version=version,
                tag=str(tag),
                assets=tuple(asset for asset in found if asset is not None),
                published=utc(published) if isinstance(published, str) else None,
            )

    def _entries(self, url: str, query: str, expected: str) -> Iterator[dict[str, Any]]:
        return entries(self._upstream, url, query, accept=ACCEPT, expected=expected)

    def _link(self, tag: str, link: object) -> Asset | None:
        """Return the file that a link of a release leads to, or None.

        A link to GitLab's own address, as `direct_asset_url` shows it, is rewritten to the
        configured one. Any other link leads to another server.

        Raises:
            ValueError: The URL is invalid.
        """
        if not isinstance(link, dict):
            return None
        url, own, label = link.get("url"), link.get("direct_asset_url"), link.get("name")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            return None
        if len(url) > _MAX_URL or len(str(label)) > LONGEST_NAME:
            return None
        parts = urlsplit(url)
        name = unquote(parts.path.rpartition("/")[2])
        if not is_asset(name) and isinstance(label, str):
            name = label
        if not isinstance(own, str) or origin_of(own) != origin_of(url):
            return Asset(name=name, where=url)
        _, api, rest = parts.path.partition("/api/v4/projects/")
        if api:
            root = self._api.partition("/api/v4/projects/")[0]
            query = f"?{parts.query}" if parts.query else ""
            return Asset(name=name, where=f"{root}{api}{rest}{query}")
        path = tuple(unquote(step) for step in own.partition("/downloads/")[2].split("/"))
        if not all(map(is_name, path)):
            return None
        return Asset(name=name, where=below(self._api, ("releases", tag, "downloads", *path)))


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
