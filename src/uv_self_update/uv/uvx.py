"""Whether this was started through `uvx`, which on Windows holds the file that is to be replaced.

What tells, as measured: `uvx` runs a tool in its cache (`archive-v0`), or, if it is installed, in
the tool's own environment. uv sets `UV` then (0.5.0 does not yet); `uv run`, which sets it too,
counts itself in `UV_RUN_RECURSION_DEPTH`.
"""

from __future__ import annotations

import sys
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

from uv_self_update.errors import StartedThroughUvx

if TYPE_CHECKING:
    from collections.abc import Mapping


_CACHED = "archive-v0"


def refuse_uvx(environ: Mapping[str, str]) -> None:
    """Make sure that no `uvx.exe` waits for this process.

    Raises:
        StartedThroughUvx: One does.
    """
    installed = Path(sys.prefix, "uv-receipt.toml").exists()
    if is_through_uvx(sys.prefix, environ, installed=installed):
        raise StartedThroughUvx


def is_through_uvx(prefix: str, environ: Mapping[str, str], *, installed: bool) -> bool:
    """Tell by the environment of this Python, and by the variables.

    Args:
        prefix: The folder of the environment.
        environ: The user's environment.
        installed: Whether it is an environment of `uv tool install`.
    """
    if _CACHED in PureWindowsPath(prefix.lower()).parts:
        return True
    return installed and "UV" in environ and "UV_RUN_RECURSION_DEPTH" not in environ
