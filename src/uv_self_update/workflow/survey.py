"""List the contents of sources, for `init` and `releases`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from uv_self_update.errors import NoSourceAnswered, NoSuchVersion, SourceError, StatusRefused
from uv_self_update.platforms import triple_of
from uv_self_update.releases.policy import EVERYTHING
from uv_self_update.releases.target import NEWEST, newest_first, ranked
from uv_self_update.sources.interface import ArchiveSource, WheelSource
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.platforms import Platform
    from uv_self_update.releases.policy import Objection, Policy
    from uv_self_update.releases.release import Release
    from uv_self_update.sources.interface import Source


_log = logging.getLogger(__name__)

_NAMED = 3
"""Versions to name: each may cost a request."""


@frozen
class Inspection:
    """The versions of a source, and the files of one release for one platform."""

    versions: tuple[str, ...]
    """The newest versions, newest first, including pre-releases."""

    more: bool
    """Whether the source has older ones as well."""

    archive: bool
    """Whether the source has an archive or a wheel of uv."""

    wheel: bool
    """Whether that is a wheel rather than an archive."""

    installer: bool

    digest: str | None
    """The algorithm of the digest of that; None if no digest is known."""

    dated: bool = True
    """Whether the source has publication dates; False only for an index."""


@frozen
class Row:
    """One release at one source."""

    version: str
    source: str
    published: str | None
    """In UTC, as RFC 3339 writes it; None if unknown."""

    complete: bool | None
    """Whether it has an archive for this platform; None if the source does not list files."""

    allowed: bool
    """Whether the policy allows it, and it is no pre-release."""

    rule: str | None
    """The rule of the policy that hides it, or `pre-release`; None if allowed."""

    installed: bool
    platforms: tuple[str, ...] | None = None
    """The target triples that it has archives for; None if the source does not list files."""

    size: int | None = None
    """Bytes of the archive for this platform, if the list has them."""

    sha256: str | None = None
    """The digest of that archive, if the list has it."""


def inspect(source: Source, release: Release, platform: Platform) -> Inspection:
    """Inspect a release of a source; its files are requested, and not read.

    Raises:
        SourceError: The source cannot be used.
    """
    versions = _versions(source, release)
    source = source.itself()
    archive, installer, digest, dated = True, False, None, True
    if isinstance(source, WheelSource):
        digest, dated = source.digest_algorithm(release), source.dated(release)
    elif isinstance(source, ArchiveSource):
        archive, known = _there(source, release, platform.archive)
        installer, _ = _there(source, release, platform.installer)
        digest = "sha256" if known else None
    return Inspection(
        versions=versions[:_NAMED],
        more=len(versions) > _NAMED,
        archive=archive,
        wheel=isinstance(source, WheelSource),
        installer=installer,
        digest=digest,
        dated=dated,
    )


def _versions(source: Source, release: Release) -> tuple[str, ...]:
    """Return the newest versions of a source; the known one if it cannot list them."""
    try:
        return tuple(found.version for found in source.releases(_NAMED + 1))
    except SourceError as error:
        # The release itself is available, so the source is usable.
        _log.debug("the other versions cannot be listed: %s", error)
        return (release.version,)


def _there(source: ArchiveSource, release: Release, name: str) -> tuple[bool, bool]:
    """Return whether a file exists, and whether its digest is known."""
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
        undated: Objection | None = None
        for release in releases:
            objection = answering.objection(release, policy)
            undated = objection if objection is not None and objection.undated else undated
            rule = _hiding(objection, release, policy)
            archive = release.asset(platform.archive)
            row = Row(
                version=release.version,
                source=answering.name,
                published=release.published,
                complete=_complete(answering, release, platform),
                allowed=rule is None,
                rule=rule,
                installed=release.version == installed,
                platforms=_triples(release),
                size=None if archive is None else archive.size,
                sha256=None if archive is None else archive.sha256,
            )
            rows.setdefault(release.version, []).append(row)
        if undated is not None:
            _log.warning("%s", without_dates(answering.name, undated))
    if failures and not rows:
        raise failures[0] if len(failures) == 1 else NoSourceAnswered(failures)
    for failure in failures:
        _log.warning("%s", failure)
    return [row for version in newest_first(rows) for row in rows[version]]


def without_dates(source: str, objection: Objection) -> str:
    """Return a warning about a source without dates, whose releases `policy.min-age` hides."""
    rule = objection.rule
    return f"{rule.key} in {rule.origin} hides releases of {source}: it gives no dates for them"


def _hiding(objection: Objection | None, release: Release, policy: Policy) -> str | None:
    if objection is not None:
        return str(objection.rule)
    return None if ranked([release.version], NEWEST.under(policy)) else "pre-release"


def _triples(release: Release) -> tuple[str, ...] | None:
    """Return the target triples of the archives in a list; None if it lists no files."""
    if not release.assets:
        return None
    return tuple(sorted(filter(None, {triple_of(asset.name) for asset in release.assets})))


def _complete(source: Source, release: Release, platform: Platform) -> bool | None:
    if not isinstance(source, ArchiveSource):
        return True  # uv lists only wheels for this platform
    if release.assets is None:
        return None
    return release.asset(platform.archive) is not None
