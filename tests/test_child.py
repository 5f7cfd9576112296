"""Which uv is updated, and which version it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import UvNotFound
from uv_self_update.uv.executable import find_uv, version_of, which

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder that has a program called uv."""
    folder = tmp_path / "project"
    executable(folder)
    monkeypatch.chdir(folder)
    return folder


def executable(folder: Path) -> Path:
    """Make a program called uv."""
    folder.mkdir()
    path = folder / "uv"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("path", ["", ".", ":/nowhere", "/nowhere:", "./:/nowhere"])
@pytest.mark.parametrize("named", [None, "uv"])
@pytest.mark.parametrize("windows", [False, True])
@pytest.mark.usefixtures("project")
def test_not_from_the_current_folder(path: str, named: str | None, *, windows: bool) -> None:
    """A project's own program is not taken for uv, though PATH names the folder."""
    with pytest.raises(UvNotFound):
        find_uv(named, {"PATH": path}, windows=windows)


def test_from_path(project: Path, tmp_path: Path) -> None:
    """The first on PATH is found, past the folder that the person stands in."""
    path = executable(tmp_path / "bin")
    environ = {"PATH": f".{os.pathsep}{path.parent}"}

    assert find_uv(None, environ, windows=False) == path
    assert find_uv("./uv", {"PATH": ""}, windows=False) == project / "uv"
    assert find_uv(str(path), {"PATH": ""}, windows=False) == path
    assert which("uv", environ, windows=False) == path
    assert which("uvx", environ, windows=False) is None


def test_what_cannot_be_run_is_passed_over(tmp_path: Path) -> None:
    """A folder of that name, and a file that nobody may run, are none."""
    (tmp_path / "a" / "uv").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "uv").touch(mode=0o644)
    path = executable(tmp_path / "c")
    folders = os.pathsep.join(str(tmp_path / name) for name in "abc")

    assert find_uv(None, {"PATH": folders}, windows=False) == path


@pytest.mark.parametrize(
    ("named", "endings", "found"),
    [
        (None, None, "uv.exe"),
        ("uv", ".COM;.EXE", "uv.exe"),
        ("uv", ".CMD;.EXE", "uv.cmd"),
        ("uv.cmd", ".EXE;.CMD", "uv.cmd"),
        ("{}/uv", "", "uv.exe"),
        ("{}/uv.cmd", None, "uv.cmd"),
    ],
)
def test_endings_of_windows(
    named: str | None, endings: str | None, found: str, tmp_path: Path
) -> None:
    """There, a name stands for what PATHEXT says; the current folder is passed by."""
    folder = tmp_path / "bin"
    executable(folder).rename(folder / "uv.exe")
    (folder / "uv.cmd").touch(mode=0o755)
    environ = {"PATH": f".{os.pathsep}{folder}"}
    if endings is not None:
        environ["PATHEXT"] = endings
    name = None if named is None else named.format(folder)

    assert find_uv(name, environ, windows=True) == folder / found


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo uv 0.12.3", "0.12.3"),
        ("echo 'uv 0.13.9 (x86_64-unknown-linux-gnu)'", "0.13.9"),
        ("echo uv 0.13.9+5", "0.13.9+5"),
        ("echo uv 0.14.0-rc.1", "0.14.0rc1"),
        ("echo uv 0.13.9-acme1", None),
        (f"echo uv 0.13.{'9' * 5_000}", None),
        ("echo usage: nothing", None),
        ("echo uv", None),
        ("exit 0", None),
        ("echo uv 0.12.3; exit 1", None),
    ],
)
def test_version_of(script: str, version: str | None, tmp_path: Path) -> None:
    """A uv is asked for its version; what says something else has none."""
    path = executable(tmp_path / "bin")
    path.write_text(f"#!/bin/sh\n{script}\n")

    assert version_of(path, {"PATH": "/usr/bin:/bin"}) == version
