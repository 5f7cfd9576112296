"""Which uv a person gets who types `uv`, once another one has been updated."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import UvNotFound
from uv_self_update.uv.executable import find_uv, version_of

if TYPE_CHECKING:
    from collections.abc import Mapping


_log = logging.getLogger(__name__)


def warn_if_shadowed(uv: Path, environ: Mapping[str, str]) -> None:
    """Name the uv that PATH finds, if it is not the one that was updated."""
    try:
        first = find_uv(None, environ, windows=os.name == "nt")
    except UvNotFound:
        return
    if first.exists() and uv.exists() and first.samefile(uv):
        return
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    behind = any(Path(folder) == uv.parent for folder in folders)
    _log.warning(
        "`uv` on PATH is %s (%s), %s %s (%s), which was updated",
        first,
        _version(first, environ),
        "which comes before" if behind else "and not",
        uv,
        _version(uv, environ),
    )


def _version(uv: Path, environ: Mapping[str, str]) -> str:
    return version_of(uv, environ) or "it does not run"
