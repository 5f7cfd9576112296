"""Whole commands on a terminal look as they did when somebody looked at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.progress_lines import COMMAND, file_of
from support.transcripts import CASES, read

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system


@pytest.mark.parametrize("name", CASES)
def test_transcript(name: str, tmp_path: Path) -> None:
    """What is seen is what the transcript has, bar and uv's own lines included."""
    assert read(CASES[name], tmp_path) == file_of(name).read_text(encoding="utf-8"), COMMAND
