"""The table of kinds: which module makes the source of each `kind`.

A new kind is one module in this directory with a function `create(settings, context)`, and one row
in `MODULES`.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.interface import Source


MODULES: Mapping[str, str] = MappingProxyType(
    {
        "artifactory": "artifactory",
        "astral": "astral",
        "auto": "detection.detect",
        "directory": "directory",
        "gitea": "gitea",
        "github": "github",
        "gitlab": "gitlab",
        "index": "index.source",
        "listing": "listing",
        "nexus": "nexus",
        "s3": "s3",
        "urls": "urls",
    }
)
"""Kind -> its module below `uv_self_update.sources`.

The modules are named, not imported: a run needs one kind or two, and imports cost start-up time.
"""


def build(settings: SourceSettings, context: Context) -> Source:
    """Create the source of a `[[source]]` whose settings have been validated."""
    name = MODULES.get(settings.kind)
    assert name is not None, "the configuration was validated"  # noqa: S101 # a fault of ours
    source: Source = import_module(f"uv_self_update.sources.{name}").create(settings, context)
    return source
