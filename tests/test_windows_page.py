"""What docs/windows.md says was shown is shown by a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = (TESTS.parent / "docs" / "windows.md").read_text(encoding="utf-8")
WHERE = r"(?:Wine|workflow|pretended)"
MARK = re.compile(rf"({WHERE}(?:, {WHERE})*)\s<!-- ([\w ]+) -->")
MARKS = [(where.split(", "), name) for where, names in MARK.findall(PAGE) for name in names.split()]


@cache
def conditions(directory: Path) -> dict[str, str]:
    """Return the tests of a directory, with what they and their files are marked with."""
    found = {}
    for file in directory.glob("test_*.py"):
        body = ast.parse(file.read_text(encoding="utf-8")).body
        marks = "".join(ast.unparse(node) for node in body if isinstance(node, ast.Assign))
        for node in body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = marks + "".join(map(ast.unparse, node.decorator_list))
    return found


@pytest.mark.parametrize(("where", "name"), MARKS)
def test_statement_has_a_test(where: list[str], name: str) -> None:
    """Each mark names a test, which runs where the mark says."""
    if where == ["pretended"]:
        assert name in conditions(TESTS)
        return
    there = conditions(TESTS / "windows")
    assert name in there
    assert "workflow" not in where or "skipif(REAL" not in there[name]
    assert "Wine" not in where or "skipif(not REAL" not in there[name]


def test_every_mark_has_a_name() -> None:
    """No statement is marked without its tests."""
    assert len(MARKS) > 20
    statements = PAGE.partition("## What works")[2]
    assert not re.search(rf"[(;|]\s*{WHERE}\b", MARK.sub("", statements))
