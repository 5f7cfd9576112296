"""`github`: releases of a GitHub repository, or of any server laid out like one.

Downloads are asked for below the configured URL, whatever host the JSON names: behind a proxy a
server does not know its own address (and the layout of uv#9134 is made of static files).
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from uv_self_update.credentials import GITHUB_HOSTS
from uv_self_update.errors import (
    InvalidSource,
    NoSuchVersion,
    SourceError,
    StatusRefused,
    UnexpectedBody,
)
from uv_self_update.policy import NEWEST, choose, nearest
from uv_self_update.secret import redact_url
from uv_self_update.sources.documents import read_release, read_releases
from uv_self_update.sources.interface import ArchiveSource

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from uv_self_update.policy import Wanted
    from uv_self_update.release import Asset, Release
    from uv_self_update.upstream import Download, Upstream

__all__ = ("GithubSource", "api_of")

_ACCEPT = "application/vnd.github+json, application/json;q=0.9"
_MAX_PAGES = 20  # of 100 releases each
_FORBIDDEN = 403  # what static files say of a folder, which the list is to them


def api_of(url: str) -> str:
    """Return the API's address of the repository at `url`.

    `https://github.com/O/R` has it on a host of its own; GitHub Enterprise Server, and all that
    is laid out like it, below `/api/v3`. A login in the URL stays in it.

    Raises:
        InvalidSource: The URL does not end in `OWNER/REPO`.
    """
    parts = urlsplit(url.rstrip("/"))
    above, _, name = parts.path.rpartition("/")
    prefix, _, owner = above.rpartition("/")
    if not owner or not name:
        raise InvalidSource(redact_url(url), "a GitHub repository's URL ends in `OWNER/REPO`")
    userinfo, at, host = parts.netloc.rpartition("@")
    if host.lower() in GITHUB_HOSTS:
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
        """Return the newest release that is wanted; see Source.

        Static files may lack any of the three that are asked for, and a tag may have a `v` before
        the version: `tags/<version>`, the list, `latest`.
        """
        if wanted.specifier:
            return self._search(wanted)
        path = "latest" if wanted.exact is None else f"tags/{quote(wanted.exact, safe='')}"
        try:
            return self._read(path, version=wanted.exact)
        except StatusRefused as error:
            if not error.gone:
                raise
            return self._search(wanted, before=error)

    def open(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Begin to fetch one file; see ArchiveSource."""
        tag, name = quote(release.tag, safe=""), quote(asset.name, safe="")
        return self._upstream.open(f"{self._downloads}/{tag}/{name}")

    def _read(self, path: str, *, version: str | None = None) -> Release:
        document = self._upstream.read(f"{self._releases}/{path}", accept=_ACCEPT)
        return read_release(document, version=version)

    def _search(self, wanted: Wanted, *, before: StatusRefused | None = None) -> Release:
        """Look through the list; where there is none, `latest` may be what is wanted.

        Args:
            wanted: What is wanted.
            before: What was answered to a request that was more to the point.
        """
        try:
            releases = {release.version: release for release in self._list()}
        except UnexpectedBody as error:
            releases = self._latest_only(wanted, before or error)
        except StatusRefused as error:
            if not error.gone and error.status != _FORBIDDEN:
                raise
            releases = self._latest_only(wanted, before or error)
        version = choose(releases, wanted)
        if version is None:
            raise NoSuchVersion(self.name, str(wanted), nearest(releases, wanted))
        return releases[version]

    def _latest_only(self, wanted: Wanted, reason: SourceError) -> dict[str, Release]:
        if wanted == NEWEST:
            raise reason  # it was asked for first
        try:
            release = self._read("latest")
        except SourceError:
            raise reason from None
        return {release.version: release}

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
