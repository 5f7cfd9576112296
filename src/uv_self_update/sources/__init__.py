"""Where uv releases come from: one file for each kind of source.

A new kind is one file here, one arm in `build` and one row in `settings.KINDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.sources.github import GithubSource
from uv_self_update.sources.index import IndexSource
from uv_self_update.sources.urls import UrlsSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from uv_self_update.platforms import Platform
    from uv_self_update.settings import SourceSettings
    from uv_self_update.sources.interface import Source
    from uv_self_update.upstream import Upstream

__all__ = ("build",)


def build(
    settings: SourceSettings,
    *,
    upstream: Callable[[], Upstream],
    platform: Platform,
    uv: Path,
    environ: Mapping[str, str],
) -> Source:
    """Make the source that a `[[source]]` describes.

    Args:
        settings: The section; checked already.
        upstream: Makes the client that every kind but `index` uses.
        platform: Where uv runs.
        uv: The uv that `index` asks.
        environ: The environment that this uv gets.
    """
    match settings.kind:
        case "urls" if settings.download is not None:
            return UrlsSource(
                upstream(),
                platform,
                download=settings.download,
                latest=settings.latest,
                release=settings.release,
            )
        case "github" if settings.url is not None:
            return GithubSource(upstream(), url=settings.url)
        case "index":
            return IndexSource(uv=uv, environ=environ, url=settings.url)
        case _:
            raise AssertionError(settings)
