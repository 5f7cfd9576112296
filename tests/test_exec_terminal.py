"""`exec` on a terminal: input, Ctrl-C, a hang-up and the exit code are those of the command."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from support.processes import Running, ended

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Home

pytestmark = pytest.mark.system

INPUT = """
import os, sys
print(sys.stdin.isatty(), sys.stderr.isatty(), os.tcgetpgrp(0) == os.getpgrp(), flush=True)
print(input(), flush=True)
sys.exit(7)
"""

COUNT = """
import signal, sys
seen = []
def note(number, frame):
    seen.append(number)
    print("seen", flush=True)
signal.signal(signal.SIGINT, note)
print("ready", flush=True)
while not seen:
    signal.pause()
sys.stdin.readline()
print(len(seen), flush=True)
sys.exit(9)
"""

DEFAULT = """
import signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
print("ready", flush=True)
while True:
    signal.pause()
"""

HANG_UP = """
import os, pathlib, signal, sys
def end(number, frame):
    pathlib.Path(sys.argv[1]).write_text("hung up")
    os._exit(6)
signal.signal(signal.SIGHUP, end)
print(os.getpid(), flush=True)
while True:
    signal.pause()
"""


def started(home: Home, program: str, *arguments: str) -> Running:
    """Run a Python program by `exec`."""
    share = home.path / "share"
    share.mkdir()
    options = ("--releases", f"directory+{share}")
    return Running(home, "exec", *options, "--", sys.executable, "-c", program, *arguments)


def test_input(home: Home) -> None:
    """The command reads the terminal, as its foreground job, and its exit code is ours."""
    with started(home, INPUT) as running:
        assert running.read_line() == "True True True"
        running.type(b"typed\n")
        assert running.read_line() == "typed"
        assert running.wait() == 7


def test_interrupt_is_handled_once(home: Home) -> None:
    """Ctrl-C reaches a command that handles it, exactly once, and is no end for us."""
    with started(home, COUNT) as running:
        assert running.read_line() == "ready"
        running.type(b"\x03")
        assert running.read_line() == "seen"
        running.type(b"\n")
        assert running.read_line() == "1"
        assert running.wait() == 9
        assert "Traceback" not in running.shown()


def test_interrupt_that_ends_the_command(home: Home) -> None:
    """A command that Ctrl-C ends lets us end by the same signal, as a shell expects."""
    with started(home, DEFAULT) as running:
        assert running.read_line() == "ready"
        running.type(b"\x03")
        assert running.wait() == -signal.SIGINT
        assert running.others() == {}


def test_hang_up(home: Home, tmp_path: Path) -> None:
    """A closed terminal reaches the command, which ends as it likes, and so do we."""
    note = tmp_path / "note"
    with started(home, HANG_UP, str(note)) as running:
        number = int(running.read_line())
        running.close_terminal()
        assert running.wait() == 6
        assert ended(number)

    assert note.read_text() == "hung up"
