"""`github`: releases of a GitHub repository, or of any server laid out like one.

Files are asked for below the configured URL, whatever host the JSON names: behind a proxy a server
does not know its own address (and the layout of uv#9134 is made of static files). With a login they
are asked of the API, which is the only way to those of a private repository (uv#15731).
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
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
from uv_self_update.releases.release import listed_release
from uv_self_update.releases.target import newest_first
from uv_self_update.sources.catalog import CatalogSource
from uv_self_update.sources.context import url_of
from uv_self_update.sources.formats.documents import read_entries, read_release
from uv_self_update.sources.formats.paging import pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Download
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.release import Asset, Release
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.catalog import ByVersion
    from uv_self_update.sources.context import Context


_ACCEPT = "application/vnd.github+json"
_ACCEPT_FILE = "application/octet-stream"
"""Exactly this: with anything beside it, quality values included, GitHub's API answers with the
JSON that describes the file (tuist#11444, ghinstallation PR#13, go-github#870)."""

_EXPECTED = "GitHub's JSON for a list of releases"
_OLDER = 5
"""Releases that follow the newest in a list that is as it should be."""

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


def create(settings: SourceSettings, context: Context) -> GithubSource:
    """Create the source of a `[[source]]`; see registry."""
    return GithubSource(context.upstream(settings), context.platform, url=url_of(settings))


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
        self._read: Sequence[Release] = ()
        """The list, as far as it was read for an earlier question."""
        self._read_all = False

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source.

        An exact version is asked for by its tag first, which is the shortest way; a tag may also
        have something before the version, and static files may lack that answer.
        """
        if wanted.exact is not None:
            try:
                release = self._read_one(
                    f"tags/{quote(wanted.exact, safe='')}", version=wanted.exact
                )
            except StatusRefused as error:
                if not error.gone:
                    raise
            else:
                return self.pick({release.version: [release]}, wanted)
        return self.pick(self._until(lambda found: self._answers(found, wanted)), wanted)

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases; see Source."""
        return self.newest(self._until(lambda found: len(found) >= limit), limit)

    def listed(self) -> Iterator[Release]:
        """Return every release; where they are not listed, the one that is called the latest."""
        *_, found = self._growing()
        yield from found

    def _answers(self, found: ByVersion, wanted: Wanted) -> bool:
        """Return whether what is found is all that matters, if nothing newer follows."""
        if wanted.exact is None:
            return self.offers(found, wanted)
        # Below versions that are all older, it does not follow either.
        last = [*found][-_OLDER:]
        return wanted.exact in found or newest_first([wanted.exact, *last])[0] == wanted.exact

    def _until(self, enough: Callable[[ByVersion], bool]) -> ByVersion:
        """Read as much of the list as it takes.

        GitHub lists releases by date, so that what follows is older, but for releases of an older
        series. So it is not enough that a page answers: the newest version has to be followed by
        some older ones. What stays unseen is a version before which, in time, no newer one and
        after which a whole page of older ones was published.
        """
        by_version: ByVersion = {}
        for found in self._growing():
            by_version = self.collected(found)
            versions = [release.version for release in found]
            newest = newest_first(versions)[:1]
            settled = newest and versions.index(newest[0]) + _OLDER < len(versions)
            if settled and enough(by_version):
                break
        return by_version

    def _growing(self) -> Iterator[Sequence[Release]]:
        """Yield what is known of the list, each time more of it.

        A release of uv is 87 KB of JSON, and the newest few mostly answer, so the first page is
        short. More is asked for in pages that are as long as can be: without a token there are 60
        requests an hour.
        """
        first, complete = self._first_page
        yield first
        if complete:
            return
        if self._read:
            yield self._read
        if self._read_all:
            return
        found: list[Release] = []
        query = "per_page=100"
        for page in pages(
            self._upstream, self._releases, query, accept=_ACCEPT, expected=_EXPECTED
        ):
            found = [*found, *_releases_in(page)]
            self._read = found
            yield found
        self._read_all = True

    @cached_property
    def _first_page(self) -> tuple[Sequence[Release], bool]:
        """The newest releases, and whether these are all that there are."""
        refused: StatusRefused | UnexpectedBody
        url, split = f"{self._releases}?per_page=10", partial(read_entries, expected=_EXPECTED)
        try:
            with self._upstream.items(url, split, accept=_ACCEPT) as page:
                return [*_releases_in(page.items)], "next" not in page.links
        except UnexpectedBody as error:
            refused = error
        except StatusRefused as error:
            limited = isinstance(error, RateLimited)
            if limited or not (error.gone or error.status == _FORBIDDEN):
                raise
            refused = error
        try:
            return [self._read_one("latest")], True
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

    def _read_one(self, path: str, *, version: str | None = None) -> Release:
        document = self._upstream.read(f"{self._releases}/{path}", accept=_ACCEPT)
        return read_release(document, version=version)


def _releases_in(entries: Iterator[object]) -> Iterator[Release]:
    return (release for entry in entries if (release := listed_release(entry)) is not None)
