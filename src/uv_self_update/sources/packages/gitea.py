"""`gitea`: the releases of a Gitea or Forgejo repository, and a generic package of its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.sources.context import url_of
from uv_self_update.sources.gitea import Gitea
from uv_self_update.sources.packages.forge import ForgeRepository

if TYPE_CHECKING:
    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.network.client import Upstream


class GiteaRepository(ForgeRepository):
    """The distributions of `https://HOST[/PATH]/OWNER/REPO`, or of the owner's packages."""

    product = "Gitea"
    given = "it needs the scope `read:repository`, or `read:package` for packages"
    missing = "Add a token to netrc"

    def __init__(self, settings: ReleasesSettings, upstream: Upstream) -> None:
        url = url_of(settings.source)
        path = url.parts.path.lower().removesuffix("/").removesuffix(".git")
        super().__init__(settings, upstream, Gitea(upstream, url=url), path=path)


create = GiteaRepository
