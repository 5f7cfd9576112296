"""Detect that this was started by `uvx`, which on Windows keeps the file open that is replaced.

As measured: `uvx` runs a tool in its cache (`archive-v0`), or, if it is installed, in
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
    """Refuse to run if a `uvx.exe` waits for this process.

    Raises:
        StartedThroughUvx: It does.
    """
    installed = Path(sys.prefix, "uv-receipt.toml").exists()
    if is_through_uvx(sys.prefix, environ, installed=installed):
        raise StartedThroughUvx


def is_through_uvx(prefix: str, environ: Mapping[str, str], *, installed: bool) -> bool:
    """Return whether the prefix of this Python and the variables are those of a run by `uvx`.

    Args:
        prefix: The directory of this Python's environment.
        environ: The user's environment.
        installed: Whether it is an environment of `uv tool install`.
    """
    if _CACHED in PureWindowsPath(prefix.lower()).parts:
        return True
    return installed and "UV" in environ and "UV_RUN_RECURSION_DEPTH" not in environ
