"""Clean up after a killed `uv self update` on Windows, where uv renames itself first."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from uv_self_update.uv.executable import current_path, renamed, version_of

if TYPE_CHECKING:
    from uv_self_update.uv.installation import Installation


_log = logging.getLogger(__name__)


def restore_name(installation: Installation) -> None:
    """Rename a uv back, or remove the old file if a working uv has taken its place.

    Only for a caller that has claimed uv's directory: else another update may have just renamed it.
    """
    uv = installation.uv
    old = renamed(uv)
    if uv.suffix.lower() != ".exe" or not old.exists():
        return
    # A file in use, or one that may not be changed, stays; `Signals.run` says if uv needs it.
    with contextlib.suppress(OSError):
        if current_path(uv) == old:
            old.rename(uv)
            _log.warning("restored %s, which an interrupted update had renamed", uv)
        elif version_of(uv, installation.environ) is not None:
            old.unlink()
