"""What a killed `uv self update` leaves behind on Windows: uv renames itself before it goes."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.child import version_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ("mend",)

_UV = "uv.exe"

_log = logging.getLogger(__name__)


def mend(named: str | None, environ: Mapping[str, str]) -> None:
    """Give the uv of Windows that is to be updated its name back, or remove what it has outlived.

    Args:
        named: The uv that was asked for; None for the first on PATH.
        environ: The user's environment.
    """
    for uv in _places(named, environ):
        # As uv names itself.
        previous = uv.with_name(f"{uv.name}.previous.exe")
        if not uv.exists() and not previous.exists():
            continue
        # A file that is in use, or that may not be touched, is left to whoever looks for uv.
        with contextlib.suppress(OSError):
            if not uv.exists():
                previous.rename(uv)
                _log.warning("%s was missing since an update was interrupted, and is back", uv)
            elif previous.exists() and version_of(uv, environ) is not None:
                previous.unlink()
        return


def _places(named: str | None, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where uv may be, in the order in which it is looked for."""
    name = named or _UV
    if not name.lower().endswith(".exe"):
        name += ".exe"
    if name != Path(name).name:
        yield Path(name)
        return
    for folder in environ.get("PATH", "").split(os.pathsep):
        if Path(folder).is_absolute():
            yield Path(folder, name)
