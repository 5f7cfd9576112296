"""The promises of the pages about security and reliability, and mutants that break them.

A mutant is one change of the code that breaks a promise. `PYTHONPATH=tests uv run python -m
support.mutants` applies them one after the other in a copy of the repository, and runs the tests
that must fail then. `test_mutants.py` checks that every promise has one.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PAGES = ("security", "reliability")
"""The pages in `docs/`, each with a table of this directory."""

_CODE = re.compile(r"^ *(```+).*?^ *\1|<!--.*?-->", re.DOTALL | re.MULTILINE)
_ITEM = re.compile(r"^(?:- |\d+\. )", re.MULTILINE)
_RULE = re.compile(r"^\|[ |:-]+\|$")


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A change of the code that breaks a promise."""

    promise: str
    """The first words of a paragraph, a list item or a table row of the page."""

    file: str
    """The path of the module below the package."""

    text: str
    """The code, which occurs once in the module."""

    mutated: str
    """Its replacement."""

    tests: tuple[str, ...]
    """The tests of which one or more must fail, as `test_digests::test_wrong_digest`."""

    @property
    def nodes(self) -> list[str]:
        """The tests, as pytest's arguments."""
        parts = (test.partition("::") for test in self.tests)
        return [f"tests/{file}.py::{name}" for file, _, name in parts]

    @property
    def path(self) -> Path:
        """The path of the module in the repository."""
        return Path("src", "uv_self_update", self.file)

    def applied(self, code: str) -> str | None:
        """Return the changed code of the module; None if the code to change is not there once."""
        return code.replace(self.text, self.mutated) if code.count(self.text) == 1 else None


@cache
def mutants(page: str) -> tuple[Mutant, ...]:
    """Return the mutants of a page."""
    return tuple(
        Mutant(
            promise=row["promise"],
            file=row["file"],
            text=row["text"],
            mutated=row["mutated"],
            tests=tuple(row["tests"]),
        )
        for row in _table(page)["mutant"]
    )


@cache
def no_promises(page: str) -> dict[str, str]:
    """Return the first words of each part of a page that promises nothing -> the reason."""
    return {row["text"]: row["reason"] for row in _table(page)["no-promise"]}


@cache
def promises(page: str) -> tuple[str, ...]:
    """Return each paragraph, list item and table row of a page, on one line each.

    Of the table of faults, each of which is a test, only the rows that head a part of it.
    """
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    blocks = _CODE.sub("", text).split("\n\n")
    return tuple(" ".join(one.split()) for block in blocks for one in _of_block(block.strip("\n")))


def _of_block(block: str) -> Iterator[str]:
    if block.startswith("|"):
        body = [row for row in block.splitlines()[1:] if not _RULE.match(row)]
        heads = [row for row in body if row.startswith("| **") and row.endswith("| |")]
        yield from heads or body
    elif not block.startswith("#"):
        yield from filter(str.strip, _ITEM.split(block))


def _table(page: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / f"{page}.toml").read_text(encoding="utf-8"))
