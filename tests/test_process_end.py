"""The process ends at once, and loses nothing by that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """\
import atexit, sys, threading, time
from uv_self_update import __main__
from uv_self_update.cli import main as cli

class Object:
    def __del__(self):
        sys.stderr.write("taken apart\\n")

kept = Object()
kept.itself = kept
{setup}
def run():
    print("written")
    atexit.register(sys.stderr.write, "at exit\\n")
    return 7

cli.main = run
sys.exit(__main__.main())
"""


def ended(setup: str = "", *options: str, stdout: int = subprocess.PIPE) -> tuple[int, str, str]:
    """Run the program; return its exit code, and what it has written."""
    done = subprocess.run(
        [sys.executable, *options, "-c", PROGRAM.format(setup=setup)],
        env={},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


def test_nothing_is_taken_apart() -> None:
    """The output is written, functions of `atexit` are called once, and that is all."""
    assert ended() == (7, "written\n", "at exit\n")


def test_threads_that_matter_are_awaited() -> None:
    """A daemon is not waited for, and every other thread is."""
    write = 'time.sleep(0.2), sys.stderr.write("thread\\n")'
    begin = f"threading.Thread(target=lambda: ({write}), daemon={{}}).start()"

    assert ended(begin.format("True")) == (7, "written\n", "at exit\n")
    code, _, said = ended(begin.format("False"))
    assert (code, said.splitlines()[:2]) == (7, ["thread", "at exit"])


@pytest.mark.parametrize(
    ("setup", "options"),
    [
        ("sys.setprofile(lambda *_: None)", ()),
        ("sys.settrace(lambda *_: None)", ()),
        ("", ("-i",)),
        ("", ("-X", "dev")),
    ],
)
def test_watched_process_ends_as_usual(setup: str, options: tuple[str, ...]) -> None:
    """A debugger, a profiler and the checks of development see the end."""
    code, out, said = ended(setup, *options)

    assert (code in {0, 7}, out) == (True, "written\n")
    assert said.count("at exit") == 1


def test_output_that_cannot_be_flushed_is_reported() -> None:
    """A full disk has Python's own exit code, whatever the command's."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        code, _, said = ended(stdout=full.fileno())

    assert code == 120
    assert "No space left on device" in said
