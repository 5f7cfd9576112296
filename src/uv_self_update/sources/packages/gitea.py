"""`gitea`: the releases of a Gitea or Forgejo repository, and a generic package of its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from uv_self_update.releases.release import stated_date
from uv_self_update.sources.forge import PackageFile
from uv_self_update.sources.gitea import GiteaServer
from uv_self_update.sources.packages.forge import ForgeRepository, asset_list
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Document


class GiteaRepository(ForgeRepository):
    """The distributions of `https://HOST[/PATH]/OWNER/REPO`, or of the owner's packages."""

    product = "Gitea"
    what = "such repository or owner"
    given = "it needs the scope `read:repository`, or `read:package` for packages"
    missing = "Add a token to netrc"

    def __init__(
        self, upstream: Upstream, *, url: str, package: str | None, prereleases: bool
    ) -> None:
        self._server = GiteaServer(upstream, url=url)
        super().__init__(
            upstream,
            url=url,
            api=self._server.root,
            path=urlsplit(url).path.lower().removesuffix("/").removesuffix(".git"),
            package=package,
            prereleases=prereleases,
        )

    def releases(self) -> Iterable[dict[str, Any]]:
        return () if self._server.repository is None else self._server.releases()

    def release(self, tag: str) -> Document:
        return self._server.release(tag)

    def files(self, tag: str, release: Mapping[str, Any]) -> Iterable[PackageFile] | None:
        assets = asset_list(release)
        if assets is None:
            return None
        return (
            PackageFile(
                name=name,
                url=self._server.release_url(tag, name),
                size=size if isinstance(size := asset.get("size"), int) else None,
                created=stated_date(asset.get("created_at")),
            )
            for asset in assets
            if isinstance(name := asset.get("name"), str)
        )

    def versions(self, package: str) -> Iterator[tuple[str, Iterable[PackageFile]]]:
        for version, entry in self._server.packages(package):
            created = stated_date(entry.get("created_at"))
            files = self._server.files(package, version)
            yield version, (replace(file, created=created) for file in files)
