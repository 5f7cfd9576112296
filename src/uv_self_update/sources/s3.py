"""`s3`: a bucket that can be listed without signatures: S3, what speaks its dialect, Azure Blob.

Whether the bucket is the host or the first folder, and which dialect is spoken, is found out by
asking. A query in the URL, such as Azure's SAS, goes with every request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from uv_self_update.errors import SourceError, StatusRefused, UnexpectedBody
from uv_self_update.redaction import redact_url
from uv_self_update.sources.formats.bucket import read_bucket
from uv_self_update.sources.tree import HttpTree, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.formats.bucket import BucketPage
    from uv_self_update.sources.formats.entry import Entry
    from uv_self_update.sources.tree import Names


_AZURE = re.compile(r"\.blob\.")
_AZURE_PATH = re.compile(r"devstoreaccount")  # of Azurite, which has the account in the path
_BUCKET_IN_HOST = re.compile(r".+\.s3[.-][^/]*amazonaws\.com|.+\.storage\.googleapis\.com")
_MAX_PAGES = 400
"""Pages of a listing: up to 1,000 names each, 5,000 with Azure."""


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    """Where a bucket is, and how it is asked for a page of a folder."""

    bucket: str
    """The URL that is asked, without a query."""

    above: Names
    """The folders between the bucket and the base."""

    query: str
    """Without prefix and continuation."""


class BucketTree(HttpTree):
    """The folders of a bucket: all that its keys have before a slash."""

    def __init__(self, upstream: Upstream, *, base: str) -> None:
        """Keep the URL; nothing is asked yet."""
        super().__init__(upstream, base=base)
        self._first: BucketPage | None = None
        """The first page of the base, which was asked for to know the dialect."""

    def entries(self, path: Names) -> list[Entry]:
        """Return what a folder holds; see Tree."""
        pages = self._pages(self._dialect, path)
        found = {(entry.name, entry.folder): entry for page in pages for entry in page}
        return [*found.values()]

    @cached_property
    def _dialect(self) -> _Dialect:
        """The first dialect that the server understands.

        Raises:
            SourceError: It understands none, or does not let the bucket be listed.
        """
        failures: list[SourceError] = []
        for dialect in self._candidates():
            try:
                self._first = self._page(dialect, ())
            except (StatusRefused, UnexpectedBody) as error:
                failures.append(error)
            else:
                return dialect
        # That something is forbidden says more than that something else is not there.
        telling = [error for error in failures if not getattr(error, "gone", False)]
        raise (telling or failures)[0]

    def _candidates(self) -> Iterator[_Dialect]:
        parts = urlsplit(self._base)
        names = names_in(parts.path)
        host = parts.hostname or ""
        if _AZURE.search(host) or (names and _AZURE_PATH.match(names[0])):
            depth = 2 if names and _AZURE_PATH.match(names[0]) else 1
            yield self._azure(names[:depth], names[depth:])
            return
        orders = [0, 1] if _BUCKET_IN_HOST.fullmatch(host) else [1, 0]
        for depth in orders:
            if len(names) >= depth:
                yield self._s3(names[:depth], names[depth:])
        if names:
            yield self._azure(names[:1], names[1:])

    def _s3(self, bucket: Names, above: Names) -> _Dialect:
        return _Dialect(bucket=self._url(bucket), above=above, query="list-type=2&delimiter=/")

    def _azure(self, container: Names, above: Names) -> _Dialect:
        query = "restype=container&comp=list&delimiter=/"
        return _Dialect(bucket=self._url(container), above=above, query=query)

    def _url(self, names: Names) -> str:
        parts = urlsplit(self._base)
        path = "/" + "/".join(quote(name, safe="") for name in names)
        return urlunsplit((parts.scheme, parts.netloc, path, "", ""))

    def _pages(self, dialect: _Dialect, path: Names) -> Iterator[tuple[Entry, ...]]:
        first, self._first = self._first, None
        page = first if first is not None and not path else self._page(dialect, path)
        continued: set[str] = set()
        yield page.entries
        while page.next is not None:
            if page.next in continued or len(continued) == _MAX_PAGES:
                shown = redact_url(dialect.bucket)
                raise UnexpectedBody(shown, "a list of files", "one that does not end")
            continued.add(page.next)
            page = self._page(dialect, path, f"&{page.parameter}={quote(page.next, safe='')}")
            yield page.entries

    def _page(self, dialect: _Dialect, path: Names, more: str = "") -> BucketPage:
        """Read a page; `more` is the parameter that continues the list, with its value."""
        prefix = "".join(f"{name}/" for name in (*dialect.above, *path))
        query = f"{dialect.query}&prefix={quote(prefix, safe='')}{more}"
        own = urlsplit(self._base).query
        url = f"{dialect.bucket}?{query}" + (f"&{own}" if own else "")
        document = self._upstream.read(url, accept="application/xml")
        return read_bucket(document, prefix=prefix)
