"""The states of a download, and the table of their lines in `tests/transcripts/`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.cli.progress_line import State, line

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = "PYTHONPATH=tests uv run python -m support.transcripts"
_FOLDER = Path(__file__).parents[1] / "transcripts"
MIB = 1 << 20
ARCHIVE = "uv-x86_64-unknown-linux-gnu.tar.gz"
_WIDTHS = (120, 80, 60, 40, 20, 9)

STATES: Mapping[str, State] = {
    "0 %": State(name=ARCHIVE, received=0, size=16 * MIB),
    "1 %": State(name=ARCHIVE, received=16 * MIB // 100 + 1, size=16 * MIB, rate=100 << 10),
    "50 %": State(name=ARCHIVE, received=8 * MIB, size=16 * MIB, rate=1.5 * MIB),
    "100 %": State(name=ARCHIVE, received=16 * MIB, size=16 * MIB, rate=1.5 * MIB),
    "unknown size": State(name="uv (unpacked)", received=40 * MIB, rate=8 * MIB),
    # The rate is that of this run; the bar has what an earlier one has left.
    "resumed": State(name=ARCHIVE, received=12 * MIB, size=16 * MIB, rate=64 << 10),
    "more than announced": State(name=ARCHIVE, received=17 * MIB, size=16 * MIB),
    "no bytes": State(name="empty", received=0, size=0),
    "stalled": State(name=ARCHIVE, received=8 * MIB, size=16 * MIB, rate=0.0),
}


def file_of(name: str) -> Path:
    """Return the file of a transcript."""
    return _FOLDER / f"{name.replace(' ', '-')}.txt"


def line_table() -> str:
    """Return the line of each state at each width, between bars."""
    lines = []
    for columns in _WIDTHS:
        lines.append(f"{columns} columns\n")
        lines += [f"|{line(state, columns)}|  {name}\n" for name, state in STATES.items()]
        lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n"
