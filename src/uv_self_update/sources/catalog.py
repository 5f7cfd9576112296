"""The base class of sources that list their releases: it selects one of them.

A kind implements the list, the files of a release, and the download of a file. This module
implements the rest: the order of PEP 440 instead of the server's, releases without this platform's
archive, and the digests next to the files.
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.background import Early
from uv_self_update.errors import NoArchive, NoSuchVersion, StatusRefused, TooLarge, UnexpectedBody
from uv_self_update.network.limits import DEFAULTS
from uv_self_update.platforms import triple_of
from uv_self_update.releases.digests import embedded, only_sums, parse_sums
from uv_self_update.releases.policy import hidden, tell
from uv_self_update.releases.target import nearest, newest_first, ranked
from uv_self_update.sources.formats.documents import describe, start_of
from uv_self_update.sources.formats.json_array import MAX_ENTRIES
from uv_self_update.sources.interface import ArchiveSource
from uv_self_update.sources.layout import is_asset
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.policy import Objection, Policy
    from uv_self_update.releases.release import Asset, Release
    from uv_self_update.releases.target import Wanted


ByVersion = dict[str, list["Release"]]
"""Version -> its releases: a source may have one version in two places."""

_log = logging.getLogger(__name__)

DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
"""The statuses for missing or insufficient credentials."""

_MAX_CANDIDATES = 25
"""Releases whose files are listed before giving up; each may cost a request."""

_MAX_RELEASES = 10_000
"""Releases in a list; uv has a few hundred."""

_SUMS = "sha256.sum"
_SCRIPT = "uv-installer.sh"


class CatalogSource(ArchiveSource):
    """A source that lists its releases; the list is requested once."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._list = Early(lambda: self.collected(self.listed()))

    @abstractmethod
    def listed(self) -> Iterable[Release]:
        """Return every release, in any order, with or without its files."""

    @abstractmethod
    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Open one file for download; see `ArchiveSource.open`."""

    def presumed(self, releases: Sequence[Release], wanted: Wanted) -> Release | None:  # noqa: ARG002 # most list all files at once
        """Return the release of a version if that is known without a list of its files."""
        return None

    def confirmed(self, release: Release, wanted: Wanted) -> bool:  # noqa: ARG002 # most trust their list
        """Return whether the listed files exist."""
        return True

    def checksum(self, release: Release, asset: Asset) -> str | None:  # noqa: ARG002 # few know one
        """Return the sha256 that the server itself computed for a file, or None."""
        return None

    @cached_property
    def by_version(self) -> ByVersion:
        """Every release by its version."""
        return self._list.result()

    def list_ahead(self) -> None:
        self._list.begin()

    def collected(self, releases: Iterable[Release]) -> ByVersion:
        """Group releases by version.

        Raises:
            SourceError: The source cannot be used.
            TooLarge: The list has too many releases or files to keep in memory.
        """
        found: dict[str, list[Release]] = {}
        files = 0
        for number, release in enumerate(releases, 1):
            files += len(release.assets or ())
            if number > _MAX_RELEASES:
                raise TooLarge(self.name, _MAX_RELEASES, unit="releases")
            if files > MAX_ENTRIES:
                raise TooLarge(self.name, MAX_ENTRIES, unit="files")
            found.setdefault(release.version, []).append(release)
        return found

    def find(self, wanted: Wanted) -> Release:
        return self.pick(self.by_version, wanted)

    def pick(self, releases: Mapping[str, Sequence[Release]], wanted: Wanted) -> Release:
        """Return the newest wanted release that is allowed and has this platform's archive.

        The files of a release that would not be installed do not matter, and are not listed.

        Raises:
            HiddenByPolicy: The policy hides every wanted release.
            NoSuchVersion: No release is wanted, or none has the archive.
            SourceError: The source cannot be used.
        """
        now = time.time()
        versions = ranked(releases, wanted)
        hidden_versions = {
            version: objection
            for version in versions
            if (objection := _surely_hidden(releases[version], wanted.policy, now))
        }
        candidates = [version for version in versions if version not in hidden_versions]
        archive = self._platform.archive
        incomplete: list[str] = []
        not_uv: set[str] = set()
        for version in candidates[:_MAX_CANDIDATES]:
            if wanted.may_install(version):
                release = self.presumed(releases[version], wanted) or self._best(releases[version])
                if not _is_uv(release):
                    not_uv.add(version)
                    continue
                if objection := wanted.policy.objection_to(release, now=now):
                    hidden_versions[version] = objection
                    continue
                if release.asset(archive) is None or not self.confirmed(release, wanted):
                    incomplete.append(version)
                    continue
            else:
                release = releases[version][0]
            if incomplete:
                skipped = f"uv {', '.join(incomplete)}"
                _log.warning(
                    "Skipping %s: %s has no %s; using uv %s",
                    *(skipped, self.name, archive, version),
                )
            _tell_hidden(hidden_versions, versions[: versions.index(version)])
            return release
        if incomplete:
            _tell_hidden(hidden_versions, versions[: versions.index(incomplete[0])])
            others = candidates[_MAX_CANDIDATES:][:3]
            raise NoArchive(self.name, str(wanted), archive, incomplete, others)
        for version in versions:
            if version in hidden_versions:
                named = wanted.exact is not None
                raise hidden(version, hidden_versions[version], source=self.name, named=named)
        known = releases.keys() - not_uv
        raise NoSuchVersion(self.name, str(wanted), nearest(known, wanted))

    def offers(self, releases: Mapping[str, Sequence[Release]], wanted: Wanted) -> bool:
        """Return whether any release is wanted, allowed and has this platform's archive.

        It makes no request: a release whose files are unknown does not count.
        """
        now, archive = time.time(), self._platform.archive
        return any(
            release.asset(archive) is not None
            and _is_uv(release)
            and wanted.policy.objection_to(release, now=now) is None
            for version in ranked(releases, wanted)
            for release in releases[version]
        )

    def permitted(self, release: Release, wanted: Wanted) -> Release:
        """Return a release that was found by its exact version, if the policy allows it.

        Raises:
            HiddenByPolicy: The policy hides it.
        """
        objection = wanted.policy.objection_to(release, now=time.time())
        if objection is not None:
            raise hidden(release.version, objection, source=self.name)
        return release

    def at_least(self, limit: int) -> ByVersion:  # noqa: ARG002 # most read their whole list at once
        """Return releases by version, among them the newest `limit` ones."""
        return self.by_version

    def releases(self, limit: int) -> tuple[Release, ...]:
        releases = self.at_least(limit)
        versions = newest_first(releases)[:limit]
        return tuple(self._best(releases[version]) for version in versions)

    def listing(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases, without a request for the files of each."""
        releases = self.at_least(limit)
        return tuple(releases[version][0] for version in newest_first(releases)[:limit])

    def _best(self, releases: Sequence[Release]) -> Release:
        """Return the first release of a version with this platform's archive, else the first."""
        detailed: list[Release] = []
        for release in map(self.with_files, releases):
            if release.asset(self._platform.archive) is not None:
                return release
            detailed.append(release)
        return detailed[0]

    @contextmanager
    def open(self, release: Release, asset: Asset) -> Iterator[Download]:
        """Open one file for download, with its digest if one is published."""
        sha256 = asset.sha256 or self._published_digest(release, asset)
        with self.fetch(release, asset) as download:
            yield download if sha256 is None else replace(download, sha256=sha256)

    def _published_digest(self, release: Release, asset: Asset) -> str | None:
        """Return the sha256 that is published next to a file, or that the server computed.

        Raises:
            SourceError: A published digest cannot be read.
        """
        own = self._listed_asset(release, f"{asset.name}.sha256")
        if own is not None:
            sums = self._read_sums(release, own)
            if len(sums) > 1:
                shown = f"{self.name}: {own.name}"
                raise UnexpectedBody(shown, "the sha256 of one file", "a list of several")
            # The name in it does not matter: a mirror may have renamed the file.
            if sums:
                return next(iter(sums.values()))
        common = self._listed_asset(release, _SUMS)
        published = {} if common is None else self._read_sums(release, common)
        found = published.get(asset.name) or self.checksum(release, asset)
        if found is None and published and triple_of(asset.name):
            # Otherwise one changed bit of the name in the list would disable the check.
            expected = f"a list with the sha256 of {asset.name}"
            shown = f"{self.name}: {_SUMS}"
            raise UnexpectedBody(shown, expected, "a list without it")
        if found is None and triple_of(asset.name):
            found = self._embedded_digest(release, asset)
        return found

    def _embedded_digest(self, release: Release, asset: Asset) -> str | None:
        """Return the sha256 of an archive that the release's own installer contains."""
        script = self._listed_asset(release, _SCRIPT)
        _, text = (None, b"") if script is None else self._read_small(release, script)
        return embedded(text.decode("utf-8", errors="replace"), asset.name)

    @staticmethod
    def _listed_asset(release: Release, name: str) -> Asset | None:
        return None if release.assets is None else release.asset(name)

    def _read_sums(self, release: Release, asset: Asset) -> dict[str, str]:
        """Return the sums in a listed file; none if the file does not exist."""
        url, body = self._read_small(release, asset)
        if url is None:
            return {}
        text = body.decode("utf-8", errors="replace")
        sums = parse_sums(text)
        if not sums or not only_sums(text):
            raise UnexpectedBody(url, "a list of sha256 sums", describe(body))
        return sums

    def _read_small(self, release: Release, asset: Asset) -> tuple[str | None, bytes]:
        """Return the URL of a small file and its start; no URL if the file does not exist."""
        try:
            with self.fetch(release, asset) as download:
                return download.url, start_of(download, DEFAULTS.checksums)
        except StatusRefused as error:
            # A list that was copied from another server may name files that were not copied.
            if error.gone:
                return None, b""
            raise


def _tell_hidden(hidden_versions: Mapping[str, Objection], newer: Sequence[str]) -> None:
    """Log why the newest of the hidden versions is skipped."""
    newest = next((version for version in newer if version in hidden_versions), None)
    if newest is not None:
        tell(newest, hidden_versions[newest])


def _surely_hidden(releases: Sequence[Release], policy: Policy, now: float) -> Objection | None:
    """Return why the policy hides all releases of a version, if the list is enough to tell.

    A release without a date may get one when its files are listed. A release that is not uv's is
    not hidden.
    """
    for release in releases:
        objection = policy.objection_to(release, now=now)
        if objection is None or objection.undated or not _is_uv(release):
            return None
    return objection


def _is_uv(release: Release) -> bool:
    """Return whether a release is uv's: other projects may share a server or a repository."""
    return release.assets is None or any(is_asset(asset.name) for asset in release.assets)
