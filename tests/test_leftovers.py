"""What a killed update leaves on Windows is put right; a shell script stands for `uv.exe`."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import pytest

from uv_self_update.leftovers import mend

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there a script is no `uv.exe`")

RUNS, BROKEN = "#!/bin/sh\necho uv 0.12.3\n", "#!/bin/sh\nexit 1\n"
UV, PREVIOUS = "uv.exe", "uv.exe.previous.exe"


def put(folder: Path, files: dict[str, str]) -> None:
    """Lay programs into a folder."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def found(folder: Path) -> dict[str, str]:
    """Return the programs in a folder."""
    return {path.name: path.read_text() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({PREVIOUS: "old"}, {UV: "old"}),
        ({UV: RUNS, PREVIOUS: "old"}, {UV: RUNS}),
        ({UV: BROKEN, PREVIOUS: "old"}, {UV: BROKEN, PREVIOUS: "old"}),
        ({UV: RUNS}, {UV: RUNS}),
        ({}, {}),
    ],
)
@pytest.mark.parametrize("named", ["PATH", "path", "path without suffix", "name"])
def test_mended(before: dict[str, str], after: dict[str, str], named: str, tmp_path: Path) -> None:
    """A uv that lost its name gets it back, and what a running uv has outlived is removed."""
    folder = tmp_path / "bin"
    put(folder, before)
    names = {
        "PATH": None,
        "path": str(folder / "uv.exe"),
        "path without suffix": str(folder / "uv"),
        "name": "uv",
    }

    mend(names[named], {"PATH": os.pathsep.join(["relative", str(tmp_path), str(folder)])})

    assert found(folder) == after


def test_only_the_first_on_path(tmp_path: Path) -> None:
    """Only the uv that would be found is put right."""
    put(tmp_path / "a", {UV: RUNS})
    put(tmp_path / "b", {PREVIOUS: "old"})

    mend(None, {"PATH": f"{tmp_path}/a{os.pathsep}{tmp_path}/b"})

    assert found(tmp_path / "b") == {PREVIOUS: "old"}


def test_not_in_the_folder_that_a_person_stands_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative folder on PATH is nothing that uv is taken from."""
    put(tmp_path, {PREVIOUS: "old"})
    monkeypatch.chdir(tmp_path)

    mend(None, {"PATH": f".{os.pathsep}"})

    assert found(tmp_path) == {PREVIOUS: "old"}


def test_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A uv that is back is spoken of."""
    put(tmp_path, {PREVIOUS: "old"})

    with caplog.at_level(logging.WARNING):
        mend(None, {"PATH": str(tmp_path)})

    expected = f"{tmp_path / UV} was missing since an update was interrupted, and is back"
    assert caplog.messages == [expected]


def test_left_alone_if_it_may_not_be_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system does not let go is no failure here."""
    put(tmp_path, {PREVIOUS: "old"})

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr("pathlib.Path.rename", refuse)
    mend(None, {"PATH": str(tmp_path)})

    assert found(tmp_path) == {PREVIOUS: "old"}
