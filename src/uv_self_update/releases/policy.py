"""Which releases may be taken: rules, and what each of them objects to.

A rule stands in one place: the machine's file, the user's, a variable. Those of the machine's file
and those of the person are put together, and a release is allowed if none of them objects. So the
person can add to what the machine's file says, and take nothing away.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from uv_self_update.errors import HiddenByPolicy
from uv_self_update.redaction import redact_url
from uv_self_update.versions import is_prerelease

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from uv_self_update.releases.release import Release


_log = logging.getLogger(__name__)

RuleName = Literal["versions", "min-age", "prerelease", "yanked", "approved"]

RULES: tuple[RuleName, ...] = ("versions", "prerelease", "yanked", "approved", "min-age")
"""In the order in which they are asked: what a version's name tells comes first."""

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_WORDS = re.compile(rf"(\d{{1,9}}) ?({'|'.join(_UNITS)})s?", re.ASCII)
_ISO = re.compile(
    r"P(?=[\dT])(?:(\d{1,9})W)?(?:(\d{1,9})D)?"
    r"(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?",
    re.ASCII,
)
_ISO_UNITS = ("week", "day", "hour", "minute", "second")
_LONGEST = 3650 * 86_400
"""Ten years, in seconds: uv is younger than that."""

_SHOWN = 80  # characters of a rule's value in a sentence


def parse_age(text: str) -> int | None:
    """Return the seconds of `3 days`, `12 hours`, `P3D` or `PT12H`; None for anything else."""
    if words := _WORDS.fullmatch(text.strip().lower()):
        seconds = int(words[1]) * _UNITS[words[2]]
    elif iso := _ISO.fullmatch(text.strip().upper()):
        pairs = zip(iso.groups(default="0"), _ISO_UNITS, strict=True)
        seconds = sum(int(count) * _UNITS[unit] for count, unit in pairs)
    else:
        return None
    return seconds if seconds <= _LONGEST else None


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of one place."""

    name: RuleName
    value: str | int | bool | tuple[str, ...]
    """A specifier set; seconds; whether they are allowed; versions, or the place of their list."""

    written: str | bool | tuple[str, ...]
    """The same as a configuration file has it."""

    origin: str
    """The file, or the variable, that it stands in."""

    @property
    def key(self) -> str:
        """The key that sets it."""
        return f"policy.{self.name}"

    @property
    def list_place(self) -> str | None:
        """The URL of the list of approved versions, if that has to be read first."""
        named = self.name == "approved" and isinstance(self.value, str)
        return str(self.value) if named else None

    @property
    def seconds(self) -> int:
        """The value of a rule about the age."""
        return self.value if isinstance(self.value, int) else 0

    def __str__(self) -> str:
        """Write it as it stands in a configuration file."""
        return f"{self.key} = {_toml(self.written)}"


BY_DEFAULT = Rule(name="yanked", value=False, written=False, origin="default")
"""What holds where nothing is said about it."""


@dataclass(frozen=True, kw_only=True)
class Objection:
    """Why a rule hides a release."""

    rule: Rule
    reason: str
    """A sentence without its end: `it was published 2 days ago`."""

    undated: bool = False
    """Whether it is for want of a date only."""

    def __str__(self) -> str:
        """Say the reason, and which rule it is, and where that stands."""
        rule = self.rule
        value = _toml(rule.written).strip('"')
        if len(value) > _SHOWN:
            value = f"{value[:_SHOWN]}…"
        if rule == BY_DEFAULT:
            return f"{self.reason}, and {rule.key} is {value} unless it is set"
        return f"{self.reason}, and {rule.key} in {rule.origin} is {value}"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The rules of all places; without any, everything is allowed."""

    rules: tuple[Rule, ...] = ()

    def objection_to(self, release: Release, *, now: float) -> Objection | None:
        """Return why a release must not be taken, as far as its source has described it.

        Args:
            release: Its version, and when it was published.
            now: Seconds since 1970.
        """
        by_name = self.objection_to_name(release.version)
        if by_name is not None:
            return by_name
        for rule in self._named("min-age"):
            if objection := _too_young(rule, release.published, now):
                return objection
        return None

    def objection_to_name(self, version: str) -> Objection | None:
        """Return what a version's name alone is reason enough for; nothing is read for it."""
        for rule in self._named("versions"):
            if not _contains(str(rule.value), version):
                return Objection(rule=rule, reason="it is out of range")
        for rule in self._named("prerelease"):
            if not rule.value and is_prerelease(version):
                return Objection(rule=rule, reason="it is a pre-release")
        for rule in self._named("approved"):
            if isinstance(rule.value, tuple) and version not in rule.value:
                return Objection(rule=rule, reason="it is not among the approved versions")
        return None

    def refuse(self, version: str) -> None:
        """Make sure that a version may be asked for by its name.

        Raises:
            HiddenByPolicy: Its name alone says that it may not be taken.
        """
        objection = self.objection_to_name(version)
        if objection is not None:
            raise hidden(version, objection)

    @property
    def prereleases(self) -> bool | None:
        """Whether pre-releases count as the newest; None where nothing is said about them."""
        said = [bool(rule.value) for rule in self._named("prerelease")]
        return all(said) if said else None

    @property
    def against_yanked(self) -> Rule | None:
        """The rule that refuses what was yanked even by its name; None where there is none."""
        return next((rule for rule in self._named("yanked") if not rule.value), None)

    @property
    def narrows(self) -> bool:
        """Whether anything may be hidden that would be the newest otherwise."""
        return any(rule.name in {"versions", "approved", "min-age"} for rule in self.rules)

    @property
    def specifiers(self) -> str:
        """The specifiers of all places, joined."""
        return ",".join(str(rule.value) for rule in self._named("versions"))

    @property
    def longest_age(self) -> Rule | None:
        """The strictest rule about the age; None where there is none."""
        rules = [rule for rule in self._named("min-age") if rule.value]
        return max(rules, key=lambda rule: rule.seconds, default=None)

    @property
    def approved(self) -> frozenset[str] | None:
        """The versions that every list of approved ones has; None where there is no list."""
        lists = [rule.value for rule in self._named("approved") if isinstance(rule.value, tuple)]
        return frozenset(lists[0]).intersection(*lists[1:]) if lists else None

    def _named(self, name: RuleName) -> Iterator[Rule]:
        return (rule for rule in self.rules if rule.name == name)


