"""The policy: rules that decide which releases may be installed.

Each rule comes from one origin: the system configuration file, the user configuration file or an
environment variable. A release is allowed if no rule objects to it. The user's rules are added to
those of the system configuration file, so they can restrict the policy further, but not loosen it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar, TypeVar

from uv_self_update.errors import HiddenByPolicy
from uv_self_update.redaction import redact_url
from uv_self_update.releases.ages import format_age
from uv_self_update.values import frozen
from uv_self_update.versions import is_prerelease

if TYPE_CHECKING:
    from collections.abc import Iterable

    from uv_self_update.releases.release import Release


_log = logging.getLogger(__name__)

_DEFAULT_ORIGIN = "default"

_LONGEST_VALUE = 80
"""Characters of a rule's value in a message."""

Written = str | bool | tuple[str, ...]
"""The value of a rule as TOML has it."""


@frozen
class Rule:
    """One rule from one origin."""

    key: ClassVar[str]
    """The key that sets it."""

    origin: str = ""
    """The file or the variable that sets it."""

    @property
    def written(self) -> Written:
        """The value as a configuration file has it."""
        raise NotImplementedError

    def objection_to_name(self, version: str) -> Objection | None:
        """Return an objection to a version that needs nothing but its name."""
        del version
        return None

    def objection_to(self, release: Release, *, now: float) -> Objection | None:
        """Return an objection to a release; `now` is in seconds since 1970."""
        del now
        return self.objection_to_name(release.version)

    def object(self, reason: str) -> Objection:
        """Return an objection of this rule."""
        return Objection(rule=self, reason=reason)

    def __str__(self) -> str:
        """Write the rule as in a configuration file."""
        return f"{self.key} = {_toml(self.written)}"


@frozen
class Versions(Rule):
    """A version has to match specifiers (PEP 440)."""

    key = "policy.versions"
    specifiers: str

    @property
    def written(self) -> str:
        return self.specifiers

    def objection_to_name(self, version: str) -> Objection | None:
        # Slow to import, and an update without such a rule does without.
        from packaging.specifiers import SpecifierSet  # noqa: PLC0415

        # Pre-releases have a rule of their own.
        fits = SpecifierSet(self.specifiers).contains(version, prereleases=True)
        return None if fits else self.object("out of range")


@frozen
class Prereleases(Rule):
    """Pre-releases count as the newest release, or are refused even by name."""

    key = "policy.prerelease"
    allowed: bool

    @property
    def written(self) -> bool:
        return self.allowed

    def objection_to_name(self, version: str) -> Objection | None:
        refused = not self.allowed and is_prerelease(version)
        return self.object("pre-release") if refused else None


@frozen
class Yanked(Rule):
    """A yanked version may be installed by name, or not at all."""

    key = "policy.yanked"
    allowed: bool

    @property
    def written(self) -> bool:
        return self.allowed

    @property
    def objection(self) -> Objection:
        """The objection to a yanked version; only an index knows which are yanked."""
        return self.object("yanked")


@frozen
class Approved(Rule):
    """A version has to be on a list."""

    key = "policy.approved"
    versions: tuple[str, ...] = ()
    """The list."""

    location: str = ""
    """The URL or the path of the list, if it is not in the configuration itself."""

    url: str | None = None
    """The same as a URL, until the list has been read; no version is refused before."""

    @property
    def written(self) -> str | tuple[str, ...]:
        return self.location or self.versions

    def objection_to_name(self, version: str) -> Objection | None:
        fits = self.url is not None or version in self.versions
        return None if fits else self.object("not an approved version")


@frozen
class MinimumAge(Rule):
    """A release has to be published for some time."""

    key = "policy.min-age"
    seconds: int
    text: str
    """The age as the configuration writes it: `3 days`, `P3D`."""

    @property
    def written(self) -> str:
        return self.text

    def objection_to(self, release: Release, *, now: float) -> Objection | None:
        from datetime import datetime  # noqa: PLC0415 # slow to import, and few have such a rule

        if not self.seconds:
            return None
        if release.published is None:
            return self.undated
        age = now - datetime.fromisoformat(release.published).timestamp()
        if age >= self.seconds:
            return None
        if age < 0:
            return self.object(f"published {format_age(-age)} ahead of this machine's clock")
        return self.object(f"published {format_age(age)} ago")

    @property
    def undated(self) -> Objection:
        """The objection to a release without a date."""
        return Objection(rule=self, reason="no publication date from the source", undated=True)

    @property
    def too_young(self) -> Objection:
        """The objection to a release whose exact date is unknown."""
        return self.object(f"published less than {format_age(self.seconds)} ago")


