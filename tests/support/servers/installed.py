"""Servers from the package indexes of Python and npm, each in an environment of its own.

What they depend on must agree neither with each other nor with the tests. They are installed once,
into `.cache/servers/` of the repository, with the index that uv and npm are configured for.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from support.binaries import CACHE, uv_command
from support.missing import missing
from support.notices import notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_INSTALLING = 300  # seconds


@cache
def python_environment(*requirements: str) -> Path:
    """Return the directory of the programs of an environment with these packages.

    Args:
        requirements: Exact versions, as in `updog==2.0.1`; the first names the environment.
    """

    def install(directory: Path) -> None:
        _run(uv_command(), "venv", "--quiet", "--clear", "--python", sys.executable, str(directory))
        python = directory / "bin" / "python"
        _run(uv_command(), "pip", "install", "--quiet", "--python", str(python), *requirements)

    return _once(requirements[0].replace("==", "-"), install) / "bin"


@cache
def npm_script(package: str, script: str) -> tuple[str, str]:
    """Return the command that runs a script of an npm package.

    Args:
        package: An exact version, as in `serve@14.2.7`.
        script: The path of the script in the package, as in `build/main.js`.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        missing("node and npm are not installed")

    def install(directory: Path) -> None:
        _run(npm, "install", "--silent", "--no-audit", f"--prefix={directory}", package)

    name = package.rpartition("@")[0]
    directory = _once(package.replace("@", "-"), install)
    return node, str(directory / "node_modules" / name / script)


def _once(name: str, install: Callable[[Path], None]) -> Path:
    """Return the directory of a server, installed by the first of several test processes."""
    directory = CACHE / "servers" / name
    done = directory / "installed"
    if not done.exists():
        directory.mkdir(parents=True, exist_ok=True)
        with _locked(directory.with_name(f"{name}.lock")):
            if not done.exists():
                notice(f"downloading {name} into {directory.parent}")
                install(directory)
                done.touch()
    return directory


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(*command: str) -> None:
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd="/", timeout=_INSTALLING
    )
    assert done.returncode == 0, done.stderr
