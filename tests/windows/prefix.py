"""Wine's C:, set up once and kept in `.cache/wine/`."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.notices import notice
from windows import parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ("C", "environ", "present", "start")

PREFIX = parts.WINE / "prefix"
C = PREFIX / "drive_c"

_SYSTEM = C / "windows" / "system32"
_POWERSHELL = _SYSTEM / "WindowsPowerShell" / "v1.0" / "powershell.exe"
_IDLE = 30  # seconds until Wine's services end after the last program
_SET_UP = 300  # seconds


def present() -> bool:
    """Return whether the programs that the lane needs are installed."""
    return all(map(shutil.which, ("wine", "wineserver", "x86_64-w64-mingw32-gcc")))


def environ(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment in which Wine is run."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(parts.WINE),
        "LANG": "C.UTF-8",
        "WINEPREFIX": str(PREFIX),
        "WINEARCH": "win64",
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=;bcryptprimitives=n",
        **(more or {}),
    }


def start() -> None:
    """Set up the prefix unless that was done, and start Wine's services.

    They are started apart from any test: they inherit the streams of the program that starts them,
    and a pipe to it would never end.
    """
    with _locked():
        if not PREFIX.exists():
            notice(f"setting up Windows in {PREFIX} (0.7 GB)")
            _run("wine", "wineboot", "-i")
            _run("wine", "winecfg", "-v", "win10")
        for name, place in (
            ("bcryptprimitives.dll", _SYSTEM / "bcryptprimitives.dll"),
            ("powershell.exe", _POWERSHELL),
        ):
            options = ("-shared", "-ladvapi32") if name.endswith(".dll") else ("-municode",)
            made = parts.compiled(name, *options)
            if place.read_bytes() != made.read_bytes() if place.exists() else True:
                shutil.copyfile(made, place)
        _run("wineserver", f"-p{_IDLE}", check=False)  # fails if it runs already
        _run("wine", "cmd", "/c", "exit")


@contextmanager
def _locked() -> Iterator[None]:
    import fcntl  # noqa: PLC0415 # not on Windows, where this module is imported too

    parts.WINE.mkdir(parents=True, exist_ok=True)
    with Path(parts.WINE, "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(*command: str, check: bool = True) -> None:
    null = subprocess.DEVNULL
    streams = {"stdin": null, "stdout": null, "stderr": null}
    subprocess.run(command, env=environ(), check=check, timeout=_SET_UP, **streams)  # type: ignore[call-overload]
