"""The kinds of repositories that hold packages: which module makes the repository of each `kind`.

A new kind is one module in this directory with a function `create(settings, upstream)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.packages.interface import PackageRepository


_SHARED = dict.fromkeys(("listing", "s3", "directory"), "tree")


def build(settings: ReleasesSettings, upstream: Upstream) -> PackageRepository:
    """Make the repository of a `[[releases]]` whose settings have been validated."""
    kind = settings.source.kind
    # Imported by its name: a run needs one kind or two, and imports cost start-up time.
    module = import_module(f"uv_self_update.sources.packages.{_SHARED.get(kind, kind)}")
    repository: PackageRepository = module.create(settings, upstream)
    return repository
