"""`required-version`: which uv the project, the person and the machine ask for.

It stands where uv looks for its configuration, and is found as uv finds it
(https://docs.astral.sh/uv/concepts/configuration-files/):

1. `--config-file` or UV_CONFIG_FILE, and then no other file.
2. Otherwise the project's: the first folder, from the current one upwards, that has a `uv.toml`, or
   a `pyproject.toml` with `[tool.uv]`. In a project that is the member of a workspace, the search
   begins at the root of the workspace: whatever lies below that is not read.
3. And the person's `uv.toml`, and the machine's.

New versions of uv refuse to run if any of the files in 2 and 3 asks for another version, older ones
obey only the first that asks for any. So all of them are obeyed here: that satisfies both.

uv passes over a `pyproject.toml` that it cannot read, with a warning. Here that is an error, since
what is asked for in there may be just what was meant.
"""

from __future__ import annotations

import logging
import os.path
import posixpath
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from uv_self_update.versions import LONGEST_SPECIFIERS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from uv_self_update.errors import UvSelfUpdateError


_log = logging.getLogger(__name__)

KEY = "required-version"
_UV_TOML = "uv.toml"
_PYPROJECT = "pyproject.toml"
_MOVING = ("UV_WORKING_DIR", "UV_WORKING_DIRECTORY")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where uv would be run."""

    folder: Path
    """An absolute path: of the project, or of the current folder."""

    environ: Mapping[str, str] = field(repr=False)
    """The environment, with what uv's options say of its configuration."""

    windows: bool

    @classmethod
    def of(
        cls, options: Sequence[str], environ: Mapping[str, str], folder: Path, *, windows: bool
    ) -> Self:
        """Return where uv would be run with some options, if it is started in a folder.

        Raises:
            UsageError: They name a folder that is not there.
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
            message = f"there is no folder {folder}"
            raise UsageError(message, hint="Check `--directory` and `--project`.")
        return cls(folder=folder, environ=told, windows=windows)


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What one file asks for."""

    specifier: str
    """A specifier set of PEP 440."""

    path: Path


def find(place: Place) -> tuple[Requirement, ...]:
    """Return what is asked for: by the project first, then by the person, then by the machine.

    Raises:
        NothingRequired: No file asks for anything.
        InvalidRequirement: A file cannot be read, or asks for what is no version.
    """
    environ, windows = place.environ, place.windows
    paths = list(uv_toml.files(environ, windows=windows))
    named = environ.get("UV_CONFIG_FILE")
    if named or uv_toml.switched_off(environ):
        looked = [named] if named else []
    else:
        project = _project_file(place.folder)
        paths = [*([project] if project else ()), *paths]
        looked = [str(project or f"{place.folder} and the folders above it")]
        looked += [str(path) for some in uv_toml.places(environ, windows=windows) for path in some]
    found = requirements(paths)
    if not found:
        raise NothingRequired(looked)
    for one in found:
        _log.debug("uv %s is required by %s", one.specifier, one.path)
    return found


def requirements(paths: Iterable[Path]) -> tuple[Requirement, ...]:
    """Return what each of some files asks for, if it asks for anything.

    Raises:
        InvalidRequirement: A file cannot be read, or asks for what is no version.
    """
    return tuple(
        Requirement(specifier=specifier, path=path) for path in paths if (specifier := _read(path))
    )


def target(required: Sequence[Requirement]) -> str:
    """Return the TARGET that satisfies everything that is asked for.

    That is one exact version where one is named, since some sources can be asked for no more.
    """
    exact = [one.specifier.removeprefix("==") for one in required if _is_exact(one.specifier)]
    if exact and permit(required, exact[0]):
        return exact[0]
    return ",".join(dict.fromkeys(one.specifier for one in required))


@contextmanager
def named(required: Sequence[Requirement]) -> Iterator[None]:
    """Where what several files ask for cannot be had, say which file asks for what."""
    try:
        yield
    except (NoLatest, NoSuchVersion) as error:
        annotate(error, required)
        raise


def annotate(error: UvSelfUpdateError, required: Sequence[Requirement]) -> None:
    """Say the same in an error that was not raised: it went through uv."""
    if len(required) > 1 and isinstance(error, (NoLatest, NoSuchVersion)):
        lines = "".join(f"\n  {one.specifier} by {one.path}" for one in required)
        error.message = printable(f"{error.message}; required are{lines}")


def permit(required: Iterable[Requirement], version: str) -> bool:
    """Return whether a version satisfies everything that is asked for."""
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 # slow, and few get here

    return all(SpecifierSet(one.specifier).contains(version, prereleases=True) for one in required)


def _is_exact(specifier: str) -> bool:
    """Return whether a specifier names one version in full, as TARGET has to."""
    version = specifier.removeprefix("==")
    return version != specifier and VERSION.fullmatch(version) is not None


def _read(path: Path) -> str:
    """Return what a file asks for, as a specifier set; an empty one for nothing."""
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
        due = "a version (`0.12.3`) or a specifier (`>=0.12,<0.14`)"
        long = isinstance(value, str) and len(value) > LONGEST_SPECIFIERS
        got = f"longer than {LONGEST_SPECIFIERS} characters" if long else echo(value)
        raise _invalid(path, key, f"it is {got}, but {due} is due")
    return specifier


def _invalid(path: Path, key: str, reason: str) -> InvalidRequirement:
    return InvalidRequirement(Problem(origin=str(path), key=key, reason=reason))


def _specifier(text: str) -> str | None:
    """Return what uv reads as a specifier set, as one; None for what it does not understand."""
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
    """Return the root of the workspace that a folder is in; a project alone is its own.

    As in uv, whoever stands in no project, or in one that uv does not manage, is in none.
    """
    around = _projects(folder)
    project, table = next(around, (folder, {}))
    ours = _tool_uv(table) or {}
    if ours.get("managed") is False:
        return None
    if "workspace" in ours:
        return project
    if "project" not in table:
        return None
    root, table = next(around, (project, {}))
    workspace = _table((_tool_uv(table) or {}).get("workspace"))
    member = _matches(project, root, workspace.get("members"))
    return root if member and not _matches(project, root, workspace.get("exclude")) else project


def _projects(folder: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield each folder with a pyproject.toml, from the inside, up to one that cannot be read."""
    for above in (folder, *folder.parents):
        if _is_file(above / _PYPROJECT):
            try:
                yield above, uv_toml.load(above / _PYPROJECT)
            except UnusableFile:
                return


def _matches(project: Path, root: Path, patterns: object) -> bool:
    """Return whether one of the patterns of a workspace means a project below its root."""
    parts = project.relative_to(root).parts
    return isinstance(patterns, list) and any(
        _fits(parts, posixpath.normpath(str(pattern)).split("/")) for pattern in patterns
    )


def _fits(parts: Sequence[str], patterns: Sequence[str]) -> bool:
    """Return whether a path fits a pattern, folder by folder; `**` means any number of them."""
    ends = {0}  # of the path, up to where what was read of the pattern fits
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
    """Return `[tool.uv]`; None if there is none."""
    ours = _table(table.get("tool")).get("uv")
    return ours if isinstance(ours, dict) else None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 # Path.is_file raises where it may not look
