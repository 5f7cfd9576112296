"""A repository manager: a proxy of Astral's mirror, or directories of releases."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote

from uv_self_update.errors import NotFoundOrUnauthorized, StatusRefused, UnexpectedBody
from uv_self_update.sources.astral import AstralSource
from uv_self_update.sources.context import url_of
from uv_self_update.sources.interface import Composite
from uv_self_update.sources.tree import Tree, TreeSource, names_in

if TYPE_CHECKING:
    import re

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.context import Context
    from uv_self_update.url import Url


class RepositoryTree(Tree):
    """The directories of a repository, whose URL has been validated with the configuration."""

    pattern: ClassVar[re.Pattern[str]]
    """The pattern of its path, with the groups `root` (the server's), `name` and `path`."""

    hint: ClassVar[str]
    """The hint for a missing repository."""

    def __init__(self, upstream: Upstream, *, base: Url) -> None:
        super().__init__(upstream, base=base)
        match = self.pattern.fullmatch(base.parts.path)
        assert match is not None, "the configuration was validated"  # noqa: S101 # for the type checker
        self._root = base.at(match["root"])
        self._repository = unquote(match["name"])
        self._path = names_in(match["path"] or "")

    def missing(self, refused: StatusRefused) -> NotFoundOrUnauthorized:
        """Return the error for a repository that is not found."""
        login = self._upstream.login_for(self._root) is not None
        what = "such repository or directory"
        return NotFoundOrUnauthorized(refused, what, login=login, hint=self.hint)


class ManifestOrTree(Composite):
    """The releases of Astral's manifest if the server has it; those in its directories otherwise.

    The directories of a proxy show only the files that were fetched before, so the manifest is
    requested first. It is one file with a fixed path, which no proxy stores in a directory's place.
    """

    def __init__(
        self, settings: SourceSettings, context: Context, kind: type[RepositoryTree]
    ) -> None:
        upstream, url = context.upstream(settings), url_of(settings)
        self._manifest = AstralSource(upstream, context.platform, url=url)
        self._tree = TreeSource(kind(upstream, base=url), context.platform)
        self.name = self._tree.name

    def list_ahead(self) -> None:
        self._manifest.list_ahead()

    @cached_property
    def chosen(self) -> AstralSource | TreeSource:
        try:
            known = self._manifest.by_version
        except UnexpectedBody:
            return self._tree
        except StatusRefused as error:
            if error.gone or error.status == HTTPStatus.FORBIDDEN:
                return self._tree
            raise
        return self._manifest if known else self._tree
