"""What a killed `uv self update` leaves behind on Windows: uv renames itself before it goes."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from uv_self_update.uv.executable import aside, present, version_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_log = logging.getLogger(__name__)


def mend(uv: Path, environ: Mapping[str, str]) -> None:
    """Give a uv its name back, or remove what it has outlived.

    This is for whoever has claimed uv's folder: else it may be another update that has just moved
    it aside.

    Args:
        uv: The uv that is to be updated.
        environ: The user's environment.
    """
    moved = aside(uv)
    if uv.suffix.lower() != ".exe" or not moved.exists():
        return
    # What is in use, or may not be touched, stays as it is; `Signals.run` says if uv needs it.
    with contextlib.suppress(OSError):
        if present(uv) == moved:
            moved.rename(uv)
            _log.warning("%s was missing since an update was interrupted, and is back", uv)
        elif version_of(uv, environ) is not None:
            moved.unlink()
