"""The tool as people have it: installed from its wheel, its bytecode compiled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support import binaries

__all__ = ("install",)

_REPOSITORY = Path(__file__).parents[1]


def install(folder: Path) -> Path:
    """Install this repository into a new environment, and return its `uv-self-update`.

    Nothing but the runtime dependencies is in it: pygments and rich, which pytest brings, are
    imported by httpx wherever they are found.
    """
    uv, environment = binaries.uv_command(), folder / "environment"
    commands: list[list[str | Path]] = [
        ["venv", "--python", sys.executable, environment],
        ["pip", "install", "--compile-bytecode", "--python", environment, _REPOSITORY],
    ]
    for command in commands:
        subprocess.run([uv, *command[:1], "--quiet", *command[1:]], check=True, cwd="/")
    return environment / "bin" / "uv-self-update"
