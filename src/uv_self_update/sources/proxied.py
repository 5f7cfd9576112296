"""A repository manager: a proxy of Astral's mirror, or directories of releases."""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from uv_self_update.errors import StatusRefused, UnexpectedBody
from uv_self_update.sources.interface import Composite
from uv_self_update.sources.tree import names_in

if TYPE_CHECKING:
    import re

    from uv_self_update.sources.astral import AstralSource
    from uv_self_update.sources.tree import Names, TreeSource


def split_repository(url: str, pattern: re.Pattern[str]) -> tuple[str, str, Names]:
    """Split the URL of a repository into the server's URL, the repository, and the path in it.

    Args:
        url: The URL, as validated with the configuration.
        pattern: The pattern of its path, with the groups `root`, `name` and `path`.
    """
    parts = urlsplit(url)
    match = pattern.fullmatch(parts.path)
    assert match is not None, "the configuration was validated"  # noqa: S101 # for the type checker
    root = urlunsplit((parts.scheme, parts.netloc, match["root"], "", ""))
    return root, unquote(match["name"]), names_in(match["path"] or "")


class ManifestOrTree(Composite):
    """The releases of Astral's manifest if the server has it; those in its directories otherwise.

    The directories of a proxy show only the files that were fetched before, so the manifest is
    requested first. It is one file with a fixed path, which no proxy stores in a directory's place.
    """

    def __init__(self, manifest: AstralSource, tree: TreeSource) -> None:
        self._manifest = manifest
        self._tree = tree
        self.name = tree.name

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
