"""Warn if the uv on PATH is not the one that was updated."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import UvNotFound
from uv_self_update.uv.executable import find_uv, version_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.uv.installation import Installation


_log = logging.getLogger(__name__)


def warn_if_shadowed(installation: Installation) -> None:
    """Warn of another uv that is the first on PATH."""
    uv, environ = installation.uv, installation.environ
    try:
        first = find_uv(None, environ, windows=installation.windows)
    except UvNotFound:
        return
    if first.exists() and uv.exists() and first.samefile(uv):
        return
    directories = environ.get("PATH", os.defpath).split(os.pathsep)
    behind = any(Path(directory) == uv.parent for directory in directories)
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
