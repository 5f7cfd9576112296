"""Rooms keep to their faces: what a package's `__all__` does not name is private to it.

That imports point down is import-linter's contract in `pyproject.toml`.
"""

from __future__ import annotations

import ast
import importlib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "uv_self_update"
FACES = sorted(path.parent.relative_to(PACKAGE) for path in PACKAGE.rglob("*/__init__.py"))
"""The directory of every package below the main one."""


def name_of(path: Path) -> str:
    """Return the dotted name of a module below the package."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


@cache
def face_of(package: str) -> tuple[str, ...]:
    """Return the modules that a package lets others import."""
    public = importlib.import_module(f"uv_self_update.{package}").__all__
    return tuple(public)


@cache
def imported(path: Path) -> set[str]:
    """Return the modules of the package that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("uv_self_update"):
            above = (node.module or "").partition(".")[2]
            for alias in node.names:
                name = f"{above}.{alias.name}".strip(".")
                found.add(name if name in MODULES else above)
    return found - {""}


def private(module: str, importer: str) -> bool:
    """Return whether a module is private to a package that another does not belong to."""
    parts = module.split(".")
    return any(
        importer.split(".")[:depth] != parts[:depth]
        and parts[depth] not in face_of(".".join(parts[:depth]))
        for depth in range(1, len(parts))
    )


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_keep_to_the_faces(module: str) -> None:
    """A module of another package is imported only if that package's face names it."""
    assert {other for other in imported(MODULES[module]) if private(other, module)} == set()


@pytest.mark.parametrize("face", FACES, ids=str)
def test_face_tells_a_story(face: Path) -> None:
    """A face has a docstring, names modules that it has and that others import, and no code."""
    package = ".".join(face.parts)
    text = (PACKAGE / face / "__init__.py").read_text(encoding="utf-8")
    public = face_of(package)
    others = {
        name
        for module, path in MODULES.items()
        if module.split(".")[: len(face.parts)] != list(face.parts)
        for name in imported(path)
    }

    assert len(ast.parse(text).body) == 2
    assert list(public) == sorted(public)
    for name in public:
        place = f"{package}.{name}"
        assert place in MODULES
        assert any(f"{other}.".startswith(f"{place}.") for other in others)


def test_no_circle() -> None:
    """No module imports another that imports it, directly or through others."""
    arrows = {module: imported(path) & MODULES.keys() for module, path in MODULES.items()}

    TopologicalSorter(arrows).prepare()
