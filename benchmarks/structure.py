"""Count rooms, floors, import arrows and circles of the package, and how long its parts are.

A room is a package or a module directly below `uv_self_update`. Leaf modules, which import nothing
but other leaves, count as one room. The floors are the rooms on the longest chain of imports, and a
circle is a set of modules that import each other. `uv run python benchmarks/structure.py` prints
the table; `--root DIR` counts another checkout.
"""

from __future__ import annotations

import argparse
import ast
from pathlib import Path

PACKAGE = "uv_self_update"
LONG_FUNCTION = 60  # lines
LONG_FILE = 400  # lines


def modules(root: Path) -> dict[str, Path]:
    """Return every module of the package by its dotted name below the package."""
    source = root / "src" / PACKAGE
    found = {}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name:
            found[name] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Return the modules of the package that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
            above = (node.module or "").partition(".")[2]
            for alias in node.names:
                name = f"{above}.{alias.name}".strip(".")
                found.add(name if name in known else above)
    return found & set(known)


def circles(arrows: dict[str, set[str]]) -> list[set[str]]:
    """Return the sets of two or more nodes that reach each other."""
    reached = {node: _reach(node, arrows) for node in arrows}
    found: list[set[str]] = []
    for node in arrows:
        if any(node in circle for circle in found):
            continue
        circle = {other for other in reached[node] if node in reached[other]}
        if circle - {node}:
            found.append(circle | {node})
    return found


def _reach(node: str, arrows: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    ahead = list(arrows[node])
    while ahead:
        at = ahead.pop()
        if at not in seen:
            seen.add(at)
            ahead += arrows[at]
    return seen


def floors(arrows: dict[str, set[str]]) -> int:
    """Return how many rooms stand above each other at the most; circles count once."""
    heights: dict[str, int] = {}

    def height(node: str, above: frozenset[str]) -> int:
        if node not in heights:
            below = [height(other, above | {node}) for other in arrows[node] - above - {node}]
            heights[node] = 1 + max(below, default=0)
        return heights[node]

    return max(height(node, frozenset()) for node in arrows)


def leaves(arrows: dict[str, set[str]], top: set[str]) -> set[str]:
    """Return the top-level modules that import nothing but others of their kind."""
    found = set(top)
    while out := {module for module in found if not arrows[module] <= found}:
        found -= out
    return found


def rooms_of(arrows: dict[str, set[str]], top: set[str]) -> dict[str, set[str]]:
    """Return the arrows between rooms."""
    below = leaves(arrows, top)

    def room(module: str) -> str:
        return "leaves" if module in below else module.partition(".")[0]

    between: dict[str, set[str]] = {room(module): set() for module in arrows}
    for module, targets in arrows.items():
        between[room(module)] |= {room(target) for target in targets} - {room(module)}
    return between


def lines_of(directory: Path) -> int:
    """Return how many lines the Python files below a directory have."""
    return sum(
        len(path.read_text(encoding="utf-8").splitlines()) for path in directory.rglob("*.py")
    )


def long_functions(path: Path) -> int:
    """Return how many functions of a module are longer than `LONG_FUNCTION`."""
    return sum(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > LONG_FUNCTION
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Count rooms, floors, arrows and circles.")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    root: Path = parser.parse_args().root
    known = modules(root)
    arrows = {name: imports(path, known) - {name} for name, path in known.items()}
    packages = {name.partition(".")[0] for name in known if "." in name}
    top = {name for name in known if "." not in name} - packages
    between = rooms_of(arrows, top)
    rows = {
        "rooms": len(between),
        "floors of rooms": floors(between),
        "arrows between rooms": sum(map(len, between.values())),
        "circles of rooms": len(circles(between)),
        "modules": len(known),
        "floors of modules": floors(arrows),
        "arrows between modules": sum(map(len, arrows.values())),
        "circles of modules": len(circles(arrows)),
        "modules at the top level": len(top),
        f"functions over {LONG_FUNCTION} lines": sum(map(long_functions, known.values())),
        f"files over {LONG_FILE} lines": sum(
            len(path.read_text(encoding="utf-8").splitlines()) > LONG_FILE
            for path in known.values()
        ),
        "lines of src": lines_of(root / "src"),
        "lines of tests": lines_of(root / "tests"),
    }
    for name, value in rows.items():
        print(f"{name:28} {value:>7,}")


if __name__ == "__main__":
    main()
