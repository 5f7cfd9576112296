"""Print what the README's test command downloads.

The sizes are those of the package index's files, which are downloaded into a temporary directory.
The exit code is 1 if they are more than the limit.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from support.binaries import FIRST

ROOT = Path(__file__).parents[1]
LIMIT = 60
"""Megabytes that the command may download."""


def packages() -> list[str]:
    """Return the requirements that `uv run` installs, each with its exact version."""
    command = ["uv", "export", "--quiet", "--no-hashes", "--no-emit-project", "--no-annotate"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if line and not line.startswith("#")]


def build() -> list[str]:
    """Return what builds the package, each with its exact version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    command = ["uv", "pip", "compile", "-", "--quiet", "--no-header", "--no-annotate"]
    text = "\n".join(project["build-system"]["requires"])
    done = subprocess.run(command, check=True, capture_output=True, input=text, text=True)
    return done.stdout.splitlines()


def size(*requirements: str) -> float:
    """Return the size of the files of requirements, in megabytes."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
        subprocess.run([*command, directory, *requirements], check=True)
        return sum(file.stat().st_size for file in Path(directory).iterdir()) / 1e6


def main() -> None:
    """Print a table, and the sum."""
    rows = {
        "uv itself, by pip": size("uv"),
        "packages": size(*{*build(), *packages()}),
        f"uv {FIRST}, by the tests": size(f"uv=={FIRST}"),
    }
    for name, megabytes in rows.items():
        print(f"{megabytes:6.1f} MB  {name}")
    total = sum(rows.values())
    print(f"{total:6.1f} MB, of at most {LIMIT}")
    sys.exit(total > LIMIT)


if __name__ == "__main__":
    main()
