"""`gitlab`: a project's releases, and its generic packages.

Everything is asked of the API: GitLab's web pages answer a token with a page to log in. A login in
the URL is sent as `PRIVATE-TOKEN`, see `logins`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from uv_self_update.auth.credentials import origin_of, without_userinfo
from uv_self_update.redaction import redact_url
from uv_self_update.releases.digests import parse_sums
from uv_self_update.releases.release import Asset, Release, utc
from uv_self_update.sources.forge import ACCEPT, ForgeSource
from uv_self_update.sources.formats.documents import read_json_list
from uv_self_update.sources.formats.entry import is_name
from uv_self_update.sources.formats.paging import pages
from uv_self_update.sources.layout import is_asset
from uv_self_update.sources.tree import below
from uv_self_update.versions import version_of_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform


_API = re.compile(r"(?P<api>.*?/api/v4/projects/[^/]+)(?:/.*)?")


class GitlabSource(ForgeSource):
    """One project of a GitLab."""

    what = "such project"
    hint = (
        "GitLab says 404 as well where a token is missing: `token-env` names the variable that "
        "holds one. A project below a relative URL is written as `https://HOST/PATH/api/v4/projects/ID`."
    )

    def __init__(
        self, upstream: Upstream, platform: Platform, *, url: str, package: str = "uv"
    ) -> None:
        """Work out the address of the API; nothing is asked yet.

        Args:
            upstream: The client.
            platform: Where uv runs.
            url: The project's page, `https://HOST/GROUP/PROJECT`, or its API.
            package: The name of the generic package that holds uv.
        """
        super().__init__(upstream, platform, api=_api_of(without_userinfo(url)), package=package)
        self.name = redact_url(url)

    def parts(self) -> Sequence[Callable[[], Iterator[Release]]]:
        """Return both lists; packages come with digests."""
        return self._packages, self._releases

    def detailed(self, release: Release) -> Release:
        """Return a release with its files; see CatalogSource."""
        if release.assets is not None:
            return release
        newest: dict[str, tuple[int, Asset]] = {}
        url = f"{self._api}/packages/{release.where}/package_files"
        for page in pages(self._upstream, url, "per_page=100", accept=ACCEPT):
            for entry in read_json_list(page, "GitLab's files of a package"):
                name, number = entry.get("file_name"), entry.get("id")
                if not isinstance(name, str) or not isinstance(number, int):
                    continue
                # A file that was uploaded twice is there twice, and the later one counts.
                if name not in newest or newest[name][0] < number:
                    sums = parse_sums(str(entry.get("file_sha256")))
                    path = ("packages", "generic", self._package, release.tag, name)
                    where = below(self._api, path)
                    newest[name] = number, Asset(name=name, sha256=sums.get(""), where=where)
        return replace(release, assets=tuple(asset for _, asset in newest.values()))

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Begin to fetch one file; see CatalogSource."""
        path = ("packages", "generic", self._package, release.tag, asset.name)
        return self._upstream.open(asset.where or below(self._api, path))

    def _packages(self) -> Iterator[Release]:
        query = f"package_type=generic&package_name={quote(self._package, safe='')}&per_page=100"
        for page in pages(self._upstream, f"{self._api}/packages", query, accept=ACCEPT):
            for entry in read_json_list(page, "GitLab's list of packages"):
                tag, number = entry.get("version"), entry.get("id")
                version = version_of_tag(tag) if isinstance(tag, str) else None
                # The name that was asked for is looked for within names.
                if version is None or entry.get("name") != self._package:
                    continue
                if not isinstance(number, int):
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
        for page in pages(self._upstream, url, "per_page=100", accept=ACCEPT):
            for entry in read_json_list(page, "GitLab's list of releases"):
                tag, assets = entry.get("tag_name"), entry.get("assets")
                version = version_of_tag(tag) if isinstance(tag, str) else None
                links = assets.get("links") if isinstance(assets, dict) else None
                if version is None or not isinstance(links, list) or entry.get("upcoming_release"):
                    continue
                found = []
                for link in links:
                    # What is no URL leads nowhere.
                    with suppress(ValueError):
                        found.append(self._link(str(tag), link))
                published = entry.get("released_at")
                yield Release(
                    version=version,
                    tag=str(tag),
                    assets=tuple(asset for asset in found if asset is not None),
                    published=utc(published) if isinstance(published, str) else None,
                )

    def _link(self, tag: str, link: object) -> Asset | None:
        """Return the file behind a link of a release, or None; ValueError for what is no URL.

        A link may lead to another server; which of the two it is is told by the address that
        GitLab has for itself.
        """
        if not isinstance(link, dict):
            return None
        url, own, label = link.get("url"), link.get("direct_asset_url"), link.get("name")
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
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
    """Return the API's address of the project at `url`."""
    parts = urlsplit(url)
    match = _API.fullmatch(parts.path)
    if match is not None:
        path = str(match["api"])
    else:
        project = unquote(parts.path.partition("/-/")[0].strip("/")).removesuffix(".git")
        path = f"/api/v4/projects/{quote(project, safe='')}"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
