"""Where a program is asked for what its user has configured, and no project has a say in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


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
_PROJECT = ("UV_OFFLINE", "UV_PROJECT", "UV_WORKING_DIR", "UV_WORKING_DIRECTORY")


def neutral_directory(environ: Mapping[str, str], *, windows: bool) -> str:
    """Return a folder in which uv finds no configuration but its user's and its system's.

    uv reads the configuration of the project that it stands in, and of every folder above: a
    project must not decide where uv itself comes from. Into the root nobody can write but an
    administrator; on Windows that holds for the system's drive, and for no other.
    """
    return environ.get("SYSTEMDRIVE", "C:") + "\\" if windows else "/"


def user_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the user's own environment for a program that is run in that folder.

    Relative paths are made absolute, since they mean another place there, and no project is named.
    """
    result = {name: value for name, value in environ.items() if name not in _PROJECT}
    for name in _PATHS:
        value = result.get(name)
        if value and Path(value).exists():
            result[name] = str(Path(value).absolute())
    return result


_REMOVED_PREFIX = "UV_INSTALLER_"


_REMOVED = frozenset(
    {
        "CARGO_DIST_FORCE_INSTALL_DIR",
        "INSTALLER_DOWNLOAD_URL",
        # It speaks no TLS, and some of its versions end where these name something broken.
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "SSL_CLIENT_CERT",
        "UV_ASTRAL_MIRROR_URL",
        "UV_CONFIG_FILE",
        "UV_DISABLE_UPDATE",
        "UV_DOWNLOAD_URL",
        "UV_GITHUB_TOKEN",
        "UV_INSTALL_DIR",
        "UV_OFFLINE",
        "UV_UNMANAGED_INSTALL",
    }
)


_NEEDED = frozenset(
    {
        "APPDATA",
        "COMSPEC",
        "HOME",
        "LANG",
        "LD_LIBRARY_PATH",
        "LOCALAPPDATA",
        "NIX_LD",
        "NIX_LD_LIBRARY_PATH",
        "PATH",
        "PATHEXT",
        "PROGRAMDATA",
        "SYSTEMDRIVE",
        "SYSTEMROOT",
        "TEMP",
        "TMP",
        "TMPDIR",
        "USERPROFILE",
        "WINDIR",
    }
)


_LOOPBACK = "127.0.0.1"


def environment(environ: Mapping[str, str], base: str) -> dict[str, str]:
    """Return the environment in which uv talks to the gateway and to nothing else.

    Args:
        environ: The user's environment.
        base: The gateway's base URL.
    """
    result = {
        name: value
        for name, value in environ.items()
        if name.upper() not in _REMOVED and not name.upper().startswith(_REMOVED_PREFIX)
    }
    result["UV_INSTALLER_GHE_BASE_URL"] = base
    # A proxy in uv.toml would be asked for loopback too, whatever NO_PROXY says.
    result["UV_NO_CONFIG"] = "1"
    result["UV_NO_MODIFY_PATH"] = "1"
    # wget reads the lower case only, and some programs prefer the upper: both, each extended.
    for name in ("NO_PROXY", "no_proxy"):
        exceptions = environ.get(name) or environ.get(name.swapcase()) or ""
        result[name] = ",".join(filter(None, (exceptions, _LOOPBACK)))
    return result


def bare_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a program needs to start, and no more: none of a person's logins.

    For a uv that nobody has run yet.
    """
    return {
        name: value
        for name, value in environ.items()
        if name.upper() in _NEEDED or name.startswith("LC_")
    }
