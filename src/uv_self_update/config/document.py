"""Settings in the shape of a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.config.kinds import SOURCE_FIELDS
from uv_self_update.config.policy_keys import DIGESTS
from uv_self_update.config.settings import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.config.settings import Settings


def as_document(settings: Settings) -> dict[str, Any]:
    """Return settings in the shape of a file: what is neither set nor has a default is left out."""
    document: dict[str, Any] = {"source": [as_table(source) for source in settings.sources]}
    for key, known in KEYS.items():
        if not known.attribute:
            document.setdefault("policy", _policy(settings))
            continue
        value: Any = settings
        for name in known.attribute.split("."):
            value = getattr(value, name)
        if value is not None:
            section, name = key.split(".")
            document.setdefault(section, {})[name] = _as_plain(value)
    return document


def policy_rows(settings: Settings) -> Iterator[tuple[str, object, str]]:
    """Yield each rule with its key, its value and where it stands; several may have one key."""
    for rule in settings.policy.rules:
        written = rule.written
        yield rule.key, list(written) if isinstance(written, tuple) else written, rule.origin
    digests = settings.digests
    yield "policy.require-digest", digests.required, digests.required_by or "default"
    for pin in digests.pinned:
        yield f"{DIGESTS}.{pin.version}.{pin.name}", pin.sha256, pin.origin


def _policy(settings: Settings) -> dict[str, Any]:
    """Return what holds: where two places have a key, the person's, which was added last."""
    found = {key: value for key, value, _ in policy_rows(settings)}
    table: dict[str, Any] = {
        name: found[key]
        for key in KEYS
        for section, _, name in [key.partition(".")]
        if section == "policy" and key in found
    }
    for pin in settings.digests.pinned:
        table.setdefault("digests", {}).setdefault(pin.version, {})[pin.name] = pin.sha256
    return table


def _as_plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)  # nobody writes 30.0
    return str(value) if isinstance(value, Path) else value


def as_table(source: SourceSettings) -> dict[str, Any]:
    """Return a source in the shape of a `[[source]]`."""
    fields = {name: getattr(source, name.replace("-", "_")) for name in SOURCE_FIELDS}
    table = {"kind": source.kind, **fields, "header-env": dict(source.header_env)}
    return {name: value for name, value in table.items() if value}