@frozen
class Objection:
    """Why a rule hides a release."""

    rule: Rule
    reason: str
    """What follows the version and a colon: `published 2 days ago`."""

    undated: bool = False
    """Whether only a missing date is the reason."""

    def __str__(self) -> str:
        """Give the reason, the rule and its origin."""
        rule = self.rule
        text = str(rule)
        longest = len(rule.key) + len(" = ") + _LONGEST_VALUE
        if len(text) > longest:
            text = f"{text[:longest]}…"
        origin = "by default" if rule.origin == _DEFAULT_ORIGIN else f"in {rule.origin}"
        return f"{self.reason} (`{text}` {origin})"


_ORDER: tuple[type[Rule], ...] = (Versions, Prereleases, Yanked, Approved, MinimumAge)
"""Rules that need only the name of a version come first."""

_RuleT = TypeVar("_RuleT", bound=Rule)


@frozen
class Policy:
    """The rules of all origins; without any, every release is allowed."""

    rules: tuple[Rule, ...] = ()

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Policy:
        """Return the policy of configured rules: in order, and with the default ones."""
        ordered = sorted(rules, key=lambda rule: _ORDER.index(type(rule)))
        if not any(isinstance(rule, Yanked) for rule in ordered):
            ordered.append(_NO_YANKED)
        return cls(rules=tuple(ordered))

    def objection_to(self, release: Release, *, now: float) -> Objection | None:
        """Return the first objection to a release, as its source has described it.

        Args:
            release: Its version, and when it was published.
            now: Seconds since 1970.
        """
        found = (rule.objection_to(release, now=now) for rule in self.rules)
        return next(filter(None, found), None)

    def objection_to_name(self, version: str) -> Objection | None:
        """Return the first objection that needs nothing but the name of a version."""
        found = (rule.objection_to_name(version) for rule in self.rules)
        return next(filter(None, found), None)

    def refuse(self, version: str) -> None:
        """Refuse a version that is hidden by its name alone.

        Raises:
            HiddenByPolicy: A rule objects to the name.
        """
        objection = self.objection_to_name(version)
        if objection is not None:
            raise hidden(version, objection)

    @property
    def prereleases(self) -> bool | None:
        """Whether pre-releases count as the newest; None if no rule decides it."""
        rules = self._of(Prereleases)
        return all(rule.allowed for rule in rules) if rules else None

    @property
    def against_yanked(self) -> Yanked | None:
        """The first rule that refuses yanked versions, even by name."""
        return next((rule for rule in self._of(Yanked) if not rule.allowed), None)

    @property
    def narrows(self) -> bool:
        """Whether the newest version may be hidden."""
        return any(isinstance(rule, Versions | Approved | MinimumAge) for rule in self.rules)

    @property
    def specifiers(self) -> str:
        """The specifiers of all origins, joined by commas."""
        return ",".join(rule.specifiers for rule in self._of(Versions))

    @property
    def longest_age(self) -> MinimumAge | None:
        """The strictest rule about the age."""
        rules = [rule for rule in self._of(MinimumAge) if rule.seconds]
        return max(rules, key=lambda rule: rule.seconds, default=None)

    @property
    def unread(self) -> list[Approved]:
        """The rules whose list has to be read before they can be applied."""
        return [rule for rule in self._of(Approved) if rule.url is not None]

    @property
    def approved(self) -> frozenset[str] | None:
        """The versions that are on every list of approved versions; None without a list."""
        lists = [rule.versions for rule in self._of(Approved) if rule.url is None]
        return frozenset(lists[0]).intersection(*lists[1:]) if lists else None

    def _of(self, kind: type[_RuleT]) -> list[_RuleT]:
        return [rule for rule in self.rules if isinstance(rule, kind)]


_NO_YANKED = Yanked(allowed=False, origin=_DEFAULT_ORIGIN)

EVERYTHING = Policy()
"""No rule at all."""

DEFAULT = Policy.of(())
"""The policy if nothing is configured."""


def hidden(
    version: str, objection: Objection, *, source: str = "", named: bool = True
) -> HiddenByPolicy:
    """Return the error for a version that a rule hides.

    Args:
        version: The version; without an exact one, the newest that was requested.
        objection: What hides it.
        source: The source that has it, if one was asked.
        named: Whether an exact version was requested, so that others may be allowed.
    """
    rule = objection.rule
    only = "" if named else f"{rule.key} in {rule.origin}"
    return HiddenByPolicy(source, version, str(objection), only=only)


def tell(version: str, objection: Objection) -> None:
    """Log that the newest version is skipped; at info, because the user configured it."""
    _log.info("Skipping uv %s: %s", version, objection)


def _toml(value: Written) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{redact_url(value)}"'
    return f"[{', '.join(map(_toml, value))}]"
