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

PREFIX = parts.WINE / "prefix"
C = PREFIX / "drive_c"

_SYSTEM = C / "windows" / "system32"
_POWERSHELL = _SYSTEM / "WindowsPowerShell" / "v1.0" / "powershell.exe"
_SET_UP = 300  # seconds
_DONE = PREFIX / "done"
_MOUNTS = r"HKLM\System\CurrentControlSet\Services\MountMgr"
_NEVER = ("/v", "Start", "/t", "REG_DWORD", "/d", "4", "/f")
_WAITING = ("wine", "cmd", "/c", "pause")  # until its input ends


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


@contextmanager
def running() -> Iterator[None]:
    """Set up the prefix unless that was done, and keep Wine's services running.

    They end soon after the last program, and start with the next one, whose streams they inherit: a
    pipe to that would not end with it. So a program that is not a test's waits all the time.
    """
    with _locked():
        _set_up()
        waiting = subprocess.Popen(
            _WAITING,
            env=environ(),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    try:
        yield
    finally:
        waiting.communicate(timeout=_SET_UP)


def _set_up() -> None:
    if not _DONE.exists():
        notice(f"setting up Windows in {PREFIX} (0.7 GB)")
        _run("wine", "wineboot", "-i")
        _run("wine", "winecfg", "-v", "win10")
        # Each stat() and each open() of Python asks it, in another process, for the serial number
        # of a disk: up to nine tenths of the time that a command takes.
        _run("wine", "reg", "add", _MOUNTS, *_NEVER)
        _run("wineserver", "-k")  # which has started it
        _DONE.touch()
    for name, place in (
        ("bcryptprimitives.dll", _SYSTEM / "bcryptprimitives.dll"),
        ("powershell.exe", _POWERSHELL),
    ):
        options = ("-shared", "-ladvapi32") if name.endswith(".dll") else ("-municode",)
        made = parts.compiled(name, *options)
        if place.read_bytes() != made.read_bytes() if place.exists() else True:
            shutil.copyfile(made, place)
    _run("wine", "cmd", "/c", "exit")


@contextmanager
def _locked() -> Iterator[None]:
    import fcntl  # noqa: PLC0415 # not on Windows, where this module is imported too

    parts.WINE.mkdir(parents=True, exist_ok=True)
    with Path(parts.WINE, "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(*command: str) -> None:
    null = subprocess.DEVNULL
    streams = {"stdin": null, "stdout": null, "stderr": null}
    subprocess.run(command, env=environ(), check=True, timeout=_SET_UP, **streams)  # type: ignore[call-overload]
