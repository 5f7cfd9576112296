"""The tool as users have it: installed from its wheel, its bytecode compiled."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support import binaries

_REPOSITORY = Path(__file__).parents[1]


def install(directory: Path, checkout: Path | None = None) -> Path:
    """Install a checkout into a new environment below a directory, and return its `uv-self-update`.

    Nothing but the runtime dependencies is in it: pygments and rich, which pytest brings, are
    imported by httpx wherever they are found. The checkout is this one, unless another is named.
    """
    uv, environment = binaries.uv_command(), directory / "environment"
    repository = (checkout or _REPOSITORY).resolve()
    commands: list[list[str | Path]] = [
        ["venv", "--python", sys.executable, environment],
        # A directory whose files changed has the same version, and must be built anew.
        [
            *("pip", "install", "--compile-bytecode", "--reinstall-package", "uv-self-update"),
            *("--python", environment, repository),
        ],
    ]
    for command in commands:
        subprocess.run([uv, *command[:1], "--quiet", *command[1:]], check=True, cwd="/")
    return environment / "bin" / "uv-self-update"
