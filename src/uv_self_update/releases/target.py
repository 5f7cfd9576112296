"""Which version is meant: TARGET, and the choice among the versions that a source has."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from uv_self_update.errors import InvalidTarget
from uv_self_update.releases.policy import EVERYTHING, Policy
from uv_self_update.versions import LONGEST_SPECIFIERS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable


_PREFIX = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_ANCHOR = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})*")
_NEAREST = 3
_SHOWN = 40  # characters of a TARGET that is longer than that


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person asks for: the newest, one version, or the newest that a specifier allows."""

    specifier: str = ""
    """A specifier set of PEP 440; empty for any version."""

    exact: str | None = None
    policy: Policy = EVERYTHING
    """The rules that a release has to obey besides."""

    def under(self, policy: Policy) -> Wanted:
        """Return the same under the rules of a policy."""
        return replace(self, policy=policy)

    def __str__(self) -> str:
        """Say what is wanted, after `has no`."""
        if self.exact is not None:
            return f"uv {self.exact}"
        prefix = re.fullmatch(r"==([0-9.]+)\.\*", self.specifier)
        specifier = prefix[1] if prefix else self.specifier
        return f"uv {specifier}" if specifier else "release of uv"

    @property
    def requirement(self) -> str:
        """The same as a requirement of PEP 508."""
        return f"uv=={self.exact}" if self.exact is not None else f"uv{self.specifier}"


NEWEST = Wanted()


def parse_target(target: str) -> Wanted:
    """Read a TARGET: an exact version (three numbers), a prefix (fewer), or a specifier set.

    Raises:
        InvalidTarget: It is none of these.
    """
    text = target.strip()
    if len(text) > LONGEST_SPECIFIERS:
        start = text[:_SHOWN] + "…"
        raise InvalidTarget(start)
    version = text.removeprefix("v")
    if _PREFIX.fullmatch(version):
        return Wanted(specifier=f"=={version}.*")
    if VERSION.fullmatch(version):
        return Wanted(exact=version)
    if not re.search(r"[<>=~!]", text):
        raise InvalidTarget(target)
    # Slow to import, and an update to the newest or to an exact version does without.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415

    try:
        return Wanted(specifier=str(SpecifierSet(text)))
    except InvalidSpecifier:
        raise InvalidTarget(target) from None


def newest_first(versions: Iterable[str]) -> list[str]:
    """Sort versions as PEP 440 orders them, newest first."""
    from packaging.version import Version  # noqa: PLC0415 # slow to import, see parse_target

    return sorted(versions, key=Version, reverse=True)


def choose(versions: Iterable[str], wanted: Wanted) -> str | None:
    """Return the newest of `versions` that is wanted, or None."""
    return next(iter(ranked(versions, wanted)), None)


def ranked(versions: Iterable[str], wanted: Wanted) -> list[str]:
    """Return those of `versions` that are wanted, newest first.

    A pre-release is wanted only if it is named exactly, or by a specifier that names one; or if
    the policy says so. What else the policy says is not looked at.
    """
    if wanted.exact is not None:
        return [wanted.exact] if wanted.exact in set(versions) else []
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 # as in parse_target

    specifiers = SpecifierSet(wanted.specifier)
    prereleases = bool(specifiers.prereleases or wanted.policy.prereleases)
    return newest_first(specifiers.filter(versions, prereleases=prereleases))


def nearest(versions: Iterable[str], wanted: Wanted) -> tuple[str, ...]:
    """Return up to three of `versions`, newest first: those next to what was wanted.

    Around an exact version or the bound of a specifier; the newest ones otherwise.
    """
    from packaging.version import Version  # noqa: PLC0415 # as in parse_target

    ordered = newest_first(set(versions))
    anchors = _ANCHOR.findall(wanted.exact or wanted.specifier)
    if not anchors:
        return tuple(ordered[:_NEAREST])
    anchor = Version(anchors[0])
    above = sum(Version(version) > anchor for version in ordered)
    start = max(0, min(above - 1, len(ordered) - _NEAREST))
    return tuple(ordered[start : start + _NEAREST])
