"""Lists that come in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.client import Upstream
    from uv_self_update.network.responses import Document


_MAX_PAGES = 50


def pages(upstream: Upstream, url: str, query: str, *, accept: str) -> Iterator[Document]:
    """Read a list page by page, as the `Link` header leads (RFC 8288).

    Only the query of the next page is taken from the server, which may not know the address that
    it is reached at.

    Args:
        upstream: The client.
        url: The list's URL without a query.
        query: The query of the first page.
        accept: The `Accept` header.

    Raises:
        UpstreamError: A page cannot be had.
    """
    for _ in range(_MAX_PAGES):
        page = upstream.read(f"{url}?{query}", accept=accept)
        yield page
        query = urlsplit(page.links.get("next", "")).query
        if not query:
            return
