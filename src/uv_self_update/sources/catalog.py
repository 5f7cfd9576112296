"""A source that can say which releases it has: how the right one of them is found.

A kind of source says what it lists, what files a release has, and how a file is fetched. What is
the same for all is here: the order of PEP 440 rather than the server's, releases that lack this
platform's archive, and the digests that lie beside the files.
"""

from __future__ import annotations

import logging
import time
from abc import abstractmethod
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from uv_self_update.errors import NoArchive, NoSuchVersion, StatusRefused, UnexpectedBody
from uv_self_update.releases.digests import embedded, only_sums, parse_sums
from uv_self_update.releases.policy import hidden, tell
from uv_self_update.releases.target import nearest, newest_first, ranked
from uv_self_update.sources.formats.documents import describe
from uv_self_update.sources.interface import ArchiveSource
from uv_self_update.sources.layout import is_asset

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.policy import Objection, Policy
    from uv_self_update.releases.release import Asset, Release
    from uv_self_update.releases.target import Wanted


_log = logging.getLogger(__name__)

_MAX_LOOKED_AT = 25
"""Releases whose files are looked for before giving up: each may cost a request."""

_MAX_LISTED = 10_000
"""Releases that are read of a list: uv has a few hundred."""

_LARGEST_SUMS = 1 << 20  # bytes; uv's own have about 2,000
_SUMS = "sha256.sum"
_SCRIPT = "uv-installer.sh"


