"""The keys of `[policy]`: what each of them has to be, and the rules that they make together."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from uv_self_update.config.key import Key, UnfitError, boolean, flag
from uv_self_update.messages import echo, shown, type_name
from uv_self_update.releases.digests import DigestRules, Pin
from uv_self_update.releases.policy import BY_DEFAULT, RULES, Policy, Rule, parse_age
from uv_self_update.versions import LONGEST_SPECIFIERS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from uv_self_update.config.key import Layer


APPROVED = "policy.approved"
DIGESTS = "policy.digests"
_REQUIRED = "policy.require-digest"

_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_FILE = re.compile(r"[\w.+-]+", re.ASCII)


def _specifiers(value: object, _folder: Path) -> str:
    due = "a specifier set such as `>=0.11,<0.14`"
    if not isinstance(value, str) or not value.strip():
        raise UnfitError(got=echo(value), due=due)
    if len(value) > LONGEST_SPECIFIERS:
        raise UnfitError(got=f"longer than {LONGEST_SPECIFIERS} characters", due=due)
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 # slow to import

    try:
        SpecifierSet(value)
    except InvalidSpecifier:
        raise UnfitError(got=echo(value), due=due) from None
    # uv reads no arbitrary equality (PEP 440) in its requirements.
    if "===" in value:
        raise UnfitError(got=echo(value), due=due)
    return value.strip()


def _age(value: object, _folder: Path) -> str:
    if not isinstance(value, str) or parse_age(value) is None:
        due = "an age such as `3 days`, `12 hours`, `2 weeks` or `P3D`, of ten years at most,"
        raise UnfitError(got=echo(value), due=due)
    return value.strip()


def _approved(value: object, folder: Path) -> tuple[str, ...] | str:
    due = "a list of versions, or the URL or the path of one,"
    if isinstance(value, list):
        return _versions(value, due)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise UnfitError(got=echo(value), due=due)
    if is_url(value):
        return value
    if "://" in value:
        raise UnfitError(got=echo(value), due="a URL that begins with http://, https:// or file://")
    try:
        return str(folder / Path(value).expanduser())
    except RuntimeError as error:  # no home to put in place of `~`
        raise UnfitError(got=f"{echo(value)} ({error})", due=due) from None


def _versions(values: Sequence[object], due: str) -> tuple[str, ...]:
    for value in values:
        if not isinstance(value, str) or not VERSION.fullmatch(value):
            raise UnfitError(got=f"a list with {echo(value)} in it", due=due)
    if not values:
        raise UnfitError(got="an empty list, which allows nothing", due=due)
    return tuple(str(value) for value in values)


def versions_in(text: str) -> list[str] | None:
    """Return the versions that a text lists with commas or blanks; None if it is no such list."""
    words = re.split(r"[\s,]+", text.strip(" \t,"))
    return words if all(map(VERSION.fullmatch, words)) else None


def is_url(text: str) -> bool:
    """Return whether a list of approved versions stands at a URL."""
    return re.match(r"(?:https?|file)://", text, re.IGNORECASE) is not None


def is_place(text: str) -> bool:
    """Return whether `policy.approved` names a file by its path."""
    return versions_in(text) is None and "://" not in text


def _digests(value: object, _folder: Path) -> dict[str, dict[str, str]]:
    due = 'a table for each version, `[policy.digests."0.13.9"]`,'
    if not isinstance(value, dict):
        raise UnfitError(got=type_name(value), due=due)
    found: dict[str, dict[str, str]] = {}
    for version, table in value.items():
        if not VERSION.fullmatch(version):
            raise UnfitError(got=f"a table with `{shown(version)}` in it", due=due)
        if not isinstance(table, dict):
            raise UnfitError(got=f"a table with {type_name(table)} for {version}", due=due)
        found[version] = {name: _sha256(version, name, digest) for name, digest in table.items()}
    return found


def _sha256(version: str, name: str, digest: object) -> str:
    if not _FILE.fullmatch(name):
        raise UnfitError(got=f"`{shown(name)}` for {version}", due="the name of a file")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        got = f"{echo(digest)} for `{name}` of {version}"
        raise UnfitError(got=got, due="a sha256 of 64 hexadecimal digits")
    return digest.lower()


def _listed(text: str) -> object:
    return versions_in(text) or text


POLICY_KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "policy.versions": Key(attribute="", variable="UV_SELF_UPDATE_VERSIONS", check=_specifiers),
        "policy.min-age": Key(attribute="", variable="UV_SELF_UPDATE_MIN_AGE", check=_age),
        "policy.prerelease": Key(
            attribute="", variable="UV_SELF_UPDATE_PRERELEASE", check=flag, parse=boolean
        ),
        "policy.yanked": Key(
            attribute="", variable="UV_SELF_UPDATE_YANKED", check=flag, parse=boolean
        ),
        APPROVED: Key(
            attribute="", variable="UV_SELF_UPDATE_APPROVED", check=_approved, parse=_listed
        ),
        _REQUIRED: Key(
            attribute="", variable="UV_SELF_UPDATE_REQUIRE_DIGEST", check=flag, parse=boolean
        ),
        DIGESTS: Key(attribute="", variable="", check=_digests),
    }
)
"""No layer replaces another's value of these: see `policy` and `digest_rules`."""


def policy(layers: Sequence[Layer]) -> Policy:
    """Put the rules of several layers together: all of them hold."""
    rules = tuple(rule for layer in layers for rule in _rules(layer))
    silent = all(rule.name != BY_DEFAULT.name for rule in rules)
    return Policy(rules=(*rules, BY_DEFAULT) if silent else rules)


def _rules(layer: Layer) -> Iterator[Rule]:
    for name in RULES:
        value, origin = layer.get(f"policy.{name}", (None, ""))
        if value is None:
            continue
        written = value
        if name == "min-age":
            value = parse_age(value)
        elif name == "approved" and isinstance(value, str) and not is_url(value):
            value = Path(value).as_uri()
        yield Rule(name=name, value=value, written=written, origin=origin)


def digest_rules(layers: Sequence[Layer]) -> DigestRules:
    """Put what several layers say about digests together: all of it holds."""
    demands = [layer[_REQUIRED][1] for layer in layers if layer.get(_REQUIRED, (False, ""))[0]]
    pinned = (
        Pin(version=version, name=name, sha256=sha256, origin=origin)
        for layer in layers
        for tables, origin in [layer.get(DIGESTS, ({}, ""))]
        for version, files in tables.items()
        for name, sha256 in files.items()
    )
    return DigestRules(
        required=bool(demands), required_by=demands[0] if demands else "", pinned=tuple(pinned)
    )
