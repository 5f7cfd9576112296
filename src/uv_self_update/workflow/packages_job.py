"""The task of a command that serves packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.config.settings import Settings


@frozen
class PackagesJob:
    """Where packages come from, and for whom."""

    settings: Settings
    releases: Sequence[ReleasesSettings]
    uv: Path
    """The uv whose credential store is asked."""

    directory: Path
    """The current one."""

    environ: Mapping[str, str] = field(repr=False)
    progress: Progress = SILENT
    """Is told of each download."""
