"""Every promise about security and reliability has a mutant, and each mutant applies."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from support.mutants import PAGES, ROOT, Mutant, mutants, no_promises, promises

TESTS = Path(__file__).parent

each_page = pytest.mark.parametrize("page", PAGES)


@cache
def names_of_tests(file: str) -> set[str]:
    """Return the names of a file's tests."""
    tree = ast.parse((TESTS / f"{file}.py").read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def applies(mutant: Mutant) -> bool:
    """Return whether the code of a mutant occurs once, and can be parsed after the change."""
    code = mutant.applied((ROOT / mutant.path).read_text(encoding="utf-8"))
    return code is not None and ast.parse(code) is not None


@each_page
def test_every_promise_has_a_mutant(page: str) -> None:
    """Each paragraph, list item and table row has a mutant, or a reason to have none."""
    known = {mutant.promise for mutant in mutants(page)} | {*no_promises(page)}
    found = {text: [start for start in known if text.startswith(start)] for text in promises(page)}

    assert len(found) > 20
    assert [text for text, starts in found.items() if len(starts) != 1] == []
    assert known - {start for starts in found.values() for start in starts} == set()


@each_page
def test_every_mutant_applies(page: str) -> None:
    """The code that a mutant changes is there."""
    assert [mutant for mutant in mutants(page) if not applies(mutant)] == []


@each_page
def test_every_mutant_names_tests(page: str) -> None:
    """The tests that must catch a mutant exist."""
    named = {test for mutant in mutants(page) for test in mutant.tests}
    parts = [test.partition("[")[0].partition("::") for test in sorted(named)]

    assert [f"{file}::{name}" for file, _, name in parts if name not in names_of_tests(file)] == []
