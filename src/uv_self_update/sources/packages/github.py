"""`github`: the release pages of a GitHub repository, public or private (uv#15731).

A file is asked of the API by its number, which is the only way to those of a private repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from uv_self_update.errors import StatusRefused, UnexpectedBody
from uv_self_update.redaction import redact_url
from uv_self_update.releases.distribution import Distribution, parse_filename
from uv_self_update.releases.release import utc
from uv_self_update.sources.addresses import api_of
from uv_self_update.sources.formats.paging import entries
from uv_self_update.sources.packages.answers import hidden, release_of, yanked_by
from uv_self_update.sources.packages.interface import PackageRepository, host_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download

_ACCEPT = "application/vnd.github+json"
_ACCEPT_FILE = "application/octet-stream"
"""Exactly this: with anything beside it, GitHub's API sends the JSON that describes the file."""

_EXPECTED = "a release of GitHub's API"


class GithubRepository(PackageRepository):
    """The distributions of one repository's releases."""

    def __init__(self, upstream: Upstream, *, url: str, prereleases: bool) -> None:
        """Work out the addresses; nothing is fetched yet.

        Args:
            upstream: The client, with the credentials of this repository.
            url: `https://HOST/OWNER/REPO`.
            prereleases: Whether releases that GitHub marks as pre-releases count.
        """
        self._upstream = upstream
        self._releases = api_of(url) + "/releases"
        self._prereleases = prereleases
        super().__init__()
        self.name = redact_url(url)
        self.host = host_of(url).removeprefix("www.")
        # GitHub's paths are the same in any case, and an index has to have one name.
        self.path = path_of(urlsplit(url).path.lower())

    def open(self, file: Distribution) -> AbstractContextManager[Download]:
        url = f"{self._releases}/assets/{file.where}"
        return self._upstream.open(url, accept=_ACCEPT_FILE, again=True)

    def tail(self, file: Distribution, length: int) -> bytes | None:
        url = f"{self._releases}/assets/{file.where}"
        return self._upstream.tail(url, length, accept=_ACCEPT_FILE, again=True)

    def listed(self) -> Iterator[Distribution]:
        try:
            for release in entries(
                self._upstream,
                self._releases,
                "per_page=100",
                accept=_ACCEPT,
                expected="GitHub's JSON for a list of releases",
            ):
                yield from self._of_release(release, self._releases)
        except StatusRefused as error:
            raise hidden(
                error,
                self._upstream.login_for(self._releases),
                what="such repository",
                product="GitHub",
                given="give it read access to the contents of this repository, and authorize "
                "it for the organization's SSO",
                missing="set GH_TOKEN or GITHUB_TOKEN",
            ) from error

    def tagged(self, tag: str) -> Iterator[Distribution]:
        page = self._upstream.read(f"{self._releases}/tags/{quote(tag, safe='')}", accept=_ACCEPT)
        return self._of_release(release_of(page, _EXPECTED), page.url)

    def _of_release(self, release: dict[str, Any], url: str) -> Iterator[Distribution]:
        tag, assets = release.get("tag_name"), release.get("assets")
        if (
            not isinstance(tag, str)
            or not isinstance(assets, list)
            or not all(isinstance(asset, dict) for asset in assets)
        ):
            raise UnexpectedBody(redact_url(url), _EXPECTED, "other JSON")
        if release.get("draft") or (release.get("prerelease") and not self._prereleases):
            return
        self.tags.add(tag)
        for asset in assets:
            parsed = parse_filename(str(asset.get("name")))
            if parsed is None or asset.get("state", "uploaded") != "uploaded":
                continue
            digest = str(asset.get("digest") or "")
            yield Distribution(
                project=parsed[0],
                version=parsed[1],
                filename=str(asset["name"]),
                tag=tag,
                where=_number(asset, url),
                size=asset["size"] if isinstance(asset.get("size"), int) else None,
                sha256=digest.removeprefix("sha256:") if digest.startswith("sha256:") else None,
                uploaded=utc(str(asset.get("updated_at") or "")),
                yanked=yanked_by(release),
            )


def _number(asset: dict[str, Any], url: str) -> str:
    number = asset.get("id")
    if not isinstance(number, int):
        raise UnexpectedBody(redact_url(url), "an asset of GitHub's API", "other JSON")
    return str(number)
