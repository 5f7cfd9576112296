"""The directory into which uv for Windows writes its installer's script: PowerShell must find it.

uv runs `powershell -ExecutionPolicy ByPass PATH`, without `-File`. So Windows PowerShell 5.1 takes
PATH for a command line, and a blank or a quote in `%TEMP%` splits it (cargo-dist#2337, uv#7988).

The 8.3 name of the same directory has no blank, if the volume has such names. Another directory has
other rights: PowerShell restricts itself unless AppLocker allows a script in `%TEMP%`. So uv's own
directory is used only if the language is not restricted.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from uv_self_update.errors import ScriptsDisabled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


_SPECIAL = re.compile("[\\s'\"&()$;,{}@`\u2018-\u201b\u201c-\u201e]")
"""What ends a bare word in PowerShell, or has a meaning in one (about_Special_Characters)."""

_NAMES = ("TMP", "TEMP", "USERPROFILE")
"""The variables that name the directory, in the order of Windows (GetTempPath2)."""

_LONGEST = 32768  # characters of a path


def short_name(path: str) -> str:
    """Return the 8.3 name of a path on Windows; the path itself if it has none."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 # slow, and needed for few paths only

        buffer = ctypes.create_unicode_buffer(_LONGEST)
        if ctypes.windll.kernel32.GetShortPathNameW(path, buffer, _LONGEST):
            return buffer.value
    return path


def variables(
    environ: Mapping[str, str],
    *,
    own: Path | None,
    unrestricted: Callable[[], bool],
    short: Callable[[str], str] = short_name,
) -> dict[str, str]:
    """Return the variables with which uv writes its script where PowerShell finds it.

    Empty if they need not change, or if no directory is better: see `unusable`.

    Args:
        environ: The environment of uv.
        own: An existing directory for temporary files, next to uv.
        unrestricted: Returns whether PowerShell's language is not restricted; slow.
        short: Returns the 8.3 name of a path.
    """
    named = _named(environ)
    if named is None:
        return {}
    found = next(_usable(named[1], own, unrestricted, short), named[1])
    return {} if found == named[1] else {"TMP": found, "TEMP": found}


def unusable(environ: Mapping[str, str]) -> ScriptsDisabled | None:
    """Return why PowerShell cannot find a script; None if it can."""
    named = _named(environ)
    if named is None:
        return None
    name, directory = named
    character = _SPECIAL.findall(directory)[0]
    return ScriptsDisabled(
        f"Windows PowerShell takes no script from a path with `{character}`: {directory}",
        f"the variable {name}",
        hint=r"Create a directory without blanks and quotes in its path, and set TEMP and TMP to "
        r"it for this run: `$env:TEMP = $env:TMP = 'C:\Temp'`.",
    )


def _named(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the variable that names the directory, and its value, if PowerShell splits that."""
    named = next(((name, environ[name]) for name in _NAMES if environ.get(name)), None)
    return named if named is not None and _SPECIAL.search(named[1]) else None


def _usable(
    directory: str,
    own: Path | None,
    unrestricted: Callable[[], bool],
    short: Callable[[str], str],
) -> Iterator[str]:
    """Yield the directories from which PowerShell takes a script."""
    if not _SPECIAL.search(name := short(directory)):
        yield name
    if own is not None:
        names = [name for name in (str(own), short(str(own))) if not _SPECIAL.search(name)]
        if names and unrestricted():
            yield from names
