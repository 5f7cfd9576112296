"""`required-version`: the uv that the project, the user and the system require.

It is a key of uv's configuration, and is found as uv finds it
(https://docs.astral.sh/uv/concepts/configuration-files/):

1. `--config-file` or UV_CONFIG_FILE, and then no other file.
2. Otherwise the project's: the first directory, from the current one upwards, that has a `uv.toml`,
   or a `pyproject.toml` with `[tool.uv]`. In a member of a workspace, the search begins at the root
   of the workspace.
3. And the user's `uv.toml`, and the system's.

New versions of uv refuse to run if any of the files in 2 and 3 requires another version, older ones
read only the first that requires any. Obeying all of them satisfies both.

uv skips a `pyproject.toml` that it cannot read, with a warning. Here that is an error, since that
file may contain the requirement.
"""

from __future__ import annotations

import logging
import os.path
import posixpath
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from uv_self_update.errors import (
    InvalidRequirement,
    NoLatest,
    NoSuchVersion,
    NothingRequired,
    Problem,
    UsageError,
)
from uv_self_update.messages import echo, printable
from uv_self_update.uv import configuration as uv_toml
from uv_self_update.uv.arguments import value_of
from uv_self_update.uv.configuration import UnusableFile
from uv_self_update.values import field, frozen
from uv_self_update.versions import LONGEST_SPECIFIERS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from uv_self_update.errors import UvSelfUpdateError


_log = logging.getLogger(__name__)

KEY = "required-version"
_UV_TOML = "uv.toml"
_PYPROJECT = "pyproject.toml"
_MOVING = ("UV_WORKING_DIR", "UV_WORKING_DIRECTORY")


@frozen
class Place:
    """The directory and environment that uv would be run in."""

    folder: Path
    """An absolute path: of the project, or the current directory."""

    environ: Mapping[str, str] = field(repr=False)
    """The environment, with uv's options about its configuration as variables."""

    windows: bool

    @classmethod
    def of(
        cls, options: Sequence[str], environ: Mapping[str, str], folder: Path, *, windows: bool
    ) -> Self:
        """Return the place that options of uv name, for a uv that is started in a directory.

        Raises:
            UsageError: The directory does not exist.
        """
        moved = value_of(options, "--directory") or _first(environ, *_MOVING)
        if moved:
            folder = Path(folder, moved).resolve()
        told = dict(environ)
        if named := value_of(options, "--config-file") or environ.get("UV_CONFIG_FILE"):
            told["UV_CONFIG_FILE"] = str(folder / named)
        if "--no-config" in options:
            told["UV_NO_CONFIG"] = "1"
        if project := value_of(options, "--project") or environ.get("UV_PROJECT"):
            folder = Path(os.path.abspath(folder / project))  # noqa: PTH100 # uv follows no link
        if not folder.is_dir():
            message = f"the directory {folder} does not exist"
            raise UsageError(message, hint="Check `--directory` and `--project`.")
        return cls(folder=folder, environ=told, windows=windows)


@frozen
class Requirement:
    """The requirement of one file."""

    specifier: str
    """A specifier set of PEP 440."""

    path: Path


def find(place: Place) -> tuple[Requirement, ...]:
    """Return the requirements: the project's first, then the user's, then the system's.

    Raises:
        NothingRequired: No file requires a version.
        InvalidRequirement: A file cannot be read, or its requirement is invalid.
    """
    environ, windows = place.environ, place.windows
    paths = list(uv_toml.files(environ, windows=windows))
    named = environ.get("UV_CONFIG_FILE")
    if named or uv_toml.switched_off(environ):
        looked = [named] if named else []
    else:
        project = _project_file(place.folder)
        paths = [*([project] if project else ()), *paths]
        looked = [str(project or f"{place.folder} and its parent directories")]
        looked += [str(path) for some in uv_toml.places(environ, windows=windows) for path in some]
    found = requirements(paths)
    if not found:
        raise NothingRequired(looked)
    for one in found:
        _log.debug("uv %s is required by %s", one.specifier, one.path)
    return found


def requirements(paths: Iterable[Path]) -> tuple[Requirement, ...]:
    """Return the requirement of each file that has one.

    Raises:
        InvalidRequirement: A file cannot be read, or its requirement is invalid.
    """
    return tuple(
        Requirement(specifier=specifier, path=path) for path in paths if (specifier := _read(path))
    )


def target(required: Sequence[Requirement]) -> str:
    """Return the version or specifier set that satisfies all requirements.

    An exact version if one is required, since some sources know only those.
    """
    exact = [one.specifier.removeprefix("==") for one in required if _is_exact(one.specifier)]
    if exact and permit(required, exact[0]):
        return exact[0]
    return ",".join(dict.fromkeys(one.specifier for one in required))


