"""A project of uv, with the members of its workspace: what has to be resolved for all of it.

https://docs.astral.sh/uv/concepts/projects/workspaces/
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from uv_self_update.uv.configuration import UnusableFile, load
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

NAME = "pyproject.toml"

_LOWER_BOUNDS = frozenset({">=", ">", "~=", "==", "==="})


@frozen
class Workspace:
    """A project; its members too, if it is the root of a workspace."""

    root: Path
    tables: Mapping[Path, Mapping[str, Any]]
    """Each pyproject.toml and its content, the root's first."""

    @classmethod
    def find(cls, directory: Path) -> Workspace | None:
        """Return the workspace that a directory belongs to; None without a pyproject.toml.

        Raises:
            UnusableFile: A pyproject.toml cannot be read.
        """
        nearest = next((p for p in (directory, *directory.parents) if (p / NAME).is_file()), None)
        if nearest is None:
            return None
        for place in (nearest, *nearest.parents):
            members: list[Path] = []
            # What is above a project, and cannot be read, is no workspace of it.
            with suppress(UnusableFile):
                members += _members(place, load(place / NAME))
            if members and nearest in (place, *members):
                return cls._of(place, members)
        return cls._of(nearest, [])

    @classmethod
    def _of(cls, root: Path, members: Sequence[Path]) -> Workspace:
        files = [root / NAME, *(member / NAME for member in members)]
        return cls(root=root, tables={file: load(file) for file in dict.fromkeys(files)})

    @property
    def table(self) -> Mapping[str, Any]:
        """The content of the root's pyproject.toml."""
        return self.tables[self.root / NAME]

    def sources(self) -> list[str]:
        """Return each pyproject.toml that has dependencies, relative to the root."""
        return [self._relative(path) for path, table in self.tables.items() if "project" in table]

    def _relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def python(self) -> str | None:
        """Return the lowest version of Python that all projects support; None if none says."""
        from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 # slow
        from packaging.version import Version  # noqa: PLC0415 # as above

        found = []
        for table in self.tables.values():
            try:
                specifiers = SpecifierSet(str(_table(table, "project").get("requires-python", "")))
            except InvalidSpecifier:
                continue  # uv says so itself
            found += [
                Version(one.version.removesuffix(".*"))
                for one in specifiers
                if one.operator in _LOWER_BOUNDS
            ]
        return str(max(found)) if found else None

    def selections(self) -> list[list[str]]:
        """Return options of `uv pip compile` for all extras and groups.

        Those that `tool.uv.conflicts` declares cannot be resolved at once: each is one by itself.
        """
        groups = [
            ["--group", name if path.parent == self.root else f"{self._relative(path)}:{name}"]
            for path, table in self.tables.items()
            for name in _table(table, "dependency-groups")
        ]
        if not any(_table(table, "tool", "uv").get("conflicts") for table in self.tables.values()):
            return [["--all-extras", *(word for group in groups for word in group)]]
        extras = [
            ["--extra", str(name)]
            for table in self.tables.values()
            for name in _table(table, "project", "optional-dependencies")
        ]
        return [[], *extras, *groups]


def _members(root: Path, table: Mapping[str, Any]) -> Iterator[Path]:
    workspace = _table(table, "tool", "uv", "workspace")
    left_out = {
        path for pattern in _words(workspace.get("exclude")) for path in _glob(root, pattern)
    }
    for pattern in _words(workspace.get("members")):
        for path in sorted(_glob(root, pattern)):
            if path not in left_out and (path / NAME).is_file():
                yield path


def _glob(root: Path, pattern: str) -> set[Path]:
    relative = re.sub(r"^(?:\./)+|/+$", "", pattern)
    try:
        return set(root.glob(relative)) if relative else set()
    except (ValueError, NotImplementedError):  # an absolute or an invalid pattern, which uv refuses
        return set()


def _words(value: object) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []


def _table(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return a table in a document; an empty one if it is missing."""
    found: Any = document
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}
