"""The fields of `[policy]`, and how the rules of several origins become one policy."""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from uv_self_update.config.field import Field, InvalidValue, ValueType, by_name
from uv_self_update.config.value_types import Flag
from uv_self_update.messages import invalid, shown
from uv_self_update.releases.ages import parse_age
from uv_self_update.releases.digests import DigestRules, Pin
from uv_self_update.releases.policy import (
    Approved,
    MinimumAge,
    Policy,
    Prereleases,
    Versions,
    Yanked,
)
from uv_self_update.values import frozen, replace
from uv_self_update.versions import LONGEST_SPECIFIERS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from uv_self_update.config.field import Layer


DIGESTS = "policy.digests"
_REQUIRED = "policy.require-digest"

_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_FILE = re.compile(r"[\w.+-]+", re.ASCII)


class VersionsType(ValueType):
    """A version specifier (PEP 440)."""

    expected = "a version specifier such as `>=0.11,<0.14`"

    def parse(self, value: object, _directory: Path) -> Versions:
        if not isinstance(value, str) or not value.strip():
            raise self.invalid(value)
        if len(value) > LONGEST_SPECIFIERS:
            raise self.error(got=f"value longer than {LONGEST_SPECIFIERS} characters")
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 # slow to import

        try:
            SpecifierSet(value)
        except InvalidSpecifier:
            raise self.invalid(value) from None
        # uv does not support arbitrary equality (PEP 440) in its requirements.
        if "===" in value:
            raise self.invalid(value)
        return Versions(specifiers=value.strip())


class MinimumAgeType(ValueType):
    """An age in words, or as ISO 8601 writes it."""

    expected = "an age of at most ten years, such as `3 days`, `12 hours`, `2 weeks` or `P3D`"

    def parse(self, value: object, _directory: Path) -> MinimumAge:
        seconds = parse_age(value) if isinstance(value, str) else None
        if not isinstance(value, str) or seconds is None:
            raise self.invalid(value)
        return MinimumAge(seconds=seconds, text=value.strip())


@frozen
class AllowedType(ValueType):
    """Whether something is allowed."""

    expected = Flag.expected
    rule: type[Prereleases | Yanked]

    def parse(self, value: object, directory: Path) -> Prereleases | Yanked:
        return self.rule(allowed=Flag().parse(value, directory))

    def from_text(self, text: str) -> object:
        return Flag().from_text(text)


class ApprovedType(ValueType):
    """Versions, or the URL or the path of a list of them."""

    expected = "a list of versions, or the URL or the path of one"

    def parse(self, value: object, directory: Path) -> Approved:
        if isinstance(value, list):
            return Approved(versions=self._versions(value))
        if not isinstance(value, str) or not value.strip() or "\0" in value:
            raise self.invalid(value)
        if re.match(r"(?:https?|file)://", value, re.IGNORECASE):
            return Approved(location=value, url=value)
        if "://" in value:
            reason = f"`{shown(value)}` does not start with `http://`, `https://` or `file://`"
            raise InvalidValue(reason)
        try:
            path = directory / Path(value).expanduser()
        except RuntimeError as error:  # no home directory to replace `~`
            raise self.invalid(value, detail=f" ({error})") from None
        return Approved(location=str(path), url=path.as_uri())

    def _versions(self, values: Sequence[object]) -> tuple[str, ...]:
        for value in values:
            if not isinstance(value, str) or not VERSION.fullmatch(value):
                raise self.error(got=f"{invalid(value)} in the list")
        if not values:
            raise self.error(got="empty list, which allows nothing")
        return tuple(str(value) for value in values)

    def from_text(self, text: str) -> object:
        return versions_in(text) or text

    def is_path(self, text: str) -> bool:
        return bool(text) and versions_in(text) is None and "://" not in text


def versions_in(text: str) -> list[str] | None:
    """Return the versions of a list with commas or spaces; None for any other text."""
    words = re.split(r"[\s,]+", text.strip(" \t,"))
    return words if all(map(VERSION.fullmatch, words)) else None


class DigestsType(ValueType):
    """For each version, its files and their digests."""

    expected = 'a table for each version, such as `[policy.digests."0.13.9"]`'

    def parse(self, value: object, _directory: Path) -> tuple[Pin, ...]:
        if not isinstance(value, dict):
            raise self.invalid(value)
        return tuple(self._pins(value))

    def _pins(self, tables: Mapping[str, object]) -> Iterator[Pin]:
        for version, table in tables.items():
            if not VERSION.fullmatch(version):
                raise self.error(got=f"invalid version `{shown(version)}`")
            if not isinstance(table, dict):
                raise self.error(got=f"{invalid(table)} for {version}")
            for name, digest in table.items():
                yield _pin(version, name, digest)


def _pin(version: str, name: str, digest: object) -> Pin:
    if not _FILE.fullmatch(name):
        reason = f"invalid file name `{shown(name)}` for {version}"
        raise InvalidValue(reason)
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        expected = "expected a SHA-256 digest of 64 hexadecimal digits"
        reason = f"{invalid(digest)} for `{name}` of {version}: {expected}"
        raise InvalidValue(reason)
    return Pin(version=version, name=name, sha256=digest.lower())


POLICY_FIELDS: Mapping[str, Field] = MappingProxyType(
    by_name(
        Field(
            name=Versions.key,
            type=VersionsType(),
            help="The allowed versions.",
            example='versions = ">=0.11,<0.14"',
        ),
        Field(
            name=MinimumAge.key,
            type=MinimumAgeType(),
            help="How long ago a release must have been published.",
            example='min-age = "3 days"',
        ),
        Field(
            name=Prereleases.key,
            type=AllowedType(rule=Prereleases),
            help="true: a pre-release can be the newest version. false: pre-releases are refused. "
            "Unset: they are installed only by name.",
            example="prerelease = false",
        ),
        Field(
            name=Yanked.key,
            type=AllowedType(rule=Yanked),
            help="Whether a yanked release can be installed by name.",
            example="yanked = false",
        ),
        Field(
            name=Approved.key,
            type=ApprovedType(),
            help="The approved versions: a list, or the URL or the path of one, relative to this "
            "file.",
            example='approved = ["0.12.24", "0.13.9"]',
        ),
        Field(
            name=_REQUIRED,
            type=Flag(),
            help="Whether to refuse a file without a digest.",
            example="require-digest = true",
        ),
        Field(
            name=DIGESTS,
            type=DigestsType(),
            help="Digests of your own, which override those of the source: of the archive for this "
            "machine, or of the wheel.",
            example=f'digests."0.13.9" = {{ "uv-x86_64-unknown-linux-gnu.tar.gz" = "{"0" * 64}" }}',
        ),
    )
)
"""No origin replaces another's value of these: see `policy` and `digest_rules`."""


def policy(layers: Sequence[Layer]) -> Policy:
    """Return the policy with the rules of all layers."""
    return Policy.of(
        replace(layer[key][0], origin=layer[key][1])
        for layer in layers
        for key in POLICY_FIELDS
        if key in layer and key not in {_REQUIRED, DIGESTS}
    )


def digest_rules(layers: Sequence[Layer]) -> DigestRules:
    """Return what all layers require of digests."""
    demands = [layer[_REQUIRED][1] for layer in layers if layer.get(_REQUIRED, (False, ""))[0]]
    pinned = (
        replace(pin, origin=origin)
        for layer in layers
        for pins, origin in [layer.get(DIGESTS, ((), ""))]
        for pin in pins
    )
    return DigestRules(
        required=bool(demands), required_by=demands[0] if demands else "", pinned=tuple(pinned)
    )
