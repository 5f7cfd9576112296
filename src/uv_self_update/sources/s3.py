"""`s3`: a bucket that can be listed: S3 and compatible stores, Azure Blob.

Requests find out whether the host or the first name of the path is the bucket, and which API the
store has. The query of the URL, such as Azure's SAS, is part of every request.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import quote

from uv_self_update.errors import SourceError, StatusRefused, TooLarge, UnexpectedBody
from uv_self_update.sources.context import url_of
from uv_self_update.sources.formats.bucket import read_bucket
from uv_self_update.sources.formats.json_array import MAX_ENTRIES
from uv_self_update.sources.tree import Tree, TreeSource, names_in
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.formats.bucket import BucketPage
    from uv_self_update.sources.formats.entry import Entry
    from uv_self_update.sources.tree import Names
    from uv_self_update.url import Url


_AZURE = re.compile(r"\.blob\.")
_AZURE_PATH = re.compile(r"devstoreaccount")  # Azurite has the account in the path
_BUCKET_IN_HOST = re.compile(r".+\.s3[.-][^/]*amazonaws\.com|.+\.storage\.googleapis\.com")
_LIST_OBJECTS = "list-type=2&delimiter=%2F"
"""Encoded as it is signed: moto compares the query as it was sent."""

_LIST_BLOBS = "restype=container&comp=list&maxresults=1000&delimiter=/"


def create(settings: SourceSettings, context: Context) -> TreeSource:
    """Create the source of a `[[source]]`; see context."""
    return TreeSource(
        BucketTree(context.upstream(settings), base=url_of(settings)), context.platform
    )


@frozen
class _Dialect:
    """The URL of a bucket, and the query that lists a page of a directory."""

    bucket: Url
    """The URL, without a query."""

    parents: Names
    """The path of the base in the bucket."""

    query: str
    """The query, without prefix and continuation."""


class BucketTree(Tree):
    """The directories of a bucket: the parts of its keys before a slash."""

    def __init__(self, upstream: Upstream, *, base: Url) -> None:
        super().__init__(upstream, base=base)
        self._first: BucketPage | None = None
        """The first page of the base, left from the detection of the dialect."""

    def entries(self, path: Names) -> list[Entry]:
        found: dict[tuple[str, bool | None], Entry] = {}
        for page in self._pages(self._dialect, path):
            found.update({(entry.name, entry.is_directory): entry for entry in page})
            if len(found) > MAX_ENTRIES:
                raise TooLarge(self.name, MAX_ENTRIES, unit="entries")
        return [*found.values()]

    @cached_property
    def _dialect(self) -> _Dialect:
        """The first dialect that the server understands.

        Raises:
            SourceError: It understands none, or the bucket may not be listed.
        """
        failures: list[SourceError] = []
        for dialect in self._candidates():
            try:
                self._first = self._page(dialect, ())
            except (StatusRefused, UnexpectedBody) as error:
                failures.append(error)
            else:
                return dialect
        # "Forbidden" for one dialect is more informative than "not found" for another.
        informative = [error for error in failures if not getattr(error, "gone", False)]
        raise (informative or failures)[0]

    def _candidates(self) -> Iterator[_Dialect]:
        names = names_in(self._base.parts.path)
        account = bool(names and _AZURE_PATH.match(names[0]))
        if account or _AZURE.search(self._base.host):
            yield self._at(names, 2 if account else 1, _LIST_BLOBS)
            return
        for depth in (0, 1) if _BUCKET_IN_HOST.fullmatch(self._base.host) else (1, 0):
            if len(names) >= depth:
                yield self._at(names, depth, _LIST_OBJECTS)
        if names:
            yield self._at(names, 1, _LIST_BLOBS)

    def _at(self, names: Names, depth: int, query: str) -> _Dialect:
        path = "/" + "/".join(quote(name, safe="") for name in names[:depth])
        return _Dialect(bucket=self._base.at(path), parents=names[depth:], query=query)

    def _pages(self, dialect: _Dialect, path: Names) -> Iterator[tuple[Entry, ...]]:
        first, self._first = self._first, None
        page = first if first is not None and not path else self._page(dialect, path)
        continued: set[str] = set()
        yield page.entries
        while page.next is not None:
            if page.next in continued or len(continued) == self._upstream.limits.bucket_pages:
                raise UnexpectedBody(str(dialect.bucket), "a list of files", "an endless one")
            continued.add(page.next)
            page = self._page(dialect, path, f"&{page.parameter}={quote(page.next, safe='')}")
            yield page.entries

    def _page(self, dialect: _Dialect, path: Names, continuation: str = "") -> BucketPage:
        """Read a page; `continuation` is the parameter of the next page, with its value."""
        prefix = "".join(f"{name}/" for name in (*dialect.parents, *path))
        query = f"{dialect.query}&prefix={quote(prefix, safe='')}{continuation}"
        own = self._base.parts.query
        url = dialect.bucket.asking(f"{query}&{own}" if own else query)
        document = self._upstream.read(url, accept="application/xml")
        return read_bucket(document, prefix=prefix)
