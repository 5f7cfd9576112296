"""Lists that come in pages."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from uv_self_update.errors import TooLarge, UnexpectedBody
from uv_self_update.redaction import redact_url
from uv_self_update.sources.formats.documents import read_entries
from uv_self_update.sources.formats.json_array import MOST_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.client import Upstream


def pages(
    upstream: Upstream, url: str, query: str, *, accept: str, expected: str
) -> Iterator[Iterator[dict[str, Any]]]:
    """Read a list page by page, as the `Link` header leads (RFC 8288); each page has to be used up.

    Only the query of the next page is taken from the server, which may not know the address that
    it is reached at. Entries that are no JSON objects are passed over.

    Args:
        upstream: The client.
        url: The list's URL without a query.
        query: The query of the first page.
        accept: The `Accept` header.
        expected: What a page should be, for a message.

    Raises:
        UpstreamError: A page cannot be had. Also while it is read.
        UnexpectedBody: A page is something else, or the list does not end.
        TooLarge: The list is.
    """
    asked: set[str] = set()
    count = 0

    def counted(found: Iterator[object]) -> Iterator[dict[str, Any]]:
        nonlocal count
        for entry in found:
            count += 1
            if count > MOST_ENTRIES:
                raise TooLarge(redact_url(url), MOST_ENTRIES, unit="entries")
            if isinstance(entry, dict):
                yield entry

    split = partial(read_entries, expected=expected)
    for _ in range(upstream.limits.pages):
        asked.add(query)
        with upstream.items(f"{url}?{query}", split, accept=accept) as page:
            yield counted(page.items)
            query = urlsplit(page.links.get("next", "")).query
        if not query:
            return
        if query in asked:
            raise UnexpectedBody(redact_url(url), "a list", "one that does not end")
    raise TooLarge(redact_url(url), upstream.limits.pages, unit="pages")


def entries(
    upstream: Upstream, url: str, query: str, *, accept: str, expected: str
) -> Iterator[dict[str, Any]]:
    """Read the entries of all pages; see `pages`."""
    for page in pages(upstream, url, query, accept=accept, expected=expected):
        yield from page
