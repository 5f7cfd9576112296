"""The uv executable: find it, ask it for its version and options, and restore its name."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import UvNotFound
from uv_self_update.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uv_self_update.uv.installation import Installation


_log = logging.getLogger(__name__)

_ENDINGS = ".COM;.EXE;.BAT;.CMD"
"""The file name extensions of programs on Windows, unless PATHEXT is set."""


_ANSWER = 60  # seconds for `uv --version`; a virus scanner may read the file first


def find_uv(named: str | None, environ: Mapping[str, str], *, windows: bool) -> Path:
    """Return the uv to update: the named one, or else the first on PATH.

    On Windows, a uv that has renamed itself counts as well: see `renamed`.

    Args:
        named: A path or a name; None for the first on PATH.
        environ: The user's environment.
        windows: Whether to look as on Windows.

    Raises:
        UvNotFound: No such program exists.
    """
    for uv in _places(named or "uv", environ, windows=windows):
        if _can_run(current_path(uv) if windows else uv):
            return uv.absolute()
    raise UvNotFound(named)


def which(name: str, environ: Mapping[str, str], *, windows: bool) -> Path | None:
    """Return the first program of a name on PATH; None if no such program exists."""
    return next(on_path(name, environ, windows=windows), None)


def on_path(name: str, environ: Mapping[str, str], *, windows: bool) -> Iterator[Path]:
    """Yield every program of a name on PATH, in the order of PATH."""
    for path in _places(name, environ, windows=windows):
        if _can_run(path):
            yield path.absolute()


def _places(name: str, environ: Mapping[str, str], *, windows: bool) -> Iterator[Path]:
    """Yield the paths that a program may have.

    The current directory counts only for a path: a project must not have its own program run.
    `shutil.which` looks there first on Windows.
    """
    names = [name]
    if windows:
        endings = [end for end in (environ.get("PATHEXT") or _ENDINGS).lower().split(";") if end]
        if not name.lower().endswith(tuple(endings)):
            names = [name + end for end in endings]
    directories = [Path()]
    if name == Path(name).name:
        on_path = map(Path, environ.get("PATH", os.defpath).split(os.pathsep))
        directories = [directory for directory in on_path if directory.is_absolute()]
    return (directory / name for directory in directories for name in names)


def _can_run(path: Path) -> bool:
    # In this order: `is_file` raises for a directory that this user may not search.
    return os.access(path, os.X_OK) and path.is_file()


def renamed(uv: Path) -> Path:
    """Return how uv renames itself on Windows, where a running program cannot be replaced."""
    return uv.with_name(f"{uv.name}.previous.exe")


def current_path(uv: Path) -> Path:
    """Return the path of uv at this moment: its own, or where it has renamed itself to."""
    moved = renamed(uv)
    return moved if not os.path.lexists(uv) and _can_run(moved) else uv


def ask_version(uv: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run `uv --version`.

    Raises:
        OSError: It cannot be started.
        TimeoutExpired: It does not answer.
    """
    return _run(uv, "--version", environ=environ)


def knows_option(uv: Path, option: str, environ: Mapping[str, str]) -> bool:
    """Return whether `uv self update` has an option; False if uv cannot be run."""
    try:
        done = _run(uv, "self", "update", option, "--help", environ=environ)
    except (OSError, subprocess.TimeoutExpired):
        return False
    # A missing value is another error.
    return b"unexpected argument" not in done.stderr


def _run(
    uv: Path, *arguments: str, environ: Mapping[str, str]
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 # the user's own uv, or the new one
        [uv, *arguments],
        env={**environ, "UV_NO_CONFIG": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_ANSWER,
        check=False,
    )


def version_of(uv: Path, environ: Mapping[str, str]) -> str | None:
    """Return the version that a uv reports, as PEP 440 spells it.

    None if uv does not run, or if its version cannot be compared, as that of a custom build.
    """
    try:
        done = ask_version(current_path(uv), environ)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.decode(errors="replace").split()
    said = words[1] if done.returncode == 0 and words[1:] else ""
    if not VERSION.match(said):
        return None
    if VERSION.fullmatch(said):
        return said
    from packaging.version import Version  # noqa: PLC0415 # slow, and nearly all are normal

    try:
        return str(Version(said))
    except ValueError:
        return None


def restore_name(installation: Installation) -> None:
    """Restore the name of a killed uv for Windows, or remove its old file if a new one works.

    Only for a caller that has claimed uv's directory: else another update may have just renamed it.
    """
    uv = installation.uv
    old = renamed(uv)
    if uv.suffix.lower() != ".exe" or not old.exists():
        return
    # A file in use, or one that may not be changed, stays; `Signals.run` says if uv needs it.
    with contextlib.suppress(OSError):
        if current_path(uv) == old:
            old.rename(uv)
            _log.warning("restored %s, which an interrupted update had renamed", uv)
        elif version_of(uv, installation.environ) is not None:
            old.unlink()


def warn_if_shadowed(installation: Installation) -> None:
    """Warn if the first uv on PATH is another than the one that was updated."""
    uv, environ = installation.uv, installation.environ
    try:
        first = find_uv(None, environ, windows=installation.windows)
    except UvNotFound:
        return
    if first.exists() and uv.exists() and first.samefile(uv):
        return
    directories = environ.get("PATH", os.defpath).split(os.pathsep)
    behind = any(Path(directory) == uv.parent for directory in directories)
    _log.warning(
        "%s (%s) was updated, but `uv` on PATH is %s (%s)%s",
        uv,
        version_of(uv, environ) or "it does not run",
        first,
        version_of(first, environ) or "it does not run",
        ", which comes first" if behind else f": {uv.parent} is not on PATH",
    )
