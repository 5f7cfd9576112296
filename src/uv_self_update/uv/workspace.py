"""A project of uv: its files of settings, and the members of its workspace.

https://docs.astral.sh/uv/concepts/configuration-files/
https://docs.astral.sh/uv/concepts/projects/workspaces/
"""

from __future__ import annotations

import os.path
import posixpath
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from uv_self_update.uv import configuration
from uv_self_update.uv.configuration import PYPROJECT, UnusableFile, load, load_settings, table_in
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_UV_TOML = "uv.toml"
_PROXIES = ("http-proxy", "https-proxy")
_LOWER_BOUNDS = frozenset({">=", ">", "~=", "==", "==="})


def proxy_keys(
    environ: Mapping[str, str], directory: Path, *, windows: bool
) -> Iterator[tuple[Path, str]]:
    """Yield the files, and the keys in them, from which uv takes its proxies in a directory.

    Either key makes uv (0.9.23 and newer) ignore every proxy variable, `NO_PROXY` included.
    """
    for path, table in tables(environ, directory, windows=windows):
        yield from ((path, key) for key in _PROXIES if isinstance(table.get(key), str))


def index_urls(environ: Mapping[str, str], directory: Path, *, windows: bool) -> Iterator[str]:
    """Yield the URLs of `[[index]]` in the files that uv reads in a directory."""
    for _, table in tables(environ, directory, windows=windows):
        indexes = table.get("index")
        for index in indexes if isinstance(indexes, list) else []:
            if isinstance(index, dict) and isinstance(url := index.get("url"), str):
                yield url


def tables(
    environ: Mapping[str, str], directory: Path, *, windows: bool
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the files that uv reads in a directory, each with its settings.

    What cannot be read is left out.
    """
    for path in files(environ, directory, windows=windows):
        try:
            yield path, load_settings(path)
        except UnusableFile:
            continue


def files(environ: Mapping[str, str], directory: Path, *, windows: bool) -> Iterator[Path]:
    """Yield the files that uv reads in a directory: the project's, the user's, the system's."""
    if not (environ.get("UV_CONFIG_FILE") or configuration.switched_off(environ)):
        project = project_file(directory)
        yield from [] if project is None else [project]
    yield from configuration.files(environ, windows=windows)


def project_file(directory: Path) -> Path | None:
    """Return the file that uv reads the configuration of a directory's project from."""
    start = _root(directory) or directory
    for above in (start, *start.parents):
        if _is_file(above / _UV_TOML):
            return above / _UV_TOML
        pyproject = above / PYPROJECT
        if _is_file(pyproject):
            try:
                table = load(pyproject)
            except UnusableFile:
                return pyproject  # reading it says why
            if "uv" in table_in(table, "tool"):
                return pyproject
    return None


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
        above = (directory, *directory.parents)
        nearest = next((place for place in above if (place / PYPROJECT).is_file()), None)
        if nearest is None:
            return None
        root = _root(nearest) or nearest
        files = [root / PYPROJECT, *(path / PYPROJECT for path in _members(root))]
        return cls(root=root, tables={file: load(file) for file in dict.fromkeys(files)})

    @property
    def table(self) -> Mapping[str, Any]:
        """The content of the root's pyproject.toml."""
        return self.tables[self.root / PYPROJECT]

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
            said = str(table_in(table, "project").get("requires-python", ""))
            try:
                specifiers = SpecifierSet(said)
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
            for name in table_in(table, "dependency-groups")
        ]
        settings = (table_in(table, "tool", "uv") for table in self.tables.values())
        if not any(table.get("conflicts") for table in settings):
            return [["--all-extras", *(word for group in groups for word in group)]]
        extras = [
            ["--extra", str(name)]
            for table in self.tables.values()
            for name in table_in(table, "project", "optional-dependencies")
        ]
        return [[], *extras, *groups]


def _root(directory: Path) -> Path | None:
    """Return the root of the workspace of a directory; a single project is its own root.

    As in uv, None outside of a project, or in one that uv does not manage.
    """
    projects = _projects(directory)
    project, table = next(projects, (directory, {}))
    ours = table_in(table, "tool", "uv")
    if ours.get("managed") is False:
        return None
    if "workspace" in ours:
        return project
    if "project" not in table:
        return None
    root, table = next(projects, (project, {}))
    workspace = table_in(table, "tool", "uv", "workspace")
    member = _matches(project, root, workspace.get("members"))
    return root if member and not _matches(project, root, workspace.get("exclude")) else project


def _projects(directory: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the directories with a pyproject.toml, innermost first, up to an unreadable one."""
    for above in (directory, *directory.parents):
        if _is_file(above / PYPROJECT):
            try:
                yield above, load(above / PYPROJECT)
            except UnusableFile:
                return


def _members(root: Path) -> Iterator[Path]:
    workspace = table_in(load(root / PYPROJECT), "tool", "uv", "workspace")
    for pattern in _words(workspace.get("members")):
        for path in sorted(_glob(root, pattern)):
            excluded = _matches(path, root, workspace.get("exclude"))
            if not excluded and (path / PYPROJECT).is_file():
                yield path


def _matches(project: Path, root: Path, patterns: object) -> bool:
    """Return whether a pattern of a workspace matches a project below its root."""
    parts = project.relative_to(root).parts
    return any(_fits(parts, posixpath.normpath(one).split("/")) for one in _words(patterns))


def _fits(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    """Return whether a path matches a pattern, part by part; `**` matches any number of parts."""
    ends = {0}  # the lengths of the path that the pattern matches so far
    for pattern in patterns:
        if pattern == "**":
            ends = set(range(min(ends, default=len(parts) + 1), len(parts) + 1))
        else:
            fitting = (end for end in ends if end < len(parts) and fnmatchcase(parts[end], pattern))
            ends = {end + 1 for end in fitting}
    return len(parts) in ends


def _glob(root: Path, pattern: str) -> set[Path]:
    relative = re.sub(r"^(?:\./)+|/+$", "", pattern)
    try:
        return set(root.glob(relative)) if relative else set()
    except (ValueError, NotImplementedError):  # an absolute or an invalid pattern, which uv refuses
        return set()


def _words(value: object) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 # Path.is_file raises without permission
