"""`urls`: any server, described by URL templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.errors import GONE, NoLatest, NoSuchVersion, SourceError, StatusRefused
from uv_self_update.releases.digests import parse_sums
from uv_self_update.releases.release import Release
from uv_self_update.releases.target import nearest
from uv_self_update.sources.catalog import DENIED, CatalogSource
from uv_self_update.sources.formats.documents import read_release, read_versions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.release import Asset
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.context import Context
    from uv_self_update.url import Url


def create(settings: SourceSettings, context: Context) -> UrlsSource:
    """Create the source of a `[[source]]`; see context."""
    return UrlsSource(context.upstream(settings), context.platform, settings)


class UrlsSource(CatalogSource):
    """A mirror described by URL templates.

    `latest` names the newest version, or all of them; `release` is GitHub's JSON for one version;
    `download` is a file of one version. Only `download` is required: an exact version can be
    installed without `latest`.
    """

    def __init__(self, upstream: Upstream, platform: Platform, settings: SourceSettings) -> None:
        super().__init__(platform)
        assert settings.download is not None, "the configuration was validated"  # noqa: S101 # for the type checker
        self._upstream = upstream
        self._download = settings.download
        self._latest = settings.latest
        self._release = settings.release
        self.name = str(settings.latest or settings.download)

    def find(self, wanted: Wanted) -> Release:
        if wanted.exact is not None:
            return self._find_exact(wanted, wanted.exact)
        if self._latest is None:
            raise NoLatest(self.name, str(wanted))
        return self.pick(self.by_version, wanted)

    def listed(self) -> Iterator[Release]:
        if self._latest is None:
            raise NoLatest(self.name, "all releases of uv")
        with self._upstream.items(self._latest, read_versions) as found:
            yield from found.items

    def confirmed(self, release: Release, wanted: Wanted) -> bool:
        """Return whether the archive of a listed release exists.

        `latest` may have been copied without the files. If it names a single version, no request is
        made: there is no other version to fall back to.
        """
        if wanted.exact is None and len(self.by_version) == 1:
            return True
        return self._upstream.status(self._file(release, self._platform.archive)) not in GONE

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        return self._upstream.open(self._file(release, asset.name))

    def checksum(self, release: Release, asset: Asset) -> str | None:
        """Return the sha256 next to a file, if the files of the release are not listed.

        The `.sha256` file may not exist, so a response that is not one digest counts as none.
        """
        if release.assets is not None:
            return None
        try:
            document = self._upstream.read(self._file(release, f"{asset.name}.sha256"))
        except StatusRefused as error:
            if error.gone or error.status in DENIED:
                return None
            raise
        sums = parse_sums(document.body.decode("utf-8", errors="replace"))
        return next(iter(sums.values())) if len(sums) == 1 else None

    def _find_exact(self, wanted: Wanted, version: str) -> Release:
        """Find an exact version: in `release`, else in `latest`, else by its archive.

        `latest` may name only the newest version, so other versions may exist.
        """
        wanted.policy.refuse(version)
        if self._release is not None:
            url = self._release.expanded(tag=version, version=version)
            try:
                document = self._upstream.read(url, accept="application/json")
                return self.permitted(read_release(document, version=version), wanted)
            except StatusRefused as error:
                if not error.gone:
                    raise
                raise NoSuchVersion(str(url), str(wanted), self._nearest(wanted)) from error
        try:
            listed = {} if self._latest is None else self.by_version
        except StatusRefused as error:
            # Any other failure is an error: `latest` may have digests, which must not be skipped.
            if not error.gone:
                raise
            listed = {}
        if version in listed:
            return self.pick(listed, wanted)
        release = Release(version=version, tag=version)
        archive = self._file(release, self._platform.archive)
        if self._upstream.status(archive) in GONE:
            raise NoSuchVersion(str(archive), str(wanted), nearest(listed, wanted))
        return self.permitted(release, wanted)

    def _nearest(self, wanted: Wanted) -> tuple[str, ...]:
        try:
            return nearest(self.by_version, wanted)
        except SourceError:
            return ()

    def _file(self, release: Release, name: str) -> Url:
        return self._download.expanded(tag=release.tag, version=release.version, asset=name)
