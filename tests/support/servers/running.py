"""A server's process: found, started on a port of its own, awaited, and ended by its id."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from support.missing import missing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

HOST = "127.0.0.1"

_START = 30  # seconds until a server listens: some import much, and tests run side by side
_STOP = 10  # seconds until it is gone
_POLL = 0.01  # seconds between two attempts to connect
_PATH = os.pathsep.join(["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/bin"])
_SHOWN = 4000  # characters of what a server that fails has written


def program(name: str) -> str:
    """Return the path of a server that the system has; without it, the test is skipped."""
    found = shutil.which(name, path=_PATH)
    return found or missing(f"{name} is not installed")


def script(name: str) -> str:
    """Return the path of a server that is a Python package, beside the Python that runs this."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    return found or missing(f"{name} is not installed: it is in the group `servers`")


@contextmanager
def free_port() -> Iterator[int]:
    """Keep a port of loopback that nobody else is given in the meantime.

    The port is bound, but nobody listens: so the kernel gives it to nobody who asks for any port,
    while a server that asks for just this one gets it, since all of them allow an address to be
    used again.
    """
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind((HOST, 0))
        yield int(kept.getsockname()[1])


@contextmanager
def work_folder() -> Iterator[Path]:
    """Make a folder for whatever a server writes."""
    # A server that ends may still write: what is left in the end is of no importance.
    with tempfile.TemporaryDirectory(prefix="server-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def running(
    *command: str,
    port: int,
    work: Path,
    environ: Mapping[str, str] | None = None,
    as_nobody: bool = False,
) -> Iterator[None]:
    """Run a server from the moment when it listens on a port to the end of the block.

    Args:
        command: The program, which must stay in the foreground, and its arguments.
        port: Where it listens, on 127.0.0.1.
        work: The folder to run it in, which is its home too.
        environ: What is set beside the bare minimum.
        as_nobody: Run it as a user who is not root, if root runs the tests.
    """
    full_environ = {"HOME": str(work), "LANG": "C.UTF-8", "PATH": _PATH, "TMPDIR": str(work)}
    written = work / "output.txt"
    with written.open("wb") as output:
        process = subprocess.Popen(
            [*_bound(as_nobody=as_nobody), *command],
            cwd=work,
            env={**full_environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _await(process, port, written)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _bound(*, as_nobody: bool) -> Sequence[str]:
    """Return the start of a command that ends with the tests, even if these are killed."""
    command = ["setpriv", "--pdeathsig", "TERM"]
    if as_nobody and os.geteuid() == 0:
        # Root's temporary folders are closed to others: so this nobody may read what root may.
        command += ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
        command += ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
    return [*command, "--"]


def _await(process: subprocess.Popen[bytes], port: int, written: Path) -> None:
    deadline = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((HOST, port), 1):
            return
        time.sleep(_POLL)
    state = "does not listen" if process.poll() is None else f"has ended ({process.returncode})"
    end = written.read_text(errors="replace")[-_SHOWN:]
    message = f"{process.args!r} {state}:\n{end}"
    raise AssertionError(message)
