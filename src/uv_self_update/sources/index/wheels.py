"""A directory, or a page of links, with wheels of uv instead of its archives.

uv calls that a flat index, and reads it itself.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from uv_self_update.config.kinds import SourceSettings
from uv_self_update.errors import WheelsOnly
from uv_self_update.sources.context import build
from uv_self_update.sources.interface import Composite, Source
from uv_self_update.sources.tree import TreeSource

if TYPE_CHECKING:
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.tree import Tree


class TreeOrWheels(Composite):
    """The releases in directories, or the wheels if there are no releases."""

    def __init__(self, tree: Tree, context: Context) -> None:
        self._tree = TreeSource(tree, context.platform)
        self._context = context
        self.name = tree.name

    def list_ahead(self) -> None:
        self._tree.list_ahead()

    @cached_property
    def wheels(self) -> SourceSettings | None:
        """The settings of the flat index; None if the directories have releases.

        Raises:
            SourceError: The directories cannot be listed.
        """
        try:
            _ = self._tree.by_version
        except WheelsOnly as error:
            return SourceSettings(kind="index", url=error.url, format="flat")
        return None

    @cached_property
    def chosen(self) -> Source:
        return self._tree if self.wheels is None else build(self.wheels, self._context)
