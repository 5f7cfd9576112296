"""`listing`: folders as web servers show them: nginx, Apache, Caddy, IIS and others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.sources.formats.listing import read_listing
from uv_self_update.sources.tree import HttpTree, below

if TYPE_CHECKING:
    from uv_self_update.sources.formats.entry import Entry
    from uv_self_update.sources.tree import Names


_ACCEPT = "text/html, application/json;q=0.9, */*;q=0.1"


class ListingTree(HttpTree):
    """The folders of a web server."""

    def entries(self, path: Names) -> tuple[Entry, ...]:
        """Return what a folder holds; see Tree.

        The slash is ours: a server that would add it may know neither its own name nor that it is
        reached by https.
        """
        document = self._upstream.read(below(self._base, path, folder=True), accept=_ACCEPT)
        return read_listing(document)
