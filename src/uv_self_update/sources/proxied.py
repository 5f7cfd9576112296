"""A server that may hold Astral's own list, and else is looked through folder by folder."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from uv_self_update.errors import StatusRefused, UnexpectedBody
from uv_self_update.sources.interface import ArchiveSource

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from uv_self_update.network.responses import Download
    from uv_self_update.releases.release import Asset, Release
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.astral import AstralSource
    from uv_self_update.sources.tree import TreeSource


_FORBIDDEN = 403


class EitherSource(ArchiveSource):
    """Astral's list where there is one; what is found in the folders otherwise.

    The folders of a proxy show only what somebody has fetched before, so the list comes first. It
    is one file, at a fixed place: to ask for it harms no proxy.
    """

    def __init__(self, listed: AstralSource, folders: TreeSource) -> None:
        """Keep both; nothing is asked yet."""
        self._listed = listed
        self._folders = folders
        self.name = folders.name

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source."""
        return self._chosen.find(wanted)

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases; see Source."""
        return self._chosen.releases(limit)

    def open(self, release: Release, asset: Asset) -> AbstractContextManager[Download]:
        """Begin to fetch one file; see ArchiveSource."""
        return self._chosen.open(release, asset)

    @cached_property
    def _chosen(self) -> AstralSource | TreeSource:
        try:
            known = self._listed.by_version
        except UnexpectedBody:
            return self._folders
        except StatusRefused as error:
            if error.gone or error.status == _FORBIDDEN:
                return self._folders
            raise
        return self._listed if known else self._folders
