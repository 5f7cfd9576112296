"""The environments and the directory that uv and other programs are run in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


_PATHS = ("NETRC", "SSL_CERT_DIR", "SSL_CERT_FILE", "SSL_CLIENT_CERT")


def neutral_directory(environ: Mapping[str, str], *, windows: bool) -> str:
    """Return a directory in which uv reads only the user's and the system's configuration.

    uv reads the configuration of the project in the current directory and its parents: a project
    must not decide where uv itself comes from. Only an administrator can write to the root; on
    Windows, to that of the system's drive.
    """
    return environ.get("SYSTEMDRIVE", "C:") + "\\" if windows else "/"


def user_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the user's environment for a program that is run in that directory.

    Relative paths are made absolute.
    """
    result = dict(environ)
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
        # With these a release's own installer does not even say why it fails.
        "INSTALLER_PRINT_QUIET",
        # uv uses no TLS here, and some of its versions fail if these name a broken file.
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
        "UV_PRINT_QUIET",
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


def is_removed(name: str) -> bool:
    """Return whether a variable is kept from uv, because it would lead uv elsewhere."""
    return name.upper() in _REMOVED or name.upper().startswith(_REMOVED_PREFIX)


def environment(environ: Mapping[str, str], base: str) -> dict[str, str]:
    """Return the environment in which uv connects to the gateway and to no other server."""
    result = {name: value for name, value in environ.items() if not is_removed(name)}
    result["UV_INSTALLER_GHE_BASE_URL"] = base
    # uv would use a proxy in uv.toml for loopback too, whatever NO_PROXY says.
    result["UV_NO_CONFIG"] = "1"
    result["UV_NO_MODIFY_PATH"] = "1"
    # wget reads the lower case only, and some programs prefer the upper: both, each extended.
    for name in ("NO_PROXY", "no_proxy"):
        exceptions = environ.get(name) or environ.get(name.swapcase()) or ""
        result[name] = ",".join(filter(None, (exceptions, _LOOPBACK)))
    return result


def bare_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a program needs to start, without the user's credentials.

    For a uv that has not been run yet.
    """
    return {
        name: value
        for name, value in environ.items()
        if name.upper() in _NEEDED or name.startswith("LC_")
    }
