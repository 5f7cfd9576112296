"""What the sources hold, for a person to read: for `init` and `releases`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors import NoSourceAnswered, NoSuchVersion, SourceError, StatusRefused
from uv_self_update.releases.policy import EVERYTHING
from uv_self_update.releases.target import NEWEST, newest_first, ranked
from uv_self_update.sources.interface import ArchiveSource, WheelSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.platforms import Platform
    from uv_self_update.releases.policy import Policy
    from uv_self_update.releases.release import Release
    from uv_self_update.sources.interface import Source


_log = logging.getLogger(__name__)

_NAMED = 3
"""Versions to name: each may cost a request."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a source has, and what of one release for one platform."""

    versions: tuple[str, ...]
    """The newest versions, newest first, pre-releases among them."""

    more: bool
    """Whether there are older ones as well."""

    archive: bool
    """Whether there is what holds uv."""

    wheel: bool
    """Whether that is a wheel rather than an archive."""

    installer: bool

    digest: bool
    """Whether what holds uv can be checked."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One release at one source."""

    version: str
    source: str
    published: str | None
    """In UTC, as RFC 3339 writes it, where the source says so."""

    complete: bool | None
    """Whether there is an archive for this platform; None where the source does not list files."""

    allowed: bool
    """Whether it may be taken unasked."""

    rule: str | None
    """What hides it: a rule of the policy, or that it is a pre-release; None if nothing does."""

    installed: bool


def inspect(source: Source, release: Release, platform: Platform) -> Inspection:
    """Look at what a source has of a release; the files are asked for, and not read.

    Raises:
        SourceError: The source cannot be used.
    """
    versions = _versions(source, release)
    wheel = isinstance(source, WheelSource)
    archive = installer = digest = True
    if isinstance(source, ArchiveSource):
        archive, digest = _there(source, release, platform.archive)
        installer, _ = _there(source, release, platform.installer)
    return Inspection(
        versions=versions[:_NAMED],
        more=len(versions) > _NAMED,
        archive=archive,
        wheel=wheel,
        installer=installer and not wheel,
        digest=digest,
    )


def _versions(source: Source, release: Release) -> tuple[str, ...]:
    """Return the newest versions of a source, of which one is known."""
    try:
        return tuple(found.version for found in source.releases(_NAMED + 1))
    except SourceError as error:
        # It has what is needed: that the others cannot be listed is no reason to refuse it.
        _log.debug("the other versions cannot be listed: %s", error)
        return (release.version,)


def _there(source: ArchiveSource, release: Release, name: str) -> tuple[bool, bool]:
    """Return whether a file is there, and whether its digest is known."""
    asset = release.asset(name)
    if asset is None:
        return False, False
    try:
        with source.open(release, asset) as download:
            return True, (asset.sha256 or download.sha256) is not None
    except StatusRefused as error:
        if error.gone:
            return False, False
        raise


def overview(
    sources: Sequence[Source],
    *,
    platform: Platform,
    installed: str | None,
    limit: int,
    policy: Policy = EVERYTHING,
) -> list[Row]:
    """List the newest releases of every source, the newest first.

    Args:
        sources: The sources, in order.
        platform: Where uv runs.
        installed: The version that is installed, if any.
        limit: How many releases of each source.
        policy: What may be taken.

    Raises:
        SourceError: The only source has failed.
        NoSourceAnswered: Each of several has failed.
    """
    rows: dict[str, list[Row]] = {}
    failures: list[SourceError] = []
    for source in sources:
        try:
            answering = source.itself()
            releases = answering.releases(limit)
            if not releases:
                raise NoSuchVersion(answering.name, str(NEWEST), ())
        except SourceError as error:
            failures.append(error)
            continue
        for release in releases:
            rule = _hiding(answering, release, policy)
            row = Row(
                version=release.version,
                source=answering.name,
                published=release.published,
                complete=_complete(answering, release, platform),
                allowed=rule is None,
                rule=rule,
                installed=release.version == installed,
            )
            rows.setdefault(release.version, []).append(row)
    if failures and not rows:
        raise failures[0] if len(failures) == 1 else NoSourceAnswered(failures)
    for failure in failures:
        _log.warning("%s", failure)
    return [row for version in newest_first(rows) for row in rows[version]]


def _hiding(source: Source, release: Release, policy: Policy) -> str | None:
    objection = source.objection(release, policy)
    if objection is not None:
        return str(objection.rule)
    return None if ranked([release.version], NEWEST.under(policy)) else "pre-release"


def _complete(source: Source, release: Release, platform: Platform) -> bool | None:
    if not isinstance(source, ArchiveSource):
        return True  # uv names those only that fit this machine
    if release.assets is None:
        return None
    return release.asset(platform.archive) is not None
