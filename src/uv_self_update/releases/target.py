"""The requested version, and the choice among the versions of a source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uv_self_update.errors import InvalidTarget
from uv_self_update.messages import shown
from uv_self_update.releases.policy import EVERYTHING, Policy
from uv_self_update.suggestions import with_scheme
from uv_self_update.values import field, frozen, replace
from uv_self_update.versions import LONGEST_SPECIFIERS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable


_PREFIX = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_ANCHOR = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})*")
_NEWEST_NAMES = frozenset({"latest", "newest", "stable"})
_PACKAGE = re.compile(r"(?:uv|release|tag|refs/tags)[-_@/ ]*(?=[\dv<>=~!^])", re.IGNORECASE)
_SOURCE_ADVICE = (
    "To update from there, run `uv-self-update init {0}` once, or `uv-self-update --source {0}`."
)

NEAREST = 3
"""How many versions to suggest if the requested one is missing."""

_SHOWN = 40  # characters of a long request in a message


@frozen
class Wanted:
    """The requested version: the newest, an exact one, or the newest that matches a specifier."""

    specifier: str = ""
    """A specifier set of PEP 440; empty for any version."""

    exact: str | None = None
    policy: Policy = EVERYTHING
    """The rules that also apply."""

    installed: str | None = None
    """The installed version, if only newer ones are installed; None if any may be."""

    archive_only: bool = field(default=False, compare=False)
    """Whether the archive for this platform is the only file that is used, and is downloaded."""

    def may_install(self, version: str) -> bool:
        """Return whether a version would be installed: whether it is newer, if it has to be."""
        if self.installed is None:
            return True
        from packaging.version import Version  # noqa: PLC0415 # slow to import, see parse_target

        return Version(version) > Version(self.installed)

    def under(self, policy: Policy) -> Wanted:
        """Return the same request with a policy."""
        return replace(self, policy=policy)

    def __str__(self) -> str:
        """Return it in words, for a message: `uv 0.13.9`, `uv <0.13` or `release of uv`."""
        if self.exact is not None:
            return f"uv {self.exact}"
        prefix = re.fullmatch(r"==([0-9.]+)\.\*", self.specifier)
        specifier = prefix[1] if prefix else self.specifier
        return f"uv {specifier}" if specifier else "release of uv"

    @property
    def requirement(self) -> str:
        """The requirement of PEP 508."""
        return f"uv=={self.exact}" if self.exact is not None else f"uv{self.specifier}"


NEWEST = Wanted()


def parse_target(target: str) -> Wanted:
    """Parse the request of a user: an exact version (three numbers), a prefix, or a specifier.

    Raises:
        InvalidTarget: It has none of these forms.
    """
    text = target.strip()
    if len(text) > LONGEST_SPECIFIERS:
        start = text[:_SHOWN] + "…"
        raise InvalidTarget(start)
    if (found := _parsed(text)) is None:
        raise InvalidTarget(target, hint=_advice(text))
    return found


def _parsed(text: str) -> Wanted | None:
    """Return the version that a text requests; None if it has none of these forms."""
    version = text.removeprefix("v")
    if _PREFIX.fullmatch(version):
        return Wanted(specifier=f"=={version}.*")
    if VERSION.fullmatch(version):
        return Wanted(exact=version)
    if not re.search(r"[<>=~!]", text):
        return None
    # Slow to import, and not needed for the newest or an exact version.
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415

    try:
        return Wanted(specifier=str(SpecifierSet(text)))
    except InvalidSpecifier:
        return None


def _advice(text: str) -> str | None:
    """Return advice for a word that is not a version, if its meaning can be guessed."""
    if not text:
        return "Omit it for the newest version. If it comes from a variable, check that it is set."
    if text.lower() in _NEWEST_NAMES:
        return "Omit it: without a version, uv-self-update installs the newest."
    if "://" in text:
        return _SOURCE_ADVICE.format("URL")
    written = re.sub(r"\s+(?=[<>=~!])", ",", _PACKAGE.sub("", text))
    written = re.sub(r"[@^]|(?<![~<>=!])[~=](?!=)", _corrected, written)
    written = re.sub(r"\bv(?=\d)", "", re.sub(r"(?:\.[x*])+$", "", written))
    if _parsed(written) is not None:
        return f"Did you mean `{written}`?"
    if url := with_scheme(text):
        return f"{_SOURCE_ADVICE.format('URL')} Did you mean `{shown(url)}`?"
    if re.match(r"[~.]*[/\\]|[A-Za-z]:[/\\]", text) or re.search(r"\w[/\\]\w", text):
        return f"{_SOURCE_ADVICE.format('PATH')} `--uv PATH` names the uv to update."
    return None


def _corrected(sign: re.Match[str]) -> str:
    """Return the operator of PEP 440 for one of another package manager."""
    return "~=" if sign[0] in "~^" else ""


def newest_first(versions: Iterable[str]) -> list[str]:
    """Sort versions as PEP 440 orders them, newest first."""
    from packaging.version import Version  # noqa: PLC0415 # slow to import, see parse_target

    return sorted(versions, key=Version, reverse=True)


def choose(versions: Iterable[str], wanted: Wanted) -> str | None:
    """Return the newest version that matches the request, or None."""
    return next(iter(ranked(versions, wanted)), None)


def ranked(versions: Iterable[str], wanted: Wanted) -> list[str]:
    """Return the versions that match the request, newest first.

    A pre-release matches only if it is requested exactly, if the specifier contains one, or if the
    policy allows pre-releases. Other rules of the policy are not applied.
    """
    if wanted.exact is not None:
        return [wanted.exact] if wanted.exact in set(versions) else []
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 # as in parse_target

    specifiers = SpecifierSet(wanted.specifier)
    prereleases = bool(specifiers.prereleases or wanted.policy.prereleases)
    return newest_first(specifiers.filter(versions, prereleases=prereleases))


def nearest(versions: Iterable[str], wanted: Wanted, *, count: int = NEAREST) -> tuple[str, ...]:
    """Return up to `count` of the versions nearest to the request, newest first.

    Distances are numeric: from an exact version, or from the closest bound of a specifier. Without
    either, the newest versions are the nearest. Versions that the policy hides by name are
    returned only if there are no others.
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
    """Return the versions in a request: the exact one, or the bounds of the specifier."""
    return _ANCHOR.findall(wanted.exact or wanted.specifier)


def _position(version: str) -> tuple[int, ...]:
    """Return epoch, major, minor, patch, and -1 for a pre-release or 1 for a post-release."""
    from packaging.version import Version  # noqa: PLC0415 # as in parse_target

    parsed = Version(version)
    stage = -1 if parsed.is_prerelease else int(parsed.is_postrelease)
    return (parsed.epoch, parsed.major, parsed.minor, parsed.micro, stage)


def _distance(position: tuple[int, ...], anchors: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the distance of a version from the closest anchor, number by number.

    The first number that differs decides whether the version is above or below. From 0.12.4,
    0.13.0 is (0, 0, 1, -4, 0) away, and 0.11.9 is (0, 0, 1, -5, 0).
    """
    return min(
        max(
            tuple(one - other for one, other in zip(position, anchor, strict=True)),
            tuple(other - one for one, other in zip(position, anchor, strict=True)),
        )
        for anchor in anchors
    )
