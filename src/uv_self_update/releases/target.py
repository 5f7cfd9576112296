"""Which version is meant: TARGET, and the choice among the versions that a source has."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from uv_self_update.errors import InvalidTarget
from uv_self_update.messages import shown
from uv_self_update.releases.policy import EVERYTHING, Policy
from uv_self_update.suggestions import with_scheme
from uv_self_update.versions import LONGEST_SPECIFIERS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable


_PREFIX = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_ANCHOR = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})*")
_NEWEST_NAMES = frozenset({"latest", "newest", "stable"})
_PACKAGE = re.compile(r"(?:uv|release|tag|refs/tags)[-_@/ ]*(?=[\dv<>=~!^])", re.IGNORECASE)
_PLACE_ADVICE = (
    "To update from there, type `uv-self-update init {0}` once, or `uv-self-update --source {0}`."
)

NEAREST = 3
"""Versions to offer where the wanted one is missing."""

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
    if (found := _parsed(text)) is None:
        raise InvalidTarget(target, hint=_advice(text))
    return found


def _parsed(text: str) -> Wanted | None:
    """Return what a TARGET asks for; None if it is none."""
    version = text.removeprefix("v")
    if _PREFIX.fullmatch(version):
        return Wanted(specifier=f"=={version}.*")
    if VERSION.fullmatch(version):
        return Wanted(exact=version)
    if not re.search(r"[<>=~!]", text):
        return None
    # Slow to import, and an update to the newest or to an exact version does without.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415

    try:
        return Wanted(specifier=str(SpecifierSet(text)))
    except InvalidSpecifier:
        return None


def _advice(text: str) -> str | None:
    """Return what was probably meant by a word that is no version; None where that is not clear."""
    if not text:
        return "Leave it out for the newest version. Is the variable that it comes from set?"
    if text.lower() in _NEWEST_NAMES:
        return "Leave it out: without a version, uv-self-update takes the newest."
    if "://" in text:
        return _PLACE_ADVICE.format("URL")
    written = re.sub(r"\s+(?=[<>=~!])", ",", _PACKAGE.sub("", text))
    written = re.sub(r"[@^]|(?<![~<>=!])[~=](?!=)", _corrected, written)
    written = re.sub(r"\bv(?=\d)", "", re.sub(r"(?:\.[x*])+$", "", written))
    if _parsed(written) is not None:
        return f"Did you mean `{written}`?"
    if url := with_scheme(text):
        return f"{_PLACE_ADVICE.format('URL')} Did you mean `{shown(url)}`?"
    if re.match(r"[~.]*[/\\]|[A-Za-z]:[/\\]", text) or re.search(r"\w[/\\]\w", text):
        return f"{_PLACE_ADVICE.format('PATH')} `--uv PATH` names the uv to update."
    return None


def _corrected(sign: re.Match[str]) -> str:
    """Return what a sign of other languages is in a specifier of Python's."""
    return "~=" if sign[0] in "~^" else ""


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


def nearest(versions: Iterable[str], wanted: Wanted, *, count: int = NEAREST) -> tuple[str, ...]:
    """Return up to `count` of `versions`, newest first: those nearest to what was wanted.

    Distances are numeric: from an exact version, or from the closest bound of a specifier. Without
    either, the newest versions are the nearest. What the policy forbids by its name is offered only
    if nothing else is there.
    """
    known = set(versions)
    allowed = {version for version in known if not wanted.policy.objection_to_name(version)}
    ordered = newest_first(allowed or known)
    anchors = [_position(text) for text in bounds(wanted)]
    if anchors:
        near = sorted(ordered, key=lambda version: _distance(_position(version), anchors))
        ordered = newest_first(near[:count])
    return tuple(ordered[:count])


def bounds(wanted: Wanted) -> list[str]:
    """Return the versions that a request names: the exact one, or the bounds of the specifier."""
    return _ANCHOR.findall(wanted.exact or wanted.specifier)


def _position(version: str) -> tuple[int, ...]:
    """Return where a version is: epoch, major, minor, patch, and before or after that release."""
    from packaging.version import Version  # noqa: PLC0415 # as in parse_target

    parsed = Version(version)
    stage = -1 if parsed.is_prerelease else int(parsed.is_postrelease)
    return (parsed.epoch, parsed.major, parsed.minor, parsed.micro, stage)


def _distance(position: tuple[int, ...], anchors: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Return how far a version is from the closest anchor; compared number by number.

    The first number that differs decides whether it is above or below. From 0.12.4, 0.13.0 is
    (0, 0, 1, -4, 0) away, and 0.11.9 is (0, 0, 1, -5, 0).
    """
    return min(
        max(
            tuple(one - other for one, other in zip(position, anchor, strict=True)),
            tuple(other - one for one, other in zip(position, anchor, strict=True)),
        )
        for anchor in anchors
    )
