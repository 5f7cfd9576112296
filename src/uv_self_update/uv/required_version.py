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
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

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
from uv_self_update.uv import workspace
from uv_self_update.uv.arguments import value_of
from uv_self_update.uv.configuration import UnusableFile
from uv_self_update.values import field, frozen
from uv_self_update.versions import LONGEST_SPECIFIERS, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from uv_self_update.errors import UvSelfUpdateError


_log = logging.getLogger(__name__)

KEY = "required-version"


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
        named = value_of(options, "--directory")
        if moved := named or environ.get("UV_WORKING_DIR") or environ.get("UV_WORKING_DIRECTORY"):
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
    found = requirements(workspace.files(place.environ, place.folder, windows=place.windows))
    if not found:
        raise NothingRequired(_looked(place))
    for one in found:
        _log.debug("uv %s is required by %s", one.specifier, one.path)
    return found


def _looked(place: Place) -> list[str]:
    """Return the paths of the files that uv would read."""
    environ = place.environ
    if named := environ.get("UV_CONFIG_FILE"):
        return [named]
    if uv_toml.switched_off(environ):
        return []
    project = workspace.project_file(place.folder)
    others = [path for some in uv_toml.places(environ, windows=place.windows) for path in some]
    return [str(project or f"{place.folder} and its parent directories"), *map(str, others)]


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
    versions = (one.specifier.removeprefix("==") for one in required)
    exact = next(filter(VERSION.fullmatch, versions), None)
    if exact is not None and permit(required, exact):
        return exact
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


def _read(path: Path) -> str:
    """Return the specifier set that a file requires; an empty one if none."""
    try:
        value = uv_toml.load_settings(path).get(KEY)
    except UnusableFile as unusable:
        raise _invalid(path, "", str(unusable)) from None
    if value is None:
        return ""
    specifier = _specifier(value) if isinstance(value, str) else None
    if specifier is None:
        expected = "a version (`0.12.3`) or a specifier (`>=0.12,<0.14`)"
        long = isinstance(value, str) and len(value) > LONGEST_SPECIFIERS
        got = f"longer than {LONGEST_SPECIFIERS} characters" if long else echo(value)
        key = f"tool.uv.{KEY}" if path.name == uv_toml.PYPROJECT else KEY
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
