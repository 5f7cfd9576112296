"""A program that a script runs, replaced by one that stops, or fails, where a test wants it to."""

from __future__ import annotations

import os
import select
import shlex
import shutil
from typing import TYPE_CHECKING

from support.processes import SOON

if TYPE_CHECKING:
    from pathlib import Path

_SCRIPT = """\
#!/bin/sh
case "$*" in
{pattern}) {action} ;;
esac
exec {real} "$@"
"""


class Halt:
    """One command of a script, which waits when it comes to it until it is let go."""

    def __init__(self, folder: Path, program: str, pattern: str, *, fails: bool = False) -> None:
        """Make the program that takes the other's place.

        Args:
            folder: A new directory for it.
            program: The name of the other.
            pattern: Which of its calls matter: a pattern of the shell for all its arguments.
            fails: Whether such a call fails at once, rather than waits.
        """
        real = shutil.which(program)
        assert real is not None, f"there is no {program}"
        folder.mkdir()
        self._folder = folder
        pipes = [folder / "reached", folder / "go-on"]
        for pipe in pipes:
            os.mkfifo(pipe)
        # Open for both, so that opening does not wait for the other end.
        self._reached, self._go_on = (os.open(pipe, os.O_RDWR) for pipe in pipes)
        reached, go_on = (shlex.quote(str(pipe)) for pipe in pipes)
        script = _SCRIPT.format(
            pattern=pattern.replace(" ", "\\ "),
            action="exit 1" if fails else f"echo >{reached}; read _ <{go_on}",
            real=shlex.quote(real),
        )
        (folder / program).write_text(script)
        (folder / program).chmod(0o755)

    def first_on(self, path: str) -> str:
        """Return a PATH on which this program comes first."""
        return os.pathsep.join([str(self._folder), path])

    def close(self) -> None:
        """Close what it is told by."""
        os.close(self._reached)
        os.close(self._go_on)

    def wait(self) -> None:
        """Wait until a call is made that matters."""
        assert select.select([self._reached], [], [], SOON)[0], "it has not come to that"
        assert os.read(self._reached, 2) == b"\n"

    def let_go(self) -> None:
        """Let it go on."""
        os.write(self._go_on, b"\n")
