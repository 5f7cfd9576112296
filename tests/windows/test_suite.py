"""The files of the suite that Windows can run, run by a Python for Windows."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

import pytest

from support.binaries import newest, newest_but_one
from windows import parts, sources
from windows.machine import Machine, windows
from windows.parts import REAL
from windows.suite import LEFT_OUT, RUN

if TYPE_CHECKING:
    from support.web import Web

pytestmark = [
    pytest.mark.wine,
    pytest.mark.skipif(REAL, reason="the suite has a step of its own there: ci.yml"),
]

TESTS = parts.ROOT / "tests"
PARTS = 2


@pytest.fixture(scope="session")
def suite(python: Path) -> Path:
    """Return a Python for Windows with what the tests need."""
    made = python.parents[1] / "suite"
    shutil.copytree(python.parent, made)
    next(made.glob("*._pth")).unlink()  # with it, PYTHONPATH does not count
    group = f"{parts.ROOT / 'pyproject.toml'}:test"
    parts.install(made / "Lib" / "site-packages", "--group", group)
    return made / python.name


@pytest.mark.parametrize("part", range(PARTS))
def test_files(part: int, machine: Machine, suite: Path, web: Web) -> None:
    """They pass there as well, except for what the tables name."""
    files = RUN[part::PARTS]
    report = machine.path / "report.xml"
    options = ["-n", "0", "-q", "--tb=short", "-p", "no:cacheprovider"]
    options += [f"--rootdir={_z(parts.ROOT)}", f"--config-file={_z(parts.ROOT / 'pyproject.toml')}"]
    options += [f"--deselect=tests/{name}" for name in LEFT_OUT]
    machine.timeout = 900

    done = machine.start(
        *(str(suite), "-m", "pytest", *options, f"--junitxml={windows(report)}"),
        *(_z(TESTS / name) for name in files),
        **sources.index(web, newest(), newest_but_one()),
        PYTHONUTF8="1",
        UV=_z(parts.uv(newest()) / "uv.exe"),
    )

    assert done.code == 0, done.out
    ran = {one.attrib["classname"].split(".")[1] for one in ET.parse(report).iter("testcase")}  # noqa: S314 # ours
    assert {f"{name}.py" for name in ran} == set(files)


def _z(path: Path) -> str:
    """Return a path of Linux as Windows names it."""
    return str(PureWindowsPath("Z:", path))
