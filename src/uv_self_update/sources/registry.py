"""The kinds of sources: which module makes the source of each `kind`.

A new kind is one module in this directory with a function `create(settings, context)`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from uv_self_update.config.kinds import KINDS

if TYPE_CHECKING:
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.interface import Source


_ELSEWHERE = {"auto": "detection.detect", "index": "index.source"}
"""Kind -> its module, if that is not named after it."""


def build(settings: SourceSettings, context: Context) -> Source:
    """Create the source of a `[[source]]` whose settings have been validated."""
    kind = settings.kind
    assert kind in KINDS, "the configuration was validated"  # noqa: S101 # a fault of ours
    # Imported by its name: a run needs one kind or two, and imports cost start-up time.
    module = import_module(f"uv_self_update.sources.{_ELSEWHERE.get(kind, kind)}")
    source: Source = module.create(settings, context)
    return source