EVERYTHING = Policy()
"""No rule at all."""

DEFAULT = Policy(rules=(BY_DEFAULT,))
"""Where nothing is configured."""


def hidden(
    version: str, objection: Objection, *, source: str = "", named: bool = True
) -> HiddenByPolicy:
    """Return the error that says why a version is not to be had.

    Args:
        version: The version; where none was named, the newest that was asked for.
        objection: What hides it.
        source: The source that has it, if one was asked.
        named: Whether it was named, so that others may be allowed.
    """
    rule = objection.rule
    only = "" if named else f"{rule.key} in {rule.origin}"
    return HiddenByPolicy(source, version, str(objection), only=only)


def tell(version: str, objection: Objection) -> None:
    """Say that the newest version was passed over; calmly, since that is what was asked for."""
    _log.info("uv %s is not taken: %s", version, objection)


def ago(seconds: float) -> str:
    """Say how long something takes, in the largest unit that it fills."""
    unit, length = "second", 1
    for name, size in _UNITS.items():
        if size <= seconds and name != "week":
            unit, length = name, size
    count = int(seconds // length)
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _too_young(rule: Rule, published: str | None, now: float) -> Objection | None:
    from datetime import datetime  # noqa: PLC0415 # slow to import, and few have such a rule

    if not rule.value:
        return None  # an age of nothing is no rule
    if published is None:
        return Objection(rule=rule, reason="the source gives no date of it", undated=True)
    age = now - datetime.fromisoformat(published).timestamp()
    if age >= rule.seconds:
        return None
    if age < 0:
        reason = f"it was published {ago(-age)} ahead of this machine's clock"
        return Objection(rule=rule, reason=reason)
    return Objection(rule=rule, reason=f"it was published {ago(age)} ago")


def _contains(specifiers: str, version: str) -> bool:
    # As in target: an update to the newest does without.
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 # slow to import

    # Whether pre-releases are welcome is another rule's matter.
    return SpecifierSet(specifiers).contains(version, prereleases=True)


def _toml(value: str | bool | Iterable[str]) -> str:  # noqa: FBT001 # a value, not a switch
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{redact_url(value)}"'
    return f"[{', '.join(map(_toml, value))}]"
