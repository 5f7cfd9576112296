"""`github`: releases of a GitHub repository, or of any server laid out like one.

Downloads are asked for below the configured URL, whatever host the JSON names: behind a proxy a
server does not know its own address (and the layout of uv#9134 is made of static files).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from uv_self_update.errors import NoSuchVersion, StatusRefused
from uv_self_update.policy import choose, nearest
from uv_self_update.secret import redact_url
from uv_self_update.sources.documents import read_release, read_releases
from uv_self_update.sources.interface import ArchiveSource

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from uv_self_update.policy import Wanted
    from uv_self_update.release import Asset, Release
    from uv_self_update.sources.interface import Download
    from uv_self_update.upstream import Upstream

__all__ = ("GithubSource", "api_of")

_ACCEPT = "application/vnd.github+json, application/json;q=0.9"
_MAX_PAGES = 20  # of 100 releases each
_NOT_FOUND = 404


def api_of(url: str) -> str:
    """Return the API's address of the repository at `url`.

    `https://github.com/O/R` has it on a host of its own; GitHub Enterprise Server, and all that
    is laid out like it, below `/api/v3`. A login in the URL stays in it.
    """
    parts = urlsplit(url.rstrip("/"))
    prefix, owner, name = parts.path.rsplit("/", 2)
    userinfo, at, host = parts.netloc.rpartition("@")
    if host.lower() in {"github.com", "www.github.com"}:
        netloc, path = f"{userinfo}{at}api.github.com", f"/repos/{owner}/{name}"
    else:
        netloc, path = parts.netloc, f"{prefix}/api/v3/repos/{owner}/{name}"
    return urlunsplit((parts.scheme, netloc, path, "", ""))


class GithubSource(ArchiveSource):
    """The releases of one repository."""

    def __init__(self, upstream: Upstream, *, url: str) -> None:
        """Work out the addresses; nothing is fetched yet.

        Args:
            upstream: The client.
            url: `https://HOST/OWNER/REPO`, a path before them allowed.
        """
        self._upstream = upstream
        self._downloads = url.rstrip("/") + "/releases/download"
        self._releases = api_of(url) + "/releases"
        self.name = redact_url(url)

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source."""
        if wanted.exact is not None:
            path = f"tags/{quote(wanted.exact, safe='')}"
        elif not wanted.specifier:
            path = "latest"
        else:
            return self._search(wanted)
        try:
            return read_release(self._upstream.read(f"{self._releases}/{path}", accept=_ACCEPT))
        except StatusRefused as error:
            # Static files may lack these two, and a tag may have a `v` before the version.
            if error.status != _NOT_FOUND:
                raise
            return self._search(wanted)

    def open(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Begin to fetch one file; see ArchiveSource."""
        tag, name = quote(release.tag, safe=""), quote(asset.name, safe="")
        return self._upstream.open(f"{self._downloads}/{tag}/{name}")

    def _search(self, wanted: Wanted) -> Release:
        releases = {release.version: release for release in self._list()}
        version = choose(releases, wanted)
        if version is None:
            raise NoSuchVersion(self.name, str(wanted), nearest(releases, wanted))
        return releases[version]

    def _list(self) -> list[Release]:
        releases: list[Release] = []
        query = "per_page=100"
        for _ in range(_MAX_PAGES):
            page = self._upstream.read(f"{self._releases}?{query}", accept=_ACCEPT)
            releases += read_releases(page)
            query = urlsplit(page.links.get("next", "")).query
            if not query:
                break
        return releases
