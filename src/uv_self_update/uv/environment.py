"""Where a program is asked for what its user has configured, and no project has a say in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("neutral_environment", "neutral_folder")

_PATHS = (
    "NETRC",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SSL_CLIENT_CERT",
    "UV_CACHE_DIR",
    "UV_CONFIG_FILE",
    "UV_CONSTRAINT",
    "UV_CREDENTIALS_DIR",
    "UV_FIND_LINKS",
    "UV_OVERRIDE",
)
_REMOVED = ("UV_OFFLINE", "UV_PROJECT", "UV_WORKING_DIR", "UV_WORKING_DIRECTORY")


def neutral_folder(environ: Mapping[str, str], *, windows: bool) -> str:
    """Return a folder in which uv finds no configuration but its user's and its system's.

    uv reads the configuration of the project that it stands in, and of every folder above: a
    project must not decide where uv itself comes from. Into the root nobody can write but an
    administrator; on Windows that holds for the system's drive, and for no other.
    """
    return environ.get("SYSTEMDRIVE", "C:") + "\\" if windows else "/"


def neutral_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the user's own environment for a program that is run in that folder.

    Relative paths are made absolute, since they mean another place there, and no project is named.
    """
    result = {name: value for name, value in environ.items() if name not in _REMOVED}
    for name in _PATHS:
        value = result.get(name)
        if value and Path(value).exists():
            result[name] = str(Path(value).absolute())
    return result
