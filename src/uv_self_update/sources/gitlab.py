"""`gitlab`: a project's releases, and its generic packages.

Every request goes to the API: GitLab's web pages answer a token with a login page. The password in
the URL is sent as `PRIVATE-TOKEN`, see `authentication`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from uv_self_update.releases.digests import lone_sum
from uv_self_update.releases.release import Asset, stated_date, stated_size
from uv_self_update.sources.context import url_of
from uv_self_update.sources.forge import Forge, ForgeSource, PackageVersion
from uv_self_update.sources.formats.entry import is_name
from uv_self_update.sources.layout import is_asset
from uv_self_update.url import Url
from uv_self_update.versions import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.context import Context


_MAX_ID = 1 << 63
_MAX_URL = 2048  # characters
_API = re.compile(r"(?P<api>.*?/api/v4/projects/[^/]+)(?:/.*)?")


class Gitlab(Forge):
    """The API of one project, by its page `https://HOST/GROUP/PROJECT` or its API URL.

    `is_file` says whether a name is that of a file to look for.
    """

    what = "such project"

    def __init__(self, upstream: Upstream, *, url: Url, is_file: Callable[[str], object]) -> None:
        self._is_file = is_file
        api = _api_of(url.bare)
        packages = api.below(("packages", "generic"))
        super().__init__(upstream, api=api, tags=api.below(("releases",)), packages=packages)

    def releases(self) -> Iterator[dict[str, Any]]:
        return self._entries(self._tags, "per_page=100", "GitLab's list of releases")

    def release_files(self, tag: str, release: Mapping[str, Any]) -> Iterable[Asset] | None:
        assets = release.get("assets")
        links = assets.get("links") if isinstance(assets, dict) else None
        if not isinstance(links, list):
            return None
        created = stated_date(release.get("released_at"))
        return (found for link in links if (found := self._link(tag, link, created)) is not None)

    def packages(self, name: str) -> Iterator[PackageVersion]:
        query = f"package_type=generic&package_name={quote(name, safe='')}&per_page=100"
        url = self.api.below(("packages",))
        for entry in self._entries(url, query, "GitLab's list of packages"):
            tag, number = entry.get("version"), entry.get("id")
            # GitLab matches `package_name` as a substring.
            if entry.get("name") != name or not isinstance(tag, str):
                continue
            if isinstance(number, int) and 0 <= number < _MAX_ID:
                created = stated_date(entry.get("created_at"))
                yield PackageVersion(tag=tag, number=str(number), created=created)

    def package_files(self, name: str, version: PackageVersion) -> list[Asset]:
        newest: dict[str, tuple[int, Asset]] = {}
        url = self.api.below(("packages", version.number, "package_files"))
        for entry in self._entries(url, "per_page=100", "GitLab's files of a package"):
            file, index = entry.get("file_name"), entry.get("id")
            if not isinstance(file, str) or not is_name(file) or not isinstance(index, int):
                continue
            # A file that was uploaded twice is listed twice; the later one is served.
            if file not in newest or newest[file][0] < index:
                newest[file] = (
                    index,
                    Asset(
                        name=file,
                        where=self.package_url(name, version.tag, file),
                        size=stated_size(entry.get("size")),
                        sha256=lone_sum(entry.get("file_sha256")),
                        modified=stated_date(entry.get("created_at")),
                    ),
                )
        return [file for _, file in newest.values()]

    def _link(self, tag: str, link: object, created: str | None) -> Asset | None:
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
            place = Url.parse(url)
            target = self._target(tag, place, own)
        except ValueError:  # an invalid URL
            return None
        if target is None:
            return None
        name = unquote(place.parts.path.rpartition("/")[2])
        # The name of the link need not be that of the file.
        if isinstance(label, str) and not self._is_file(name):
            name = label
        return Asset(name=name, where=target, modified=created)

    def _target(self, tag: str, url: Url, own: object) -> str | None:
        """Return the URL that a link is followed by; None for a link with an unusable path.

        Raises:
            ValueError: A URL is invalid.
        """
        if not isinstance(own, str) or Url.parse(own).origin != url.origin:
            return url.text
        _, api, rest = url.parts.path.partition("/api/v4/projects/")
        if api:
            root = self.api.parts.path.partition(api)[0]
            return self.api.at(f"{root}{api}{rest}", url.parts.query).text
        path = tuple(unquote(step) for step in own.partition("/downloads/")[2].split("/"))
        if not all(map(is_name, path)):
            return None
        return self._tags.below((tag, "downloads", *path)).text


class GitlabSource(ForgeSource):
    """The releases of uv in one project."""

    hint = (
        "GitLab also answers 404 if a token is missing: set `token-env` to the name of a variable "
        "with a token. If GitLab has a relative URL, use `https://HOST/PATH/api/v4/projects/ID`."
    )

    def __init__(self, settings: SourceSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._forge = Gitlab(self._upstream, url=url_of(settings), is_file=is_asset)


create = GitlabSource


def _api_of(url: Url) -> Url:
    """Return the API URL of the project at `url`."""
    match = _API.fullmatch(url.parts.path)
    if match is not None:
        path = str(match["api"])
    else:
        project = unquote(url.parts.path.partition("/-/")[0].strip("/")).removesuffix(".git")
        path = f"/api/v4/projects/{quote(project, safe='')}"
    return url.at(path)
