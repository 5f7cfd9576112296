"""Imports point down the table of CONTRIBUTING.md, and every module stands in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

FRAMES = {"catalog.py", "interface.py", "layout.py", "tree.py"}
"""What the text above that table tells of."""

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "uv_self_update"


def rows() -> list[list[str]]:
    """Return the rooms of each row of the table, from the top."""
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Sources")[0]
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return [re.findall(r"`([^`]+)`", cell) for cell in cells]


def row_of(module: str) -> int:
    """Return the row that a module of the package stands in."""
    first = module.split(".", maxsplit=1)[0]
    found = [
        number
        for number, rooms in enumerate(rows())
        if f"{first}.py" in rooms or f"{first}/" in rooms
    ]
    assert len(found) == 1, f"{module} stands in {len(found)} rows"
    return found[0]


def modules() -> dict[str, Path]:
    """Return every module of the package but the package itself, by its dotted name in it."""
    names = {
        path: path.relative_to(PACKAGE).with_suffix("").parts for path in PACKAGE.rglob("*.py")
    }
    return {
        ".".join(parts).removesuffix(".__init__"): path
        for path, parts in names.items()
        if parts != ("__init__",)
    }


def imported(path: Path) -> set[str]:
    """Return what a module imports of the package, wherever in it."""
    known = modules()
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uv_self_update"):
            above = (node.module or "").partition(".")[2]
            for alias in node.names:
                name = f"{above}.{alias.name}".strip(".")
                found.add(name if name in known else above)
    return found - {""}


def test_every_module_stands_in_one_row() -> None:
    """The table leaves no module out, and names none that is not there."""
    rooms = {room for row in rows() for room in row}

    assert {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"} == {
        room for room in rooms if room.endswith(".py")
    }
    assert {path.parent.name for path in PACKAGE.glob("*/*.py")} == {
        room.removesuffix("/") for room in rooms if room.endswith("/")
    }


@pytest.mark.parametrize("package", ["sources", "network", "logins"])
def test_every_module_stands_in_its_table(package: str) -> None:
    """The table of a package leaves no module out, and names none that is not there."""
    text = (ROOT / "CONTRIBUTING.md").read_text().partition(f"## {package.title()}")[2]
    text = text.partition("\n## ")[0]
    named = re.findall(r"`(\w+\.py)`", "".join(re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)))

    files = {path.name for path in (PACKAGE / package).glob("*.py")}
    assert sorted(named) == sorted(files - {"__init__.py"} - FRAMES)


def test_imports_point_down() -> None:
    """No module imports from a row above its own."""
    upwards = {
        f"{module} imports {other}"
        for module, path in modules().items()
        for other in imported(path)
        if row_of(other) < row_of(module)
    }

    assert upwards == set()
