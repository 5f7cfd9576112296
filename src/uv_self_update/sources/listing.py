"""`listing`: the directory listings of web servers: nginx, Apache, Caddy, IIS and others."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.errors import UpstreamError
from uv_self_update.releases.digests import only_sums, parse_sums
from uv_self_update.sources.context import url_of
from uv_self_update.sources.formats.listing import read_listing
from uv_self_update.sources.index.wheels import TreeOrWheels
from uv_self_update.sources.tree import Tree

if TYPE_CHECKING:
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.formats.entry import Entry
    from uv_self_update.sources.tree import Names

_log = logging.getLogger(__name__)


ACCEPT = "text/html, application/json;q=0.9, */*;q=0.1"


def create(settings: SourceSettings, context: Context) -> TreeOrWheels:
    """Create the source of a `[[source]]`; see context."""
    tree = ListingTree(context.upstream(settings), base=url_of(settings))
    return TreeOrWheels(tree, context)


class ListingTree(Tree):
    """The directories of a web server."""

    def entries(self, path: Names) -> tuple[Entry, ...]:
        """Return the entries of a directory.

        The request ends in a slash, because a server that redirects to add it may use a wrong host
        or scheme.
        """
        document = self._upstream.read(self.url(path), accept=ACCEPT)
        return read_listing(document)

    def digest_next_to(self, path: Names) -> str | None:
        url = self._base.below((*path[:-1], f"{path[-1]}.sha256"))
        try:
            answer = self._upstream.look(url, search=False)
        except UpstreamError as error:
            _log.debug("no digest before the listing: %s", error)
            return None
        text = answer.body.decode("utf-8", errors="replace")
        sums = parse_sums(text) if answer.status == HTTPStatus.OK and only_sums(text) else {}
        return next(iter(sums.values())) if len(sums) == 1 else None
