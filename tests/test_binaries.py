"""The binaries that tests share: several workers make them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import binaries

if TYPE_CHECKING:
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
