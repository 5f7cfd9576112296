"""Which uv is updated, and which version it is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from uv_self_update.child import find_uv, version_of
from uv_self_update.errors import UvNotFound

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
@pytest.mark.usefixtures("project")
def test_not_from_the_current_folder(path: str, named: str | None) -> None:
    """A project's own program is not taken for uv, though PATH names the folder."""
    with pytest.raises(UvNotFound):
        find_uv(named, {"PATH": path})


def test_from_path(project: Path, tmp_path: Path) -> None:
    """The first on PATH is found, past the folder that the person stands in."""
    path = executable(tmp_path / "bin")

    assert find_uv(None, {"PATH": f".{os.pathsep}{path.parent}"}) == path
    assert find_uv("./uv", {"PATH": ""}) == project / "uv"
    assert find_uv(str(path), {"PATH": ""}) == path


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ("echo uv 0.12.3", "0.12.3"),
        ("echo 'uv 0.13.9 (x86_64-unknown-linux-gnu)'", "0.13.9"),
        ("echo uv 0.13.9+5", "0.13.9+5"),
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
