"""The scripts that uv runs as its installer.

uv executes any body that it gets (axoupdater ignores the status), so a failure is a script as well:
it prints the reason and exits with 1.

The scripts for PowerShell only call programs and cmdlets with literals. They work in Windows
PowerShell 5.1 and in 7, and in the constrained language mode of a locked-down machine (Microsoft's
about_Language_Modes), where a release's own installer does not.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_HANDOVER = Path(__file__).absolute().with_name("handover.py")
_TOKEN = "_UV_SELF_UPDATE_TOKEN"  # noqa: S105 # the name of the variable


def native(path: str, *, windows: bool) -> bytes:
    """Return a script that requests the installation from the gateway, with this Python.

    Args:
        path: The path to request, below the base URL of the gateway.
        windows: Whether to write for PowerShell instead of sh.
    """
    return _powershell(_hand_over_powershell(path)) if windows else _sh([_hand_over(path)])


def staged(
    path: str,
    *,
    token: str,
    script: Path,
    directory: Path,
    environ: Mapping[str, str],
    windows: bool,
) -> bytes:
    """Return a script that runs a release's own installer, then requests the installation.

    Args:
        path: The path to request, below the base URL of the gateway.
        token: The token that identifies this script to the gateway.
        script: The installer.
        directory: Its working directory.
        environ: Its additional variables; PowerShell removes an empty one.
        windows: Whether to write for PowerShell instead of sh.
    """
    if windows:
        return _powershell(
            [
                *(f"$env:{key} = {_quote_powershell(value)}" for key, value in environ.items()),
                f"Set-Location -LiteralPath {_quote_powershell(str(directory))}",
                "$global:LASTEXITCODE = 0",
                f"& {_quote_powershell(str(script))}",
                "if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }",
                f"$env:{_TOKEN} = {_quote_powershell(token)}",
                *_hand_over_powershell(path),
            ]
        )
    assigned = [f"{key}={shlex.quote(value)}" for key, value in environ.items()]
    return _sh(
        [
            f"cd -- {shlex.quote(str(directory))} || exit 1",
            f"({' '.join(['export', *assigned])}; exec {shlex.quote(str(script))}) || exit",
            f"{_TOKEN}={token}; export {_TOKEN}",
            _hand_over(path),
        ]
    )


def failing(message: str, *, windows: bool) -> bytes:
    """Return a script that prints a message and fails."""
    lines = message.splitlines()
    if windows:
        return _powershell(
            [*(f"Write-Output {_quote_powershell(line)}" for line in lines), "exit 1"]
        )
    return _sh([*(f"printf '%s\\n' {shlex.quote(line)} >&2" for line in lines), "exit 1"])


def preamble(*, windows: bool) -> bytes:
    """Return the first bytes of any script, to be sent before the rest is known."""
    return b"\xef\xbb\xbf" if windows else b"#!/bin/sh\n"


def looks_like_script(body: bytes, *, windows: bool) -> bool:
    """Return whether a body may be an installer: not a web page, an archive or JSON."""
    if b"\0" in body:
        return False
    if windows:
        return bool(body.strip()) and not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(
            (b"<!", b"<h", b"{")
        )
    return body.startswith(b"#!")


def _hand_over(path: str) -> str:
    return f"exec {shlex.join(_command(path))}"


def _hand_over_powershell(path: str) -> list[str]:
    return [
        # If Python fails to start, nothing else sets it, and `exit` without a value is a
        # success.
        "$global:LASTEXITCODE = 1",
        f"& {' '.join(map(_quote_powershell, _command(path)))}",
        "exit $LASTEXITCODE",
    ]


def _command(path: str) -> list[str]:
    return [sys.executable, "-IS", str(_HANDOVER), path]


def _sh(lines: Sequence[str]) -> bytes:
    # A path may contain any bytes but NUL, which must be kept.
    return os.fsencode("\n".join(["#!/bin/sh", *lines, ""]))


def _powershell(lines: Sequence[str]) -> bytes:
    # Without a byte order mark, Windows PowerShell reads a file in the local code page.
    return "\r\n".join([*lines, ""]).encode("utf-8-sig")


def _quote_powershell(text: str) -> str:
    # To PowerShell, typographic quotes are the same as the plain one.
    return "'" + re.sub("(['\u2018-\u201b])", r"\1\1", text) + "'"
