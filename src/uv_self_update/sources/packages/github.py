"""`github`: the release pages of a GitHub repository, public or private (uv#15731).

A file is asked of the API by its number, which is the only way to those of a private repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uv_self_update.errors import UnexpectedBody
from uv_self_update.releases.release import Asset, stated_date, stated_digest, stated_size
from uv_self_update.sources.addresses import api_of
from uv_self_update.sources.context import url_of
from uv_self_update.sources.forge import Forge, asset_list
from uv_self_update.sources.packages.forge import ForgeRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.network.client import Upstream


class Github(Forge):
    """The API of the releases of `https://HOST/OWNER/REPO`."""

    what = "such repository"
    accept = "application/vnd.github+json"

    def releases(self) -> Iterator[dict[str, Any]]:
        return self._entries(self.api, "per_page=100", "GitHub's JSON for a list of releases")

    def release_files(self, tag: str, release: Mapping[str, Any]) -> Iterable[Asset] | None:  # noqa: ARG002 # files have numbers
        assets = asset_list(release)
        if assets is None:
            return None
        uploaded = (one for one in assets if one.get("state", "uploaded") == "uploaded")
        return map(self._file, uploaded)

    def _file(self, asset: Mapping[str, Any]) -> Asset:
        number = asset.get("id")
        if not isinstance(number, int):
            raise UnexpectedBody(str(self.api), "an asset of GitHub's API", "other JSON")
        return Asset(
            name=str(asset.get("name")),
            where=self.api.below(("assets", str(number))).text,
            size=stated_size(asset.get("size")),
            sha256=stated_digest(asset.get("digest")),
            modified=stated_date(asset.get("updated_at")),
        )


class GithubRepository(ForgeRepository):
    """The distributions of a repository."""

    product = "GitHub"
    given = (
        "give it read access to the contents of this repository, and authorize it for the "
        "organization's SSO"
    )
    missing = "Set GH_TOKEN or GITHUB_TOKEN"
    accept = "application/octet-stream"
    """Exactly this: for any other, GitHub's API sends the JSON that describes the file."""

    def __init__(self, settings: ReleasesSettings, upstream: Upstream) -> None:
        url = url_of(settings.source)
        releases = api_of(url).below(("releases",))
        forge = Github(upstream, api=releases, tags=releases.below(("tags",)))
        super().__init__(settings, upstream, forge, path=url.parts.path)
        self.host = self.host.removeprefix("www.")


create = GithubRepository
