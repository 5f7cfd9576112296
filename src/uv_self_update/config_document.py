"""Settings in the shape of a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.kinds import SOURCE_FIELDS
from uv_self_update.settings import KEYS

if TYPE_CHECKING:
    from uv_self_update.kinds import SourceSettings
    from uv_self_update.settings import Settings

__all__ = ("as_document", "as_table")


def as_document(settings: Settings) -> dict[str, Any]:
    """Return settings in the shape of a file: what is neither set nor has a default is left out."""
    document: dict[str, Any] = {"source": [as_table(source) for source in settings.sources]}
    for key, known in KEYS.items():
        value: Any = settings
        for name in known.attribute.split("."):
            value = getattr(value, name)
        if value is not None:
            section, name = key.split(".")
            document.setdefault(section, {})[name] = _as_plain(value)
    return document


def _as_plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)  # nobody writes 30.0
    return str(value) if isinstance(value, Path) else value


def as_table(source: SourceSettings) -> dict[str, Any]:
    """Return a source in the shape of a `[[source]]`."""
    fields = {name: getattr(source, name.replace("-", "_")) for name in SOURCE_FIELDS}
    table = {"kind": source.kind, **fields, "header-env": dict(source.header_env)}
    return {name: value for name, value in table.items() if value}
