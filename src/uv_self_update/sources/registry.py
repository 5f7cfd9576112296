"""Where uv releases come from: one file for each kind of source.

A new kind is one file here, one arm in `build` and one row in `kinds.KINDS`.
"""

# A run needs one kind or two, and the others would be imported for nothing.
# ruff: noqa: PLC0415

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.interface import ArchiveSource, Source
    from uv_self_update.sources.tree import Tree


def build(settings: SourceSettings, around: Context) -> Source:
    """Make the source that a `[[source]]` describes; its settings are checked already."""
    if settings.kind == "index":
        from uv_self_update.sources.index import IndexSource

        return IndexSource(
            uv=around.uv, environ=around.environ, url=settings.url, digests=around.digests
        )
    if settings.kind == "auto":
        from uv_self_update.sources.detection.detect import DetectedSource

        return DetectedSource(settings, around)
    return _archives(settings, around.upstream(settings), around.platform)


def _archives(settings: SourceSettings, upstream: Upstream, platform: Platform) -> ArchiveSource:
    if not (settings.url or settings.download or settings.path):
        raise AssertionError(settings)
    url, package = settings.url or "", settings.package or "uv"
    match settings.kind:
        case "urls" if settings.download is not None:
            from uv_self_update.sources.urls import UrlsSource

            return UrlsSource(
                upstream,
                platform,
                download=settings.download,
                latest=settings.latest,
                release=settings.release,
            )
        case "github":
            from uv_self_update.sources.github import GithubSource

            return GithubSource(upstream, platform, url=url)
        case "gitlab":
            from uv_self_update.sources.gitlab import GitlabSource

            return GitlabSource(upstream, platform, url=url, package=package)
        case "gitea":
            from uv_self_update.sources.gitea import GiteaSource

            return GiteaSource(upstream, platform, url=url, package=package)
        case "astral":
            from uv_self_update.sources.astral import AstralSource

            return AstralSource(upstream, platform, url=url)
        case _:
            return _folders(settings, upstream, platform)


def _folders(settings: SourceSettings, upstream: Upstream, platform: Platform) -> ArchiveSource:
    from uv_self_update.sources.tree import TreeSource

    tree = _tree(settings, upstream)
    if settings.kind not in {"nexus", "artifactory"}:
        return TreeSource(tree, platform)
    from uv_self_update.sources.astral import AstralSource
    from uv_self_update.sources.proxied import EitherSource

    listed = AstralSource(upstream, platform, url=settings.url or "")
    return EitherSource(listed, TreeSource(tree, platform))


def _tree(settings: SourceSettings, upstream: Upstream) -> Tree:
    url = settings.url or ""
    match settings.kind:
        case "listing":
            from uv_self_update.sources.listing import ListingTree

            return ListingTree(upstream, base=url)
        case "nexus":
            from uv_self_update.sources.nexus import NexusTree

            return NexusTree(upstream, base=url)
        case "artifactory":
            from uv_self_update.sources.artifactory import ArtifactoryTree

            return ArtifactoryTree(upstream, base=url)
        case "s3":
            from uv_self_update.sources.s3 import BucketTree

            return BucketTree(upstream, base=url)
        case "directory" if settings.path is not None:
            from uv_self_update.sources.directory import DirectoryTree

            return DirectoryTree(upstream, path=settings.path)
        case _:
            raise AssertionError(settings)
