"""From `Settings` to the content of a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from uv_self_update.config.kinds import SOURCE_FIELDS
from uv_self_update.config.settings import FIELDS
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.config.settings import Settings


def as_document(settings: Settings) -> dict[str, Any]:
    """Return settings as a configuration file would have them; unset ones are left out."""
    document: dict[str, Any] = {"source": [as_table(source) for source in settings.sources]}
    if settings.releases:
        document["releases"] = [as_releases_table(releases) for releases in settings.releases]
    for section, name, value in _values(settings):
        document.setdefault(section, {})[name] = value
    for pin in settings.digests.pinned:
        pins = document["policy"].setdefault("digests", {})
        pins.setdefault(pin.version, {})[pin.name] = pin.sha256
    return document


def _values(settings: Settings) -> Iterator[tuple[str, str, object]]:
    """Yield section, name and value of each setting outside of sources and digests.

    If several origins set a rule of the policy, it is the user's, which comes last.
    """
    rules = {key: value for key, value, _ in policy_rows(settings)}
    kept: Mapping[str, object] = {"install": settings, "network": settings.network}
    for key, field in FIELDS.items():
        section, _, name = key.partition(".")
        value = getattr(kept[section], field.attribute) if section in kept else rules.get(key)
        if value is not None:
            yield section, name, _as_plain(value)


def policy_rows(settings: Settings) -> Iterator[tuple[str, object, str]]:
    """Yield key, value and origin of each rule; several origins may set the same key."""
    for rule in settings.policy.rules:
        written = rule.written
        yield rule.key, list(written) if isinstance(written, tuple) else written, rule.origin
    digests = settings.digests
    yield "policy.require-digest", digests.required, digests.required_by or "default"
    for pin in digests.pinned:
        yield pin.key, pin.sha256, pin.origin


def _as_plain(value: object) -> object:
    if isinstance(value, float) and value.is_integer():
        return int(value)  # 30 rather than 30.0
    return str(value) if isinstance(value, Path) else value


def as_table(source: SourceSettings) -> dict[str, Any]:
    """Return a source as a `[[source]]`."""
    fields = {name: getattr(source, field.attribute) for name, field in SOURCE_FIELDS.items()}
    table = {"kind": source.kind, **fields, "header-env": dict(source.header_env)}
    return {
        name: value.text if isinstance(value, Url) else value
        for name, value in table.items()
        if value
    }


def as_releases_table(releases: ReleasesSettings) -> dict[str, Any]:
    """Return release pages as a `[[releases]]`."""
    own = {
        "packages": [*releases.claim.patterns],
        "prereleases": releases.prereleases,
        "name": releases.name,
    }
    return {**as_table(releases.source), **{name: value for name, value in own.items() if value}}
