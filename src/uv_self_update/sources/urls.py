"""`urls`: any pair of URLs, written as templates."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from uv_self_update.errors import GONE, NoLatest, NoSuchVersion, SourceError, StatusRefused
from uv_self_update.redaction import redact_url
from uv_self_update.releases.digests import parse_sums
from uv_self_update.releases.release import Release
from uv_self_update.releases.target import nearest
from uv_self_update.sources.catalog import CatalogSource
from uv_self_update.sources.formats.documents import read_release, read_version_list

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.release import Asset
    from uv_self_update.releases.target import Wanted


_DENIED = {401, 403}


class UrlsSource(CatalogSource):
    """A mirror described by URL templates.

    `latest` names the newest version, or all of them; `release` is GitHub's JSON for one version;
    `download` is a file of one version. Only the last is required: without `latest` an exact
    TARGET can still be installed.
    """

    def __init__(
        self,
        upstream: Upstream,
        platform: Platform,
        *,
        download: str,
        latest: str | None = None,
        release: str | None = None,
    ) -> None:
        """Keep the templates; nothing is fetched yet."""
        super().__init__(platform)
        self._upstream = upstream
        self._download = download
        self._latest = latest
        self._release = release
        self.name = redact_url(latest or download)

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source."""
        if wanted.exact is not None:
            return self._find_exact(wanted, wanted.exact)
        if self._latest is None:
            raise NoLatest(self.name, str(wanted))
        return self.pick(self.by_version, wanted)

    def listed(self) -> tuple[Release, ...]:
        """Return what `latest` knows of, which may be one release; see CatalogSource."""
        if self._latest is None:
            raise NoLatest(self.name, "all releases of uv")
        return read_version_list(self._upstream.read(self._latest))

    def confirmed(self, release: Release, wanted: Wanted) -> bool:
        """Return whether a release that is listed is there; see CatalogSource.

        What `latest` names may have been copied without the files. Where it names one version only,
        and nothing could be taken in its place, the file itself will tell.
        """
        if wanted.exact is None and len(self.by_version) == 1:
            return True
        return self._upstream.status(self._file(release, self._platform.archive)) not in GONE

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Begin to fetch one file; see CatalogSource."""
        return self._upstream.open(self._file(release, asset.name))

    def checksum(self, release: Release, asset: Asset) -> str | None:
        """Return the sha256 that lies beside a file, where nothing says what lies there.

        It is asked for at a venture, so that whatever is no digest means that there is none.
        """
        if release.assets is not None:
            return None
        try:
            document = self._upstream.read(self._file(release, f"{asset.name}.sha256"))
        except StatusRefused as error:
            if error.gone or error.status in _DENIED:
                return None
            raise
        sums = parse_sums(document.body.decode("utf-8", errors="replace"))
        return next(iter(sums.values())) if len(sums) == 1 else None

    def _find_exact(self, wanted: Wanted, version: str) -> Release:
        """Take a version by its name: from `release`, else from `latest`, else from its files.

        `latest` may know only the newest, so that it does not name a version proves nothing.
        """
        wanted.policy.refuse(version)
        if self._release is not None:
            url = self._expand(self._release, tag=version, version=version)
            try:
                document = self._upstream.read(url, accept="application/json")
                return self.permitted(read_release(document, version=version), wanted)
            except StatusRefused as error:
                if not error.gone:
                    raise
                raise NoSuchVersion(redact_url(url), str(wanted), self._nearest(wanted)) from error
        try:
            listed = {} if self._latest is None else self.by_version
        except StatusRefused as error:
            # Any other failure is one: with the digests that `latest` may hold, a check would go.
            if not error.gone:
                raise
            listed = {}
        if version in listed:
            return self.pick(listed, wanted)
        release = Release(version=version, tag=version)
        archive = self._file(release, self._platform.archive)
        if self._upstream.status(archive) in GONE:
            raise NoSuchVersion(redact_url(archive), str(wanted), nearest(listed, wanted))
        return self.permitted(release, wanted)

    def _nearest(self, wanted: Wanted) -> tuple[str, ...]:
        try:
            return nearest(self.by_version, wanted)
        except SourceError:
            return ()

    def _file(self, release: Release, name: str) -> str:
        return self._expand(self._download, tag=release.tag, version=release.version, asset=name)

    @staticmethod
    def _expand(template: str, **values: str) -> str:
        for name, value in values.items():
            template = template.replace(f"{{{name}}}", quote(value, safe=""))
        return template
