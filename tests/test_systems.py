"""What is tested on other systems: no more than can run there, and no less than all the rest."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support import systems
from support.binaries import uv_command
from windows.suite import LEFT_OUT, RUN

TESTS = Path(__file__).parent


def pretend(platform: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Collect tests as on another system."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "support.pretended", "-p", "no:cacheprovider"),
            *("--collect-only", "-n", "0", "-q", "-m", "", *arguments),
        ],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
            "PYTHONPATH": str(TESTS),
            "PRETENDED": platform,
            "UV": uv_command(),  # which cannot be looked for as on Windows
        },
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )


def functions(file: Path) -> set[str]:
    """Return the tests of a file, those of a class with its name."""
    body = ast.parse(file.read_text()).body
    classes = [node for node in body if isinstance(node, ast.ClassDef)]
    return {node.name for node in body if isinstance(node, ast.FunctionDef)} | {
        f"{one.name}::{node.name}"
        for one in classes
        for node in one.body
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems_can_collect_theirs(platform: str) -> None:
    """With what Linux alone has out of reach, all but what the table leaves out is found."""
    left_out = systems.left_out(platform)

    done = pretend(platform)

    assert done.returncode == 0, done.stdout[-4000:]
    found = {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}
    found = {name.removeprefix("tests/") for name in found if name.startswith("tests/")}
    files = {name.partition("::")[0] for name in found}
    assert not found & left_out.keys()
    assert not files & left_out.keys()
    here = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("test_*.py")}
    assert files == here - left_out.keys()


@pytest.mark.slow
def test_what_windows_lacks_would_be_seen(tmp_path: Path) -> None:
    """A file that imports what Windows does not have is an error there, and none here."""
    modules = ("fcntl", "pty", "resource", "termios")
    for module in modules:
        (tmp_path / f"test_{module}.py").write_text(
            f"import {module}\ndef test_it() -> None: ...\n"
        )

    there, here = (
        pretend(platform, f"--confcutdir={tmp_path}", f"--rootdir={tmp_path}", str(tmp_path))
        for platform in ("win32", "darwin")
    )

    assert (there.returncode, here.returncode) == (2, 0), there.stdout + here.stdout
    for module in modules:
        assert f"import of {module} halted" in there.stdout


def test_table_names_what_there_is() -> None:
    """Each row is about a file or a test that exists, and no test of a file that is left out."""
    for name, needs in systems.TABLE.items():
        file, _, test = name.partition("::")
        assert (TESTS / file).exists(), name
        assert not test or test in functions(TESTS / file), name
        assert not test or file not in systems.TABLE, name
        assert "linux" in needs.systems, name


def test_lane_of_windows_is_complete() -> None:
    """What Windows can run is run by the lane, or left out for a reason, in `windows/suite.py`."""
    elsewhere = systems.left_out("win32")
    here = {path.name for path in TESTS.glob("test_*.py")} - elsewhere.keys()

    assert {*RUN} | {name for name in LEFT_OUT if "::" not in name} == here
    assert not LEFT_OUT.keys() & {*RUN, *elsewhere}
    for file, _, test in (name.partition("::") for name in LEFT_OUT if "::" in name):
        assert file in RUN
        assert test in functions(TESTS / file)


def test_system_is_linux() -> None:
    """What is marked `system` has a step of its own on Linux, and can run nowhere else."""
    marked = [path.name for path in TESTS.glob("test_*.py") if _MARK in path.read_text()]
    assert len(marked) > 10
    assert {name: systems.TABLE[name].systems for name in marked} == dict.fromkeys(
        marked, frozenset({"linux"})
    )


_MARK = "\npytestmark = pytest.mark.system\n"


def test_report_names_what_is_left_out() -> None:
    """The head of the report has a line for each reason; on Linux there is nothing to say."""
    lines = systems.report("win32")

    assert systems.report("linux") == []
    assert "left out, for want of a pseudo-terminal: test_passphrase.py" in lines
    assert sum(line.count("test_") for line in lines) >= len(systems.left_out("win32"))
