"""The uv executable: which one is meant, where it is at this moment, which version it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import UvNotFound
from uv_self_update.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_ENDINGS = ".COM;.EXE;.BAT;.CMD"
"""What Windows adds to a name, where PATHEXT says nothing."""


_ANSWER = 60  # seconds for `uv --version`; a virus scanner may read the file first


def find_uv(named: str | None, environ: Mapping[str, str], *, windows: bool) -> Path:
    """Return the uv to update: the one that is named, or else the first on PATH.

    One that has moved `aside` counts as well: it gets its name back before it is updated.

    Args:
        named: A path or a name; None for the first on PATH.
        environ: The user's environment.
        windows: Whether programs are called, and lie, as on Windows.

    Raises:
        UvNotFound: There is none.
    """
    for uv in _places(named or "uv", environ, windows=windows):
        if _can_run(present(uv) if windows else uv):
            return uv.absolute()
    raise UvNotFound(named)


def which(name: str, environ: Mapping[str, str], *, windows: bool) -> Path | None:
    """Return the first program of a name on PATH, for what else is looked for as uv is."""
    return next(filter(_can_run, _places(name, environ, windows=windows)), None)


def _places(name: str, environ: Mapping[str, str], *, windows: bool) -> Iterator[Path]:
    """Yield where a program may be.

    The folder that the person stands in counts only where a path is named: a project must not have
    its own program run. `shutil.which` would look there first on Windows, whatever it is told.
    """
    names = [name]
    if windows:
        endings = [end for end in (environ.get("PATHEXT") or _ENDINGS).lower().split(";") if end]
        if not name.lower().endswith(tuple(endings)):
            names = [name + end for end in endings]
    folders = [Path()]
    if name == Path(name).name:
        on_path = map(Path, environ.get("PATH", os.defpath).split(os.pathsep))
        folders = [folder for folder in on_path if folder.is_absolute()]
    return (folder / name for folder in folders for name in names)


def _can_run(path: Path) -> bool:
    # The former first: the latter is an error in a folder that may not be looked into.
    return os.access(path, os.X_OK) and path.is_file()


def aside(uv: Path) -> Path:
    """Return what uv calls itself on Windows while it is replaced, as what runs cannot be."""
    return uv.with_name(f"{uv.name}.previous.exe")


def present(uv: Path) -> Path:
    """Return where uv is at this moment: in its place, or aside."""
    moved = aside(uv)
    return moved if not os.path.lexists(uv) and _can_run(moved) else uv


def ask_version(uv: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run `uv --version`.

    Raises:
        OSError: It cannot be started.
        TimeoutExpired: It does not answer.
    """
    return subprocess.run(  # noqa: S603 # the user's own uv, or the one that will be
        [uv, "--version"],
        env={**environ, "UV_NO_CONFIG": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_ANSWER,
        check=False,
    )


def version_of(uv: Path, environ: Mapping[str, str]) -> str | None:
    """Return the version that a uv says it has, or None if it does not run, or says none.

    What is returned can be compared: somebody's own build may call itself anything.
    """
    try:
        done = ask_version(present(uv), environ)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = done.stdout.decode(errors="replace").split()
    said = done.returncode == 0 and len(words) > 1 and VERSION.match(words[1])
    return _normal(words[1]) if said else None


def _normal(version: str) -> str | None:
    """Return a version as PEP 440 writes it; None for one that is none there, and has no order."""
    if VERSION.fullmatch(version):
        return version
    from packaging.version import Version  # noqa: PLC0415 # slow, and nearly all are normal

    try:
        return str(Version(version))
    except ValueError:
        return None
