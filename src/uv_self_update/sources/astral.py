"""`astral`: the layout of Astral's own mirror, below any base URL.

```text
<base>/github/versions/main/v1/uv.ndjson               one line of JSON for each version
<base>/github/uv/releases/download/<version>/<file>
```

It is the only layout that a proxy can list, because its manifest is a file like any other. Files
that may be missing are rarely requested: a proxy remembers for a day that a file was missing.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from uv_self_update.errors import GONE, UnexpectedBody
from uv_self_update.sources.catalog import CatalogSource
from uv_self_update.sources.context import url_of
from uv_self_update.sources.formats.documents import describe, read_ndjson_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.release import Asset, Release
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.context import Context
    from uv_self_update.url import Url


MANIFEST = ("github", "versions", "main", "v1", "uv.ndjson")
_DOWNLOADS = ("github", "uv", "releases", "download")
_SETTLED = 3600
"""Seconds after which the files of a listed version are expected to exist.

Two jobs that run at the same time publish the manifest and the files (`publish-versions` and
`publish-mirror` of uv's `dist-workspace.toml`), so a version may be listed before its files exist.
"""


def create(settings: SourceSettings, context: Context) -> AstralSource:
    """Create the source of a `[[source]]`; see context."""
    return AstralSource(context.upstream(settings), context.platform, url=url_of(settings))


class AstralSource(CatalogSource):
    """A copy or a proxy of Astral's mirror."""

    def __init__(self, upstream: Upstream, platform: Platform, *, url: Url) -> None:
        super().__init__(platform)
        self._upstream = upstream
        self._base = url
        self.name = str(url)

    def listed(self) -> Iterator[Release]:
        """Return every version of the manifest.

        The lines are ordered by date, so the first may belong to an older series.
        """
        url = self._base.below(MANIFEST)
        found, first = False, b""
        with self._upstream.lines(url) as lines:
            for line in lines:
                release = read_ndjson_line(line)
                if release is not None:
                    found = True
                    yield release
                elif not found:
                    first = (first + line + b"\n")[:65_536]
        if not found:
            raise UnexpectedBody(str(url), "Astral's uv.ndjson", describe(first))

    def confirmed(self, release: Release, wanted: Wanted) -> bool:
        if wanted.exact is None and _just_published(release):
            return False
        url = self._file(release, self._platform.archive)
        return self._upstream.status(url) not in GONE

    def fetch(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        return self._upstream.open(self._file(release, asset.name))

    def _file(self, release: Release, name: str) -> Url:
        return self._base.below((*_DOWNLOADS, release.tag, name))


def _just_published(release: Release) -> bool:
    if release.published is None:
        return False
    age = time.time() - datetime.fromisoformat(release.published).timestamp()
    # A clock that is far behind must not hide every release.
    return -_SETTLED < age < _SETTLED
