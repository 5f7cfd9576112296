"""A command in a process of its own that measures it: wall clock, CPU, memory, processes.

`python measured.py OUTPUT COMMAND...` runs a command, and writes what it took as JSON. It is a
small process of its own because the peak of a child begins with the memory of its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TIMEOUT = 300  # seconds for one command
_POLL = 10  # milliseconds between two looks at the memory
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER: orphans become our children, and are counted


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What one run took."""

    code: int
    output: str
    wall: float
    """Seconds until the command has ended."""

    cpu: float
    """Seconds of user and system time, of every process of the run."""

    peak: int
    """Bytes of the command's own process."""

    largest: int
    """Bytes of the largest process of the run."""


def measured(
    command: Sequence[str], environ: Mapping[str, str], *, directory: Path | None = None
) -> Measured:
    """Run a command, and return what it took."""
    with tempfile.TemporaryDirectory() as place:
        written = Path(place, "measured")
        command = [sys.executable, "-SE", __file__, str(written), *command]
        output = _run(command, environ, directory)
        return Measured(output=output, **json.loads(written.read_text()))


def processes(
    command: Sequence[str], environ: Mapping[str, str], *, directory: Path | None = None
) -> list[str]:
    """Run a command under strace, and return the programs of its processes.

    A process that runs several programs has the name of the last one; one that only forks has `-`.
    """
    with tempfile.TemporaryDirectory() as place:
        strace = ["strace", "-ff", "-qq", "-o", f"{place}/trace", "-e", "signal=none"]
        strace += ["-e", "trace=execve,clone,clone3,fork,vfork"]
        _run([*strace, *command], environ, directory)
        texts = {path.suffix[1:]: path.read_text() for path in Path(place).iterdir()}
    created = re.compile(r"^(?:clone3?|v?fork)\((?!.*CLONE_THREAD).* = (\d+)$", re.MULTILINE)
    children = {number for text in texts.values() for number in created.findall(text)}
    every = {number for text in texts.values() for number in _CREATED.findall(text)}
    children |= texts.keys() - every  # the first one
    return sorted(
        Path(([*_EXECUTED.findall(texts.get(number, ""))] or ["-"])[-1]).name for number in children
    )


def _run(command: Sequence[str], environ: Mapping[str, str], directory: Path | None) -> str:
    """Run a command, and return what it prints; all its processes end with a timeout."""
    with subprocess.Popen(
        command,
        env=environ,
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            return process.communicate(timeout=_TIMEOUT)[0]
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise


_CREATED = re.compile(r"^(?:clone3?|v?fork)\(.* = (\d+)$", re.MULTILINE)
_EXECUTED = re.compile(r'^execve\("([^"]+)".* = 0$', re.MULTILINE)


def exit_when_terminated() -> None:
    """Let SIGTERM, which `timeout` sends, leave no process and no directory behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def selected(names: Sequence[str], only: Sequence[str] | None) -> list[str]:
    """Return the names that hold one of the texts of `--only`, or all without it.

    Raises:
        SystemExit: A text is in none.
    """
    for text in only or ():
        if not any(text in name for name in names):
            listed = "\n  ".join(names)
            message = f"no row has `{text}` in its name:\n  {listed}"
            raise SystemExit(message)
    return [name for name in names if not only or any(text in name for text in only)]


def machine() -> str:
    """Describe the machine."""
    text = Path("/proc/cpuinfo").read_text()
    models = [line.partition(": ")[2] for line in text.splitlines() if "model name" in line]
    return (
        f"Linux, {os.cpu_count()} cores ({models[0] if models else platform.machine()}), "
        f"Python {platform.python_version()}"
    )


def main(output: str, *command: str) -> None:
    """Run the command, and write what it took."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    begin = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)  # given by measured
    status = Path(f"/proc/{process}/status")
    peak = 0
    poll = select.poll()
    poll.register(os.pidfd_open(process), select.POLLIN)
    while not poll.poll(_POLL):
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        peak = int(found[1]) if found else peak
    wall = time.perf_counter() - begin
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = {
        "code": code,
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": peak << 10,
        "largest": used.ru_maxrss << 10,
    }
    Path(output).write_text(json.dumps(took))


if __name__ == "__main__":
    main(*sys.argv[1:])
