"""`github`: the release pages of a GitHub repository, public or private (uv#15731).

A file is asked of the API by its number, which is the only way to those of a private repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from uv_self_update.errors import UnexpectedBody
from uv_self_update.redaction import redact_url
from uv_self_update.releases.release import stated_date
from uv_self_update.sources.addresses import api_of
from uv_self_update.sources.forge import PackageFile
from uv_self_update.sources.formats.paging import entries
from uv_self_update.sources.packages.forge import ForgeRepository, asset_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Document

_ACCEPT = "application/vnd.github+json"


class GithubRepository(ForgeRepository):
    """The distributions of the releases of `https://HOST/OWNER/REPO`."""

    product = "GitHub"
    what = "such repository"
    given = (
        "give it read access to the contents of this repository, and authorize it for the "
        "organization's SSO"
    )
    missing = "Set GH_TOKEN or GITHUB_TOKEN"
    accept = "application/octet-stream"
    """Exactly this: for any other, GitHub's API sends the JSON that describes the file."""

    def __init__(self, upstream: Upstream, *, url: str, prereleases: bool) -> None:
        api = api_of(url) + "/releases"
        path = urlsplit(url).path
        super().__init__(upstream, url=url, api=api, path=path, prereleases=prereleases)
        self.host = self.host.removeprefix("www.")

    def releases(self) -> Iterator[dict[str, Any]]:
        expected = "GitHub's JSON for a list of releases"
        return entries(self._upstream, self._api, "per_page=100", accept=_ACCEPT, expected=expected)

    def release(self, tag: str) -> Document:
        return self._upstream.read(f"{self._api}/tags/{quote(tag, safe='')}", accept=_ACCEPT)

    def files(self, tag: str, release: Mapping[str, Any]) -> Iterable[PackageFile] | None:
        del tag
        assets = asset_list(release)
        if assets is None:
            return None
        uploaded = (one for one in assets if one.get("state", "uploaded") == "uploaded")
        return map(self._file, uploaded)

    def _file(self, asset: Mapping[str, Any]) -> PackageFile:
        number, size, digest = asset.get("id"), asset.get("size"), str(asset.get("digest") or "")
        if not isinstance(number, int):
            shown = redact_url(self._api)
            raise UnexpectedBody(shown, "an asset of GitHub's API", "other JSON")
        return PackageFile(
            name=str(asset.get("name")),
            url=f"{self._api}/assets/{number}",
            size=size if isinstance(size, int) else None,
            sha256=digest.removeprefix("sha256:") if digest.startswith("sha256:") else None,
            created=stated_date(asset.get("updated_at")),
        )
