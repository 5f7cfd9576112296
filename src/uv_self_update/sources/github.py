"""`github`: releases of a GitHub repository, or of any server with the same layout.

Files are fetched below the configured URL, not from the host in the JSON: a server behind a proxy
does not know its own address (and the layout of uv#9134 consists of static files). With credentials
they are fetched from the API, because a private repository has no other way (uv#15731).
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from functools import cached_property, partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.background import Early
from uv_self_update.errors import (
    NotFoundOrUnauthorized,
    RateLimited,
    SourceError,
    StatusRefused,
    UnexpectedBody,
)
from uv_self_update.releases.release import listed_release
from uv_self_update.releases.target import newest_first
from uv_self_update.sources.addresses import api_of
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
    from uv_self_update.url import Url


_ACCEPT = "application/vnd.github+json"
_ACCEPT_FILE = "application/octet-stream"
"""No other media type may be added: GitHub's API would answer with the JSON that describes the file
(tuist#11444, ghinstallation PR#13, go-github#870)."""

_EXPECTED = "GitHub's JSON for a list of releases"
_OLDER = 5
"""Older releases that have to follow the newest one before a partial list is trusted."""

_HINT = (
    "GitHub also answers 404 if a token is missing or may not read the repository: set GH_TOKEN, "
    "or UV_GITHUB_TOKEN for GitHub Enterprise Server."
)


def create(settings: SourceSettings, context: Context) -> GithubSource:
    """Create the source of a `[[source]]`; see context."""
    return GithubSource(context.upstream(settings), context.platform, url=url_of(settings))


class GithubSource(CatalogSource):
    """The releases of the repository `https://HOST[/PATH]/OWNER/REPO`."""

    def __init__(self, upstream: Upstream, platform: Platform, *, url: Url) -> None:
        super().__init__(platform)
        self._upstream = upstream
        self._downloads = url.below(("releases", "download"))
        self._releases = api_of(url).below(("releases",))
        self.name = str(url)
        self._read: Sequence[Release] = ()
        """The pages of the list that earlier calls have read."""
        self._read_all = False
        self._page = Early(self._read_first_page)

    def find(self, wanted: Wanted) -> Release:
        """Return the newest wanted release.

        An exact version is requested by its tag first. If that fails, the list is read: a tag may
        have a prefix, and static files may lack the response for a tag.
        """
        if wanted.exact is not None:
            try:
                release = self._read_one("tags", wanted.exact, version=wanted.exact)
            except StatusRefused as error:
                if not error.gone:
                    raise
            else:
                return self.pick({release.version: [release]}, wanted)
        return self.pick(self._until(lambda found: self._answers(found, wanted)), wanted)

    def list_ahead(self) -> None:
        self._page.begin()

    def at_least(self, limit: int) -> ByVersion:
        """Return releases by version, of as many pages as that takes."""
        return self._until(lambda found: len(found) >= limit)

    def listed(self) -> Iterator[Release]:
        """Return every release; only the `latest` one if there is no list."""
        *_, found = self._growing()
        yield from found

    def _answers(self, found: ByVersion, wanted: Wanted) -> bool:
        """Return whether the releases read so far are enough, if only older ones follow."""
        if wanted.exact is None:
            return self.offers(found, wanted)
        # If the last ones are all older than the wanted version, it will not follow.
        last = [*found][-_OLDER:]
        return wanted.exact in found or newest_first([wanted.exact, *last])[0] == wanted.exact

    def _until(self, enough: Callable[[ByVersion], bool]) -> ByVersion:
        """Read the list until it is long enough.

        GitHub lists releases by date, and a series may get a release after a newer series did. So
        the newest version has to be followed by some older ones. A version is missed only if a
        whole page of older versions was published after it.
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
        """Yield the list as far as it was read, longer each time.

        A release of uv is 87 KB of JSON, and the newest few mostly suffice, so the first page is
        short. Further pages have the maximum length, because GitHub allows 60 requests an hour
        without a token.
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
        """The newest releases, and whether the list ends with them."""
        return self._page.result()

    def _read_first_page(self) -> tuple[Sequence[Release], bool]:
        refused: StatusRefused | UnexpectedBody
        url, split = self._releases.asking("per_page=10"), partial(read_entries, expected=_EXPECTED)
        try:
            with self._upstream.items(url, split, accept=_ACCEPT) as page:
                return [*_releases_in(page.items)], "next" not in page.links
        except UnexpectedBody as error:
            refused = error
        except StatusRefused as error:
            # A server of static files answers 403 for a directory, such as `releases`.
            missing = error.gone or error.status == HTTPStatus.FORBIDDEN
            if isinstance(error, RateLimited) or not missing:
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
        urls = [self._downloads.below((release.tag, asset.name))]
        if asset.where and self._upstream.login_for(self._releases) is not None:
            urls.insert(0, self._releases.below(("assets", asset.where)))
        with ExitStack() as stack:
            for url in urls:
                try:
                    opened = self._upstream.open(url, accept=_ACCEPT_FILE, name=asset.name)
                    download = stack.enter_context(opened)
                    break
                except StatusRefused as error:
                    # Copied JSON has asset IDs, which a server of static files does not serve.
                    if not error.gone or url == urls[-1]:
                        raise
            yield download

    def _read_one(self, *path: str, version: str | None = None) -> Release:
        document = self._upstream.read(self._releases.below(path), accept=_ACCEPT)
        return read_release(document, version=version)


def _releases_in(entries: Iterator[object]) -> Iterator[Release]:
    return (release for entry in entries if (release := listed_release(entry)) is not None)
