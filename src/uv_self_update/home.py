"""The user's home directory, which not every user has."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def home_directory(environ: Mapping[str, str]) -> Path | None:
    """Return HOME, or else what the user database says; always an absolute path.

    A HOME that is empty or relative counts as unset: it would be the directory of a project that
    the user happens to be in. None for a user ID that the database does not know, as in a
    container that is run with an ID of its own; and on Windows, where it is USERPROFILE.
    """
    named = Path(environ.get("HOME", ""))
    if named.is_absolute():
        return named
    if sys.platform != "win32":
        import pwd  # noqa: PLC0415 # few need it

        with contextlib.suppress(KeyError):
            known = Path(pwd.getpwuid(os.getuid()).pw_dir)
            return known if known.is_absolute() else None
    return None


def cache_directory(environ: Mapping[str, str]) -> Path | None:
    """Return this package's cache directory; None without a home of this user's own.

    With sudo, HOME may be that of another user, who could then change what root reads from it.
    """
    from platformdirs import user_cache_path  # noqa: PLC0415 # slow, and few need it

    try:
        path = user_cache_path("uv-self-update", appauthor=False)
    except RuntimeError:  # no home directory at all
        return None
    if sys.platform != "win32":
        home = home_directory(environ)
        try:
            if home is None or home.stat().st_uid != os.geteuid():
                return None
        except OSError:
            return None
    return path if path.is_absolute() else None
