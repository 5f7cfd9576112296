"""What a source works with: the client, the platform, the uv that an index is asked through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uv_self_update.releases.digests import DigestRules

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.interface import Source


@dataclass(frozen=True, kw_only=True)
class Context:
    """What sources work with."""

    upstream: Callable[[SourceSettings], Upstream]
    """Makes the client that every kind but `index` uses, with the logins of a `[[source]]`."""

    cautious: Callable[[SourceSettings], Upstream]
    """The same where nobody has said what kind of source it is."""

    platform: Platform
    """Where uv runs."""

    uv: Path
    """The uv that `index` asks."""

    environ: Mapping[str, str] = field(repr=False)
    """The environment that this uv gets."""

    build: Callable[[SourceSettings, Context], Source]
    """Makes the source of a `[[source]]`: `registry.build`."""

    digests: DigestRules = field(default_factory=DigestRules)
    """Which digests a wheel has to have."""
