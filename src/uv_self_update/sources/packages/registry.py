"""The kinds of repositories that hold packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.sources.packages.github import GithubRepository

if TYPE_CHECKING:
    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.packages.interface import PackageRepository


def build(settings: ReleasesSettings, upstream: Upstream) -> PackageRepository:
    """Make the repository that a `[[releases]]` describes; its settings are checked already."""
    match settings.source.kind:
        case "github":
            return GithubRepository(
                upstream, url=settings.source.url or "", prereleases=settings.prereleases
            )
        case _:
            raise AssertionError(settings)
