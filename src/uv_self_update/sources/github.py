"""`github`: releases of a GitHub repository, or of any server laid out like one.

Files are asked for below the configured URL, whatever host the JSON names: behind a proxy a server
does not know its own address (and the layout of uv#9134 is made of static files). With a login they
are asked of the API, which is the only way to those of a private repository (uv#15731).
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from uv_self_update.auth.variables import is_githubs_own
from uv_self_update.errors import (
    InvalidSource,
    NotFoundOrUnauthorized,
    RateLimited,
    SourceError,
    StatusRefused,
    UnexpectedBody,
)
from uv_self_update.redaction import redact_url
from uv_self_update.sources.catalog import CatalogSource
from uv_self_update.sources.formats.documents import read_release, read_releases
from uv_self_update.sources.formats.paging import pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.release import Asset, Release
    from uv_self_update.releases.target import Wanted


_ACCEPT = "application/vnd.github+json"
_ACCEPT_FILE = "application/octet-stream"
"""Exactly this: with anything beside it, quality values included, GitHub's API answers with the
JSON that describes the file (tuist#11444, ghinstallation PR#13, go-github#870)."""

_FORBIDDEN = 403  # what static files say of a folder, which the list is to them
_HINT = (
    "GitHub says 404 as well where a token is missing, or has no right to read the repository: "
    "set GH_TOKEN, or UV_GITHUB_TOKEN for a server of your own."
)


def api_of(url: str) -> str:
    """Return the API's address of the repository at `url`.

    `https://github.com/O/R` and `https://TENANT.ghe.com/O/R` have it on a host of its own
    (https://docs.github.com/en/enterprise-cloud@latest/rest); GitHub Enterprise Server, and all
    that is laid out like it, below `/api/v3`. A login in the URL stays in it.

    Raises:
        InvalidSource: The URL does not end in `OWNER/REPO`.
    """
    parts = urlsplit(url.rstrip("/"))
    above, _, name = parts.path.rpartition("/")
    prefix, _, owner = above.rpartition("/")
    if not owner or not name:
        raise InvalidSource(redact_url(url), "a GitHub repository's URL ends in `OWNER/REPO`")
    userinfo, at, host = parts.netloc.rpartition("@")
    if is_githubs_own(url):
        api = host.lower().removeprefix("www.")
        netloc, path = f"{userinfo}{at}api.{api}", f"/repos/{owner}/{name}"
    else:
        netloc, path = parts.netloc, f"{prefix}/api/v3/repos/{owner}/{name}"
    return urlunsplit((parts.scheme, netloc, path, "", ""))


class GithubSource(CatalogSource):
    """The releases of one repository."""

    def __init__(self, upstream: Upstream, platform: Platform, *, url: str) -> None:
        """Work out the addresses; nothing is fetched yet.

        Args:
            upstream: The client.
            platform: Where uv runs.
            url: `https://HOST/OWNER/REPO`, a path before them allowed.
        """
        super().__init__(platform)
        self._upstream = upstream
        self._downloads = url.rstrip("/") + "/releases/download"
        self._releases = api_of(url) + "/releases"
        self.name = redact_url(url)

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source.

        An exact version is asked for by its tag first, which is the shortest way; a tag may also
        have something before the version, and static files may lack that answer.
        """
        if wanted.exact is not None:
            try:
                release = self._read(f"tags/{quote(wanted.exact, safe='')}", version=wanted.exact)
            except StatusRefused as error:
                if not error.gone:
                    raise
            else:
                return self.pick({release.version: [release]}, wanted)
        return super().find(wanted)

    def listed(self) -> Iterator[Release]:
        """Return every release; where they are not listed, the one that is called the latest."""
        refused: StatusRefused | UnexpectedBody
        try:
            for page in pages(self._upstream, self._releases, "per_page=100", accept=_ACCEPT):
                yield from read_releases(page)
        except UnexpectedBody as error:
            refused = error
        except StatusRefused as error:
            limited = isinstance(error, RateLimited)
            if limited or not (error.gone or error.status == _FORBIDDEN):
                raise
            refused = error
        else:
            return
        try:
            yield self._read("latest")
        except SourceError:
            if not isinstance(refused, StatusRefused) or not refused.gone:
                raise refused from None
            login = self._upstream.login_for(self._releases) is not None
            raise NotFoundOrUnauthorized(
                refused, "such repository", login=login, hint=_HINT
            ) from None

    @contextmanager
    def fetch(self, release: Release, asset: Asset) -> Iterator[Download]:
        """Begin to fetch one file; see CatalogSource."""
        tag, name = quote(release.tag, safe=""), quote(asset.name, safe="")
        urls = [f"{self._downloads}/{tag}/{name}"]
        if asset.where and self._upstream.login_for(self._releases) is not None:
            urls.insert(0, f"{self._releases}/assets/{asset.where}")
        with ExitStack() as stack:
            for url in urls:
                try:
                    download = stack.enter_context(self._upstream.open(url, accept=_ACCEPT_FILE))
                    break
                except StatusRefused as error:
                    # Static files have the numbers of the JSON that was copied, and nothing there.
                    if not error.gone or url == urls[-1]:
                        raise
            yield download

    def _read(self, path: str, *, version: str | None = None) -> Release:
        document = self._upstream.read(f"{self._releases}/{path}", accept=_ACCEPT)
        return read_release(document, version=version)
