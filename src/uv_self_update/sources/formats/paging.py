"""Paginated JSON lists, by the `Link` header (RFC 8288)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from uv_self_update.errors import TooLarge, UnexpectedBody
from uv_self_update.sources.formats.documents import read_entries
from uv_self_update.sources.formats.json_array import MAX_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.client import Upstream
    from uv_self_update.url import Url


def pages(
    upstream: Upstream, url: Url, query: str, *, accept: str, expected: str
) -> Iterator[Iterator[dict[str, Any]]]:
    """Yield the pages of a list; a page must be consumed before the next one is requested.

    Only the query of the next page's URL is used, because the server may not know its own address.
    Entries that are not JSON objects are skipped.

    Args:
        upstream: The HTTP client.
        url: The URL of the list, without a query.
        query: The query of the first page.
        accept: The `Accept` header.
        expected: The noun for a page, for a message.

    Raises:
        UpstreamError: A request failed, or the connection broke while a page is read.
        UnexpectedBody: A page is something else, or the list is endless.
        TooLarge: The list has too many entries or pages.
    """
    requested: set[str] = set()
    count = 0

    def counted(found: Iterator[object]) -> Iterator[dict[str, Any]]:
        nonlocal count
        for entry in found:
            count += 1
            if count > MAX_ENTRIES:
                raise TooLarge(str(url), MAX_ENTRIES, unit="entries")
            if isinstance(entry, dict):
                yield entry

    split = partial(read_entries, expected=expected)
    for _ in range(upstream.limits.pages):
        requested.add(query)
        with upstream.items(url.asking(query), split, accept=accept) as page:
            yield counted(page.items)
            query = urlsplit(page.links.get("next", "")).query
        if not query:
            return
        if query in requested:
            raise UnexpectedBody(str(url), "a list", "an endless one")
    raise TooLarge(str(url), upstream.limits.pages, unit="pages")


def entries(
    upstream: Upstream, url: Url, query: str, *, accept: str, expected: str
) -> Iterator[dict[str, Any]]:
    """Yield the entries of all pages; see `pages`."""
    for page in pages(upstream, url, query, accept=accept, expected=expected):
        yield from page