class CatalogSource(ArchiveSource):
    """A source that lists its releases; it is asked for the list once."""

    def __init__(self, platform: Platform) -> None:
        """Prepare; nothing is asked yet."""
        self._platform = platform

    @abstractmethod
    def listed(self) -> Iterable[Release]:
        """Return every release that there is, in any order, with or without its files.

        Raises:
            SourceError: The source cannot be used.
        """

    @abstractmethod
    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Begin to fetch one file; see ArchiveSource.open."""

    def detailed(self, release: Release) -> Release:
        """Return a release with its files; for a source that does not list them at once.

        Raises:
            SourceError: The source cannot be used.
        """
        return release

    def confirmed(self, release: Release, wanted: Wanted) -> bool:  # noqa: ARG002 # most trust their list
        """Return whether the files that are listed are really there.

        Raises:
            SourceError: The source cannot be used.
        """
        return True

    def checksum(self, release: Release, asset: Asset) -> str | None:  # noqa: ARG002 # few know one
        """Return the sha256 that the server itself knows of a file, or None."""
        return None

    @cached_property
    def by_version(self) -> dict[str, list[Release]]:
        """Every release by its version, which a source may have in two places.

        Raises:
            SourceError: The source cannot be used.
        """
        found: dict[str, list[Release]] = {}
        for release in islice(self.listed(), _MAX_LISTED):
            found.setdefault(release.version, []).append(release)
        return found

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source."""
        return self.pick(self.by_version, wanted)

    def pick(self, releases: Mapping[str, Sequence[Release]], wanted: Wanted) -> Release:
        """Return the newest of some releases that is wanted and there for this platform.

        Raises:
            HiddenByPolicy: There is, but it must not be taken.
            NoSuchVersion: There is none.
            SourceError: The source cannot be used.
        """
        now = time.time()
        versions = ranked(releases, wanted)
        hiding = {
            version: objection
            for version in versions
            if (objection := _surely_hidden(releases[version], wanted.policy, now))
        }
        candidates = [version for version in versions if version not in hiding]
        archive = self._platform.archive
        lacking: list[str] = []
        strangers: set[str] = set()
        for version in candidates[:_MAX_LOOKED_AT]:
            release = self._best(releases[version])
            if not _is_uv(release):
                strangers.add(version)
            elif objection := wanted.policy.objection_to(release, now=now):
                hiding[version] = objection
            elif release.asset(archive) is None or not self.confirmed(release, wanted):
                lacking.append(version)
            else:
                if lacking:
                    what = f"{archive} of uv {', '.join(lacking)}"
                    _log.warning("%s lacks %s; uv %s is taken", self.name, what, version)
                _tell_hidden(hiding, versions[: versions.index(version)])
                return release
        if lacking:
            _tell_hidden(hiding, versions[: versions.index(lacking[0])])
            others = candidates[_MAX_LOOKED_AT:][:3]
            raise NoArchive(self.name, str(wanted), archive, lacking, others)
        for version in versions:
            if version in hiding:
                named = wanted.exact is not None
                raise hidden(version, hiding[version], source=self.name, named=named)
        known = releases.keys() - strangers
        raise NoSuchVersion(self.name, str(wanted), nearest(known, wanted))

    def permitted(self, release: Release, wanted: Wanted) -> Release:
        """Return a release that was found by its name.

        Raises:
            HiddenByPolicy: It must not be taken.
        """
        objection = wanted.policy.objection_to(release, now=time.time())
        if objection is not None:
            raise hidden(release.version, objection, source=self.name)
        return release

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases; see Source."""
        versions = newest_first(self.by_version)[:limit]
        return tuple(self._best(self.by_version[version]) for version in versions)

    def _best(self, releases: Sequence[Release]) -> Release:
        """Return the first of one version's releases that has this platform's archive, or any."""
        looked_at: list[Release] = []
        for release in map(self.detailed, releases):
            if release.asset(self._platform.archive) is not None:
                return release
            looked_at.append(release)
        return looked_at[0]

    @contextmanager
    def open(self, release: Release, asset: Asset) -> Iterator[Download]:
        """Begin to fetch one file, and its digest where there is one; see ArchiveSource."""
        sha256 = asset.sha256 or self._published_digest(release, asset)
        with self.fetch(release, asset) as download:
            yield download if sha256 is None else replace(download, sha256=sha256)

    def _published_digest(self, release: Release, asset: Asset) -> str | None:
        """Return the sha256 that is published beside a file, or that the server knows.

        Raises:
            SourceError: There is one, but it cannot be read.
        """
        own = self._listed_asset(release, f"{asset.name}.sha256")
        if own is not None:
            sums = self._read_sums(release, own)
            if len(sums) > 1:
                place = f"{self.name}: {own.name}"
                raise UnexpectedBody(place, "the sha256 of one file", "something else")
            # Whatever it is called there: a mirror may have given the file another name.
            if sums:
                return next(iter(sums.values()))
        common = self._listed_asset(release, _SUMS)
        published = {} if common is None else self._read_sums(release, common)
        found = published.get(asset.name) or self.checksum(release, asset)
        if found is None and published and asset.name == self._platform.archive:
            # With a single bit of its name changed, it would go unchecked.
            expected = f"a list with the sha256 of {asset.name}"
            place = f"{self.name}: {_SUMS}"
            raise UnexpectedBody(place, expected, "a list without it")
        if found is None and asset.name == self._platform.archive:
            found = self._embedded_digest(release, asset)
        return found

    def _embedded_digest(self, release: Release, asset: Asset) -> str | None:
        """Return what the release's own installer would compare an archive with."""
        script = self._listed_asset(release, _SCRIPT)
        _, text = (None, b"") if script is None else self._read_small(release, script)
        return embedded(text.decode("utf-8", errors="replace"), asset.name)

    @staticmethod
    def _listed_asset(release: Release, name: str) -> Asset | None:
        return None if release.assets is None else release.asset(name)

    def _read_sums(self, release: Release, asset: Asset) -> dict[str, str]:
        """Return the sums of a file that is listed, which need not be there: none then."""
        url, body = self._read_small(release, asset)
        if url is None:
            return {}
        text = body.decode("utf-8", errors="replace")
        sums = parse_sums(text)
        if not sums or not only_sums(text):
            raise UnexpectedBody(url, "a list of sha256 sums", describe(body))
        return sums

    def _read_small(self, release: Release, asset: Asset) -> tuple[str | None, bytes]:
        """Return where a small file is from, and the start of it; None if it is not there."""
        body = bytearray()
        try:
            with self.fetch(release, asset) as download:
                for chunk in download.chunks:
                    body += chunk
                    if len(body) > _LARGEST_SUMS:
                        break
        except StatusRefused as error:
            # A list that was copied from elsewhere names more than was copied with it.
            if error.gone:
                return None, b""
            raise
        return download.url, bytes(body)


def _tell_hidden(hiding: Mapping[str, Objection], newer: Sequence[str]) -> None:
    """Say why the newest of some versions is not taken, if it is hidden."""
    newest = next((version for version in newer if version in hiding), None)
    if newest is not None:
        tell(newest, hiding[newest])


def _surely_hidden(releases: Sequence[Release], policy: Policy, now: float) -> Objection | None:
    """Return why a version is hidden, wherever it is taken from, if that is known without looking.

    A date may be found out only when the files are looked at; and what is not uv is not hidden.
    """
    for release in releases:
        objection = policy.objection_to(release, now=now)
        if objection is None or objection.undated or not _is_uv(release):
            return None
    return objection


def _is_uv(release: Release) -> bool:
    """Return whether a release is one of uv's, and not of something else in the same place."""
    return release.assets is None or any(is_asset(asset.name) for asset in release.assets)
