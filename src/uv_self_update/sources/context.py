"""How a source is created: with which HTTP client, platform and uv, and by which module.

A new kind is one module in this directory with a function `create(settings, context)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from uv_self_update.config.kinds import KINDS
from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.releases.digests import DigestRules
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.interface import Source
    from uv_self_update.url import Url


_ELSEWHERE = {"auto": "detection.detect", "index": "index.source"}
"""Kind -> its module, if that is not named after it."""


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


def build(settings: SourceSettings, context: Context) -> Source:
    """Create the source of a `[[source]]` whose settings have been validated."""
    kind = settings.kind
    assert kind in KINDS, "the configuration was validated"  # noqa: S101 # a fault of ours
    # Imported by its name: a run needs one kind or two, and imports cost start-up time.
    module = import_module(f"uv_self_update.sources.{_ELSEWHERE.get(kind, kind)}")
    source: Source = module.create(settings, context)
    return source


def url_of(settings: SourceSettings) -> Url:
    """Return the URL of a source whose kind requires one."""
    assert settings.url is not None, "the configuration was validated"  # noqa: S101 # for the type checker
    return settings.url
