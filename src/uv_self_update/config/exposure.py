"""Whether somebody else can read a secret in a configuration file."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from uv_self_update.redaction import holds_secret

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from uv_self_update.config.kinds import SourceSettings


_log = logging.getLogger(__name__)

_OTHERS = 0o077
"""Who may read, write or enter a file beside its owner."""


def warn_if_exposed(path: Path, sources: Iterable[SourceSettings], *, shared: bool) -> None:
    """Warn of a file that holds a password or a token, and that others may read or write.

    Windows has access lists in place of modes, and keeps a user's folders to that user by itself.

    Args:
        path: The file.
        sources: What it configures.
        shared: Whether the file is meant for every user of the machine.
    """
    if os.name == "nt" or not any(map(is_exposing, sources)):
        return
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # it is gone by now
    if mode & _OTHERS and shared:
        _log.warning(
            "a password or a token stands in %s, which everybody on this machine may read: name "
            "a variable there in its place, by `password-env` or `token-env`",
            path,
        )
    elif mode & _OTHERS:
        _log.warning(
            "a password or a token stands in %s, which others may read or change: `chmod 600` it",
            path,
        )


def is_exposing(source: SourceSettings) -> bool:
    """Return whether a source has a password or a token in one of its URLs."""
    return any(map(holds_secret, source.urls))
