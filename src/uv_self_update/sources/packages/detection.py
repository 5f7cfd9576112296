"""Which kind of repository a URL is, for `--releases URL`.

The clues are those of `sources.detection`; the first kind that finds packages is the result.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.config.releases import KINDS, ReleasesSettings
from uv_self_update.errors import NoPackages, NotDetected, SourceError
from uv_self_update.sources.context import url_of
from uv_self_update.sources.detection.clues import (
    from_answer,
    from_page,
    from_url,
    last_resorts,
    source_url,
)
from uv_self_update.sources.packages.interface import build
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.detection.clues import Clue
    from uv_self_update.url import Url

_DEFAULT = "github"


def likely(releases: ReleasesSettings) -> ReleasesSettings:
    """Return settings of the kind that a URL itself suggests, else of `github`.

    No request is sent.
    """
    source = releases.source
    if source.kind != "auto":
        return releases
    found = (clue for clue in from_url(source_url(url_of(source))) if clue.kind in KINDS)
    sources = (clue.settings for clue in found if clue.settings is not None)
    chosen = next(sources, replace(source, kind=_DEFAULT))
    return replace(releases, source=chosen.with_login_of(source))


def examined(
    releases: ReleasesSettings, client: Callable[[SourceSettings], Upstream]
) -> ReleasesSettings:
    """Return settings of the first kind that finds packages at a URL.

    Args:
        releases: Settings of any kind; only `auto` is detected.
        client: Makes the client of a source whose kind is a guess.

    Raises:
        NoPackages: A repository can be read, and holds no package.
        SourceError: None can be read.
    """
    if releases.source.kind != "auto":
        return releases
    url = source_url(url_of(releases.source))
    failures: list[tuple[Clue, SourceError]] = []
    empty = False
    tried: set[SourceSettings] = set()
    for clue in _clues(url, client(releases.source)):
        if clue.kind not in KINDS or clue.settings is None or clue.settings in tried:
            continue
        tried.add(clue.settings)
        same = url_of(clue.settings).origin == url.origin
        source = clue.settings.with_login_of(releases.source) if same else clue.settings
        found = replace(releases, source=source)
        try:
            if build(found, client(source)).distributions():
                return found
            empty = True
        except SourceError as error:
            failures.append((clue, error))
    if empty:
        raise NoPackages(str(url))
    for clue, failure in failures:
        if clue.reason:
            raise failure
    lines = [f"tried `{clue.kind}`: {failure}" for clue, failure in failures]
    hint = f"Name the kind before the URL, as in `{_DEFAULT}+{url}`; its token is used then."
    raise NotDetected(str(url), lines, hint, of="packages")


def _clues(url: Url, upstream: Upstream) -> Iterator[Clue]:
    yield from from_url(url)
    page = upstream.look(url.below((), directory=True))
    yield from from_answer(url, page)
    if page.status == HTTPStatus.OK:
        yield from from_page(url, page)
    yield from last_resorts(url, page, page)
