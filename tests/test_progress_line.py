"""The line of a download is a function of its numbers and of the terminal's width."""

from __future__ import annotations

import re

import pytest

from support.progress_lines import COMMAND, STATES, file_of, line_table
from uv_self_update.cli.progress_line import State, line, task_line
from uv_self_update.messages import human_bytes

MIB = 1 << 20


def test_lines() -> None:
    """Each state has its line at each width, as in the transcript."""
    expected = file_of("progress lines").read_text(encoding="utf-8")

    assert line_table() == expected, COMMAND


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("columns", [1, 2, 9, 20, 39, 40, 41, 60, 80, 81, 120, 300])
def test_line_fits(state: str, columns: int) -> None:
    """A line leaves the last column free, where some terminals wrap."""
    assert len(line(STATES[state], columns)) < columns


@pytest.mark.parametrize("state", STATES)
def test_colors_add_no_text(state: str) -> None:
    """Colours change nothing but the bar, whose missing part is dim."""
    colored = line(STATES[state], 80, color=True)
    plain = re.sub(r"\x1b\[\d*m", "", colored)

    assert "\x1b[2m" in colored
    assert plain.replace("-", " ").split() == line(STATES[state], 80).replace("-", " ").split()


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        ((1 << 20) - 1, "1.00 MiB"),
        (16 << 20, "16.00 MiB"),
        (5 << 30, "5.00 GiB"),
        (5 << 40, "5120.00 GiB"),
    ],
)
def test_bytes(count: int, text: str) -> None:
    """A size has the unit in which it has four digits at most before the point."""
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("left", "shown"),
    [(0.2, "1s"), (59, "59s"), (60, "1m00s"), (3599, "59m59s"), (3600, "1h00m"), (200_000, "2d")],
)
def test_time_left(left: float, shown: str) -> None:
    """The time left has one or two units, and fits its place."""
    state = State(name="uv", received=0, size=16 * MIB, rate=16 * MIB / left)

    assert line(state, 120).endswith(f" {shown}")
    assert len(line(state, 120)) == len(line(STATES["50 %"], 120)) - len(STATES["50 %"].name) + 2


def test_task() -> None:
    """What is done without a download has a line too, shortened in a narrow terminal."""
    assert task_line("Checking for updates", 80) == "Checking for updates..."
    assert task_line("Checking for updates", 16) == "Checking for..."
    assert task_line("Checking for updates", 3) == ".."
    assert task_line("Checking", 80, color=True) == "\x1b[2mChecking...\x1b[0m"
