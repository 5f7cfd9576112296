"""`exec` on a terminal: input, Ctrl-C, a hang-up and the exit code are those of the command."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from support.processes import Running, ended

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.homes import Home

pytestmark = pytest.mark.system

INPUT = """
import os, sys
print(sys.stdin.isatty(), sys.stderr.isatty(), os.tcgetpgrp(0) == os.getpgrp(), flush=True)
print(input(), flush=True)
sys.exit(7)
"""

HANDLE = """
import os, signal, time
def note(number, frame):
    # It comes back by way of our parent, after whatever the parent makes of Ctrl-C.
    os.kill(os.getppid(), signal.SIGUSR1)
def end(number, frame):
    os._exit(9)
signal.signal(signal.SIGINT, note)
signal.signal(signal.SIGUSR1, end)
os.write(1, b"ready\\n")
while True:
    time.sleep(0.05)
"""

RECORD = """
import pathlib, subprocess
send = subprocess.Popen.send_signal
def recorded(process, number):
    with pathlib.Path({file!r}).open("a") as file:
        print(int(number), file=file)
    send(process, number)
subprocess.Popen.send_signal = recorded
"""
"""Notes which signals a Python sends: the system merges two of one number that are pending."""

DEFAULT = """
import signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
print("ready", flush=True)
while True:
    signal.pause()
"""

HANG_UP = """
import os, pathlib, signal, sys, time
def end(number, frame):
    pathlib.Path(sys.argv[1]).write_text("hung up")
    os._exit(6)
signal.signal(signal.SIGHUP, end)
os.write(1, b"%d\\n" % os.getpid())
while True:
    time.sleep(0.05)
"""


def started(home: Home, program: str, *arguments: str, before: Sequence[str] = ()) -> Running:
    """Run a Python program by `exec`."""
    share = home.path / "share"
    share.mkdir()
    options = ("--releases", f"directory+{share}")
    command = (sys.executable, "-c", program, *arguments)
    return Running(home, "exec", *options, "--", *command, before=before)


def test_input(home: Home) -> None:
    """The command reads the terminal, as its foreground job, and its exit code is ours."""
    with started(home, INPUT) as running:
        assert running.read_line() == "True True True"
        running.type(b"typed\n")
        assert running.read_line() == "typed"
        assert running.wait() == 7


def test_interrupt_is_not_repeated(home: Home, tmp_path: Path) -> None:
    """Ctrl-C reaches a command that handles it, is not sent to it again, and is no end for us."""
    sent = tmp_path / "sent"
    (tmp_path / "sitecustomize.py").write_text(RECORD.format(file=str(sent)))
    before = ("env", f"PYTHONPATH={tmp_path}")
    with started(home, HANDLE, before=before) as running:
        assert running.read_line() == "ready"
        running.type(b"\x03")
        assert running.wait() == 9
        assert "Traceback" not in running.shown()

    assert sent.read_text() == f"{int(signal.SIGUSR1)}\n"


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