@contextmanager
def named(required: Sequence[Requirement]) -> Iterator[None]:
    """Name the files in an error about a version that no source has."""
    try:
        yield
    except (NoLatest, NoSuchVersion) as error:
        annotate(error, required)
        raise


def annotate(error: UvSelfUpdateError, required: Sequence[Requirement]) -> None:
    """Name the files in an error that was not raised, because it was sent through uv."""
    if len(required) > 1 and isinstance(error, (NoLatest, NoSuchVersion)):
        lines = "".join(f"\n  {one.specifier} by {one.path}" for one in required)
        error.message = printable(f"{error.message}; required are{lines}")


def permit(required: Iterable[Requirement], version: str) -> bool:
    """Return whether a version satisfies all requirements."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 # slow, and few get here

    return all(SpecifierSet(one.specifier).contains(version, prereleases=True) for one in required)


def _is_exact(specifier: str) -> bool:
    """Return whether a specifier names one full version."""
    version = specifier.removeprefix("==")
    return version != specifier and VERSION.fullmatch(version) is not None


def _read(path: Path) -> str:
    """Return the specifier set that a file requires; an empty one if none."""
    key = KEY
    try:
        table = uv_toml.load(path)
    except UnusableFile as unusable:
        raise _invalid(path, "", str(unusable)) from None
    if path.name == _PYPROJECT:
        table, key = _tool_uv(table) or {}, f"tool.uv.{KEY}"
    value = table.get(KEY)
    if value is None:
        return ""
    specifier = _specifier(value) if isinstance(value, str) else None
    if specifier is None:
        expected = "a version (`0.12.3`) or a specifier (`>=0.12,<0.14`)"
        long = isinstance(value, str) and len(value) > LONGEST_SPECIFIERS
        got = f"longer than {LONGEST_SPECIFIERS} characters" if long else echo(value)
        raise _invalid(path, key, f"it is {got}, but expected {expected}")
    return specifier


def _invalid(path: Path, key: str, reason: str) -> InvalidRequirement:
    return InvalidRequirement(Problem(origin=str(path), key=key, reason=reason))


def _specifier(text: str) -> str | None:
    """Return a version or a specifier set as a specifier set; None if uv would refuse it."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 # as in permit
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 # as in permit

    if len(text) > LONGEST_SPECIFIERS:
        return None
    try:
        return f"=={Version(text)}"
    except InvalidVersion:
        pass
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return None


def _project_file(folder: Path) -> Path | None:
    """Return the file that uv would read the project's configuration from."""
    start = _workspace(folder) or folder
    for above in (start, *start.parents):
        if _is_file(above / _UV_TOML):
            return above / _UV_TOML
        pyproject = above / _PYPROJECT
        if _is_file(pyproject):
            try:
                table = uv_toml.load(pyproject)
            except UnusableFile:
                return pyproject  # reading it says why
            if _tool_uv(table) is not None:
                return pyproject
    return None


def _workspace(folder: Path) -> Path | None:
    """Return the root of the workspace of a directory; a single project is its own root.

    As in uv, None outside of a project, or in one that uv does not manage.
    """
    projects = _projects(folder)
    project, table = next(projects, (folder, {}))
    ours = _tool_uv(table) or {}
    if ours.get("managed") is False:
        return None
    if "workspace" in ours:
        return project
    if "project" not in table:
        return None
    root, table = next(projects, (project, {}))
    workspace = _table((_tool_uv(table) or {}).get("workspace"))
    member = _matches(project, root, workspace.get("members"))
    return root if member and not _matches(project, root, workspace.get("exclude")) else project


def _projects(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield the directories with a pyproject.toml, innermost first, up to an unreadable one."""
    for above in (folder, *folder.parents):
        if _is_file(above / _PYPROJECT):
            try:
                yield above, uv_toml.load(above / _PYPROJECT)
            except UnusableFile:
                return


def _matches(project: Path, root: Path, patterns: object) -> bool:
    """Return whether a pattern of a workspace matches a project below its root."""
    parts = project.relative_to(root).parts
    return isinstance(patterns, list) and any(
        _fits(parts, posixpath.normpath(str(pattern)).split("/")) for pattern in patterns
    )


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


def _first(environ: Mapping[str, str], *names: str) -> str | None:
    return next((environ[name] for name in names if environ.get(name)), None)


def _tool_uv(table: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return `[tool.uv]`; None if it does not exist."""
    ours = _table(table.get("tool")).get("uv")
    return ours if isinstance(ours, dict) else None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 # Path.is_file raises without permission
