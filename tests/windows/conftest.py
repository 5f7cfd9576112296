"""The machine that the tests of Windows run on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.binaries import uv_command
from windows import parts, prefix
from windows.machine import Machine
from windows.parts import REAL

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def python() -> Iterator[Path]:
    """Return a Python for Windows with this package, built and installed, on a disk of Windows."""
    if REAL:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
            made = Path(directory, "python")
            command = [uv_command(), "venv", "--quiet", "--python", sys.executable, str(made)]
            subprocess.run(command, check=True)
            parts.install(made / "Lib" / "site-packages")
            yield made / "Scripts" / "python.exe"
        return
    if not prefix.present():
        if os.environ.get("CI"):
            pytest.fail("Wine and MinGW are missing: .ci/run installs them")
        pytest.skip("no Wine: apt install wine wine64 gcc-mingw-w64-x86-64-win32")
    homes = prefix.C / "homes"
    with prefix.running():
        homes.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=homes) as directory:
            yield _installed(Path(directory))


def _installed(directory: Path) -> Path:
    made = directory / "python"
    shutil.copytree(parts.python(), made, copy_function=os.link)
    parts.install(made / "Lib" / "site-packages")
    shim = Path(__file__).parent / "shims" / "sitecustomize.py"
    shutil.copyfile(shim, made / "Lib" / "site-packages" / shim.name)
    return made / "python.exe"


@pytest.fixture
def machine(python: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    """Return an empty home; its name is the parameter, if there is one."""
    above = python.parents[2 if REAL else 1]
    with tempfile.TemporaryDirectory(dir=above, ignore_cleanup_errors=True) as directory:
        home = Path(directory, getattr(request, "param", "home"))
        home.mkdir()
        yield Machine(python=python, path=home)
