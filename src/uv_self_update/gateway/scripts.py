"""The scripts that uv is given as its installer.

uv executes any body that it gets (axoupdater never looks at the status), so a failure has to be a
script as well: one that says why and exits with 1.

What is written for PowerShell calls programs and cmdlets with literals, and no more: that is the
same in Windows PowerShell 5.1 and in 7, and is allowed in the constrained language mode of a
locked-down machine (Microsoft's about_Language_Modes), where a release's own installer is not.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


_HANDOVER = Path(__file__).absolute().with_name("handover.py")


def native(path: str, *, windows: bool) -> bytes:
    """Return a script that has the gateway install, by way of this very Python.

    Args:
        path: What to ask the gateway for, below its base URL.
        windows: Whether PowerShell is to run it, rather than sh.
    """
    command = [sys.executable, "-I", str(_HANDOVER), path]
    if windows:
        return _powershell(
            [
                # Where Python cannot be started at all, nothing else would set it, and `exit` with
                # nothing is a success.
                "$global:LASTEXITCODE = 1",
                f"& {' '.join(map(_quote_powershell, command))}",
                "exit $LASTEXITCODE",
            ]
        )
    return _sh([f"exec {shlex.join(command)}"])


def failing(message: str, *, windows: bool) -> bytes:
    """Return a script that prints a message and fails."""
    lines = message.splitlines()
    if windows:
        return _powershell(
            [*(f"Write-Output {_quote_powershell(line)}" for line in lines), "exit 1"]
        )
    return _sh([*(f"printf '%s\\n' {shlex.quote(line)} >&2" for line in lines), "exit 1"])


def preamble(*, windows: bool) -> bytes:
    """Return how a script begins that is not known yet: whatever follows may follow this."""
    return b"\xef\xbb\xbf" if windows else b"#!/bin/sh\n"


def looks_like_script(body: bytes, *, windows: bool) -> bool:
    """Return whether a body may be an installer: no web page, no archive, no JSON."""
    if b"\0" in body:
        return False
    if windows:
        return bool(body.strip()) and not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(
            (b"<!", b"<h", b"{")
        )
    return body.startswith(b"#!")


def _sh(lines: Sequence[str]) -> bytes:
    # A path may hold any bytes but NUL: they have to come out as they went in.
    return os.fsencode("\n".join(["#!/bin/sh", *lines, ""]))


def _powershell(lines: Sequence[str]) -> bytes:
    # Windows PowerShell takes a file without a byte order mark for the local code page.
    return "\r\n".join([*lines, ""]).encode("utf-8-sig")


def _quote_powershell(text: str) -> str:
    # PowerShell takes typographic quotes for the same as the plain one.
    return "'" + re.sub("(['\u2018-\u201b])", r"\1\1", text) + "'"
