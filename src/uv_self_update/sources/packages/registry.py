"""The kinds of repositories that hold packages.

Their modules are imported when one is made: a run needs one kind or two, and imports cost time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.packages.interface import PackageRepository


def build(settings: ReleasesSettings, upstream: Upstream) -> PackageRepository:
    """Make the repository that a `[[releases]]` describes; its settings are checked already."""
    source, url = settings.source, settings.source.url or ""
    match source.kind:
        case "github":
            from uv_self_update.sources.packages.github import GithubRepository  # noqa: PLC0415

            return GithubRepository(upstream, url=url, prereleases=settings.prereleases)
        case "gitlab":
            from uv_self_update.sources.packages.gitlab import GitlabRepository  # noqa: PLC0415

            return GitlabRepository(upstream, url=url, package=source.package)
        case "gitea":
            from uv_self_update.sources.packages.gitea import GiteaRepository  # noqa: PLC0415

            return GiteaRepository(
                upstream, url=url, package=source.package, prereleases=settings.prereleases
            )
        case "listing" | "s3" | "directory":
            from uv_self_update.sources.packages import tree  # noqa: PLC0415

            if source.kind == "directory":
                return tree.directory_repository(
                    upstream, path=source.path or "", name=settings.name
                )
            return tree.http_repository(upstream, kind=source.kind, url=url)
        case _:
            raise AssertionError(settings)
