"""What every source is created with: the HTTP client, the platform, the uv that reads an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.releases.digests import DigestRules
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.platforms import Platform


@frozen
class Context:
    """What a source is created with."""

    upstream: Callable[[SourceSettings], Upstream]
    """Creates the HTTP client of a `[[source]]`, with its credentials. `index` uses none."""

    cautious: Callable[[SourceSettings], Upstream]
    """The same for a source whose kind is a guess: fewer credentials apply, see authentication."""

    platform: Platform
    """The platform that uv runs on."""

    uv: Path
    """The uv that reads a package index."""

    environ: Mapping[str, str] = field(repr=False)
    """The environment of that uv."""

    digests: DigestRules = field(default_factory=DigestRules)
    """The digests that a wheel must have."""

    temporary: Path | None = None
    """The directory for temporary files; None for the default of the system."""

    progress: Progress = SILENT
    """Is told of each download."""


def url_of(settings: SourceSettings) -> str:
    """Return the URL of a source whose kind requires one."""
    assert settings.url is not None, "the configuration was validated"  # noqa: S101 # for the type checker
    return settings.url
