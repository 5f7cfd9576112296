"""The messages that the tables of `docs/` quote are those of the program."""

from __future__ import annotations

import ast
import re
from functools import cache
from http import HTTPStatus
from itertools import chain, dropwhile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "docs" / "network.md", *sorted((ROOT / "docs" / "sources").glob("[a-z]*.md"))]
HEADS = ("| you see |", "| message |")
OTHERS = """Name or service not known, Connection refused, Permission denied, Not a directory
No such file or directory, Host is down, Stale file handle, Input/output error
Failed to extract archive, Hash mismatch for, The installation failed, the network was disabled
tunnel error: proxy authorization required, invalid peer certificate: UnknownIssuer"""
"""What the operating system says, in the first two lines, and uv, in the others."""

EDGES = " .:;,()/"
VARYING = re.compile(r"`[^`]*`|\S*(?:…|\d|://)\S*|\b[A-Z]{2,}\b")


def _literals(path: Path) -> list[str]:
    """Return the strings of a module, and those between the fields of its f-strings."""
    nodes = [*ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    constants = [n for n in nodes if isinstance(n, ast.Constant) and id(n) not in docstrings]
    return re.split(r"[`\n]|\{\w*\}|%s", "\n".join(str(node.value) for node in constants))


@cache
def _text() -> str:
    files = (ROOT / "src").rglob("*.py")
    literals = chain(*map(_literals, files), [one.phrase for one in HTTPStatus])
    return "\n".join(["", *(literal.strip(EDGES) for literal in literals), ""])


def _quotes(page: Path) -> list[str]:
    lines = page.read_text(encoding="utf-8").splitlines()
    rows = [*dropwhile(lambda line: not line.startswith(HEADS), lines)]
    cells = [row.split(" | ")[0] for row in rows if row.startswith("|")]
    return [two or one for cell in cells for two, one in re.findall(r"``(.+?)``|`([^`]+)`", cell)]


def _is_known(part: str, before: str = "", more: int = 3) -> bool:
    """Return whether a part is in a literal, or begins at the end of one and ends in another."""
    cuts = [space.start() for space in re.finditer(" ", part)] if more else []
    texts = [(part[:cut].strip(EDGES), part[cut:].strip(EDGES)) for cut in cuts]
    known = (a for a in texts if f"{before}{a[0]}\n" in _text() and _is_known(a[1], "\n", more - 1))
    return before + part in _text() or any(known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_messages_quoted_are_those_of_the_program(page: Path) -> None:
    """A message is a literal, or a few in a row, except for what varies in it."""
    parts = [part.strip(EDGES) for quote in _quotes(page) for part in VARYING.split(quote)]
    assert parts
    assert [p for p in parts if " " in p and p not in OTHERS and not _is_known(p)] == []
