"""Which users can read or change a configuration file that contains a secret."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from uv_self_update.config.kinds import SourceSettings


_log = logging.getLogger(__name__)

_OTHERS = 0o077
"""The mode bits of the group and of other users."""


def is_exposed(path: Path, sources: Iterable[SourceSettings]) -> bool:
    """Return whether other users can read or change a file that contains a password or a token.

    Windows has access control lists instead of modes, and protects a user's directories by default.
    """
    if os.name == "nt" or not any(map(is_exposing, sources)):
        return False
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False  # it was removed meanwhile


def warn_if_exposed(path: Path, sources: Iterable[SourceSettings], *, shared: bool) -> None:
    """Warn of a file that contains a password or a token, and that other users can read or change.

    Args:
        path: The file.
        sources: The sources that it configures.
        shared: Whether it is the system configuration file.
    """
    if not is_exposed(path, sources):
        return
    if shared:
        _log.warning(
            "%s contains a password or a token, and all users can read it: name an environment "
            "variable with `password-env` or `token-env` instead",
            path,
        )
    else:
        _log.warning(
            "%s contains a password or a token, and other users can read or change it: run "
            "`chmod 600 %s`",
            path,
            path,
        )


def owner_of(path: Path) -> str:
    """Return the user who can change a file, for messages."""
    if sys.platform != "win32":
        import pwd  # noqa: PLC0415 # only after a failure

        with contextlib.suppress(OSError):
            user = path.stat().st_uid
            try:
                return pwd.getpwuid(user).pw_name
            except KeyError:
                return f"the user with the ID {user}"
    return "an administrator"


def is_exposing(source: SourceSettings) -> bool:
    """Return whether a URL of a source contains a password or a token."""
    return any(url.holds_secret for url in source.urls)
