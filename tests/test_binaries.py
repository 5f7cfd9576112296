"""The binaries that tests share: several workers make them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from support import binaries

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_first_file_stays(tmp_path: Path) -> None:
    """A worker that comes second replaces no file whose digest the first one knows."""
    place = tmp_path / "place"
    for text in ("first", "second"):
        made = tmp_path / text
        made.write_text(text)
        binaries.publish(made, place)
    assert place.read_text() == "first"


def test_first_folder_stays(tmp_path: Path) -> None:
    """Nor does it replace a folder."""
    place = tmp_path / "place"
    for text in ("first", "second"):
        made = tmp_path / text
        made.mkdir()
        (made / "file").write_text(text)
        binaries.publish(made, place)
    assert (place / "file").read_text() == "first"


def test_what_cannot_be_moved_is_an_error(tmp_path: Path) -> None:
    """Only that the place is taken is no error."""
    made = tmp_path / "made"
    made.write_text("made")
    with pytest.raises(FileNotFoundError):
        binaries.publish(made, tmp_path / "missing" / "place")


@pytest.mark.parametrize("packages", ["lib/python3.11/site-packages", "Lib/site-packages"])
def test_uv_that_runs_the_tests_is_not_downloaded(
    packages: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What pip has just installed to run the tests is one of the uvs that they need."""
    info = tmp_path / "env" / packages / "uv-9.9.9.dist-info"
    info.mkdir(parents=True)
    (info / "WHEEL").write_text("Tag: any\n")
    programs = tmp_path / "env" / "bin"
    programs.mkdir()
    for name in ("uv", "uvx"):
        (programs / name).write_text(name)
    monkeypatch.setattr(binaries, "in_first_run", False)
    monkeypatch.setattr(binaries, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(binaries, "_download", Mock(side_effect=NotImplementedError))
    monkeypatch.setenv("UV", str(programs / "uv"))

    made = binaries.executables("9.9.9")

    assert [(made / name).read_text() for name in ("uv", "uvx")] == ["uv", "uvx"]
    assert (made.parent / info.name / "WHEEL").read_text() == "Tag: any\n"
    with pytest.raises(NotImplementedError):
        binaries.executables("9.9.8")


@pytest.mark.parametrize("use", [binaries.executables, binaries.archive, binaries.wheel])
def test_first_run_has_two_versions(use: Callable[[str], Path]) -> None:
    """A test of the first run that needs a further uv fails, even where that is in `.cache/`."""
    assert use(binaries.FIRST).exists()
    assert use(binaries.newest()).exists()
    with pytest.raises(AssertionError, match=r"mark the test `extra`"):
        use("0.5.0")
