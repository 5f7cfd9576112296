"""Print what the README's test command downloads.

The sizes are those of the package index's files, which are downloaded into a temporary directory.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from support.binaries import FIRST

ROOT = Path(__file__).parents[1]


def packages() -> list[str]:
    """Return the requirements that `uv run` installs, each with its exact version."""
    command = ["uv", "export", "--quiet", "--no-hashes", "--no-emit-project", "--no-annotate"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if line and not line.startswith("#")]


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
        "packages": size("uv-build", *packages()),
        **{f"uv {version}, by the tests": size(f"uv=={version}") for version in FIRST},
    }
    for name, megabytes in rows.items():
        print(f"{megabytes:6.1f} MB  {name}")
    print(f"{sum(rows.values()):6.1f} MB")


if __name__ == "__main__":
    main()
