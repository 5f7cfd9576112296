"""The table in `docs/reliability.md`: `PYTHONPATH=tests python -m support.reliability.table`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support.reliability.files import CHANGES, LENGTHS, PARTS
from support.reliability.lines import BREAKS, SLOW, STATUSES
from support.reliability.places import DOCUMENTS, REDIRECTS, SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.reliability.case import Case

COMMAND = "PYTHONPATH=tests python -m support.reliability.table"
PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"

CASES: Mapping[str, tuple[Case, ...]] = {
    "The connection breaks": BREAKS,
    "The connection is slow": SLOW,
    "The server refuses": STATUSES,
    "The archive breaks off, and then": PARTS,
    "The archive breaks off, and is another then": CHANGES,
    "The length": LENGTHS,
    "The way": REDIRECTS,
    "What names the versions": DOCUMENTS,
    "The release's own installer": SCRIPTS,
}
"""What is wrong -> the cases of it."""

_BEGIN = f"<!-- the table is made of the tests, by `{COMMAND}` -->"
_END = "<!-- end of the table -->"


def renewed(page: str) -> str:
    """Return the page with the table that the cases make."""
    before, begin, rest = page.partition(f"{_BEGIN}\n")
    _, end, after = rest.partition(_END)
    if not begin or not end:
        message = f"there is no table between `{_BEGIN}` and `{_END}`"
        raise ValueError(message)
    return f"{before}{begin}{_table()}{end}{after}"


def _table() -> str:
    lines = ["| fault | outcome |", "| --- | --- |"]
    for heading, cases in CASES.items():
        lines.append(f"| **{heading}** | |")
        lines += [f"| {case.fault} | {case.outcome} |" for case in cases]
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
