"""A command on a pseudo-terminal of a given width."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from support.screens import screen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.homes import Home

_SOON = 20  # seconds for whatever is waited for
_ROWS = 50


class Terminal:
    """`uv-self-update` on a terminal of its own, which a test reads."""

    def __init__(
        self, home: Home, *arguments: str, columns: int, environ: Mapping[str, str] | None = None
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
        settings = {"TERM": "xterm-256color", "UV_NO_PROGRESS": "false", **(environ or {})}
        self.text = ""
        """All that was written, with its escape sequences."""

        self.process = subprocess.Popen(
            [sys.executable, "-m", "uv_self_update", *arguments],
            env=home.full_environ(settings),
            cwd=home.path,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End whatever is left of the command."""
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def until(self, condition: Callable[[str], object]) -> str:
        """Read until the screen is as expected, and return it."""
        deadline = time.monotonic() + _SOON
        while not condition(shown := screen(self.text)):
            assert time.monotonic() < deadline, self.text
            self._read(0.1)
        return shown

    def wait(self) -> int:
        """Read to the end, and return the exit code."""
        deadline = time.monotonic() + _SOON
        while self._read(0.1):
            assert time.monotonic() < deadline, self.text
        return self.process.wait(_SOON)

    def _read(self, seconds: float) -> bool:
        """Read what comes; return False once the other end is closed."""
        if not select.select([self._ours], [], [], seconds)[0]:
            return True
        piece = b""
        with suppress(OSError):  # the other end is closed
            piece = os.read(self._ours, 1 << 16)
        self.text += piece.decode(errors="replace")
        return bool(piece)
