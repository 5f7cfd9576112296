"""A command that runs beside a test, with every process that it has started."""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from support.homes import Home
    from support.web import Asked

T = TypeVar("T")

SOON = 20  # seconds for whatever is waited for
_BASE = b"UV_INSTALLER_GHE_BASE_URL="


class Stuck:
    """A page that does not come until it is let go."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._asked = threading.Event()
        self._released = threading.Event()

    def __call__(self, _asked: Asked) -> Page:
        """Wait, and answer."""
        self._asked.set()
        self._released.wait()
        return self._page

    def wait(self) -> None:
        """Wait until somebody asks for the page."""
        assert self._asked.wait(SOON), "nobody has asked for it"

    def release(self) -> None:
        """Let the page go."""
        self._released.set()


class Trickle:
    """A page whose first bytes come at once, and the rest never."""

    def __init__(
        self, pipe: Path, start: bytes, length: int, headers: Mapping[str, str] | None = None
    ) -> None:
        """Make a named pipe, which the web server reads the body from."""
        os.mkfifo(pipe)
        # Open for reading as well: so the opening does not wait for the other end.
        self._pipe = os.open(pipe, os.O_RDWR)
        self._page = Page(body=pipe, length=length, headers=headers or {})
        self._start = start
        self._asked = threading.Event()
        self._sent = threading.Event()

    def __call__(self, _asked: Asked) -> Page:
        """Answer."""
        if not self._asked.is_set():
            self._asked.set()
            threading.Thread(target=self._write, daemon=True).start()
        return self._page

    def wait(self) -> None:
        """Wait until the first bytes are on their way."""
        assert self._sent.wait(SOON), "nobody has fetched it"

    def release(self) -> None:
        """End the body."""
        os.close(self._pipe)

    def _write(self) -> None:
        rest = self._start
        with suppress(OSError):
            while rest:
                rest = rest[os.write(self._pipe, rest) :]
        self._sent.set()


class Running:
    """`uv-self-update` on a terminal of its own, as the shell's foreground job."""

    def __init__(
        self,
        home: Home,
        *arguments: str,
        before: Sequence[str] = (),
    ) -> None:
        self._home = home
        # A uv that is killed leaves a folder among the temporary files, as it does without us.
        temporary = home.path.parent / "temporary"
        temporary.mkdir()
        self._terminal, other_end = pty.openpty()
        # The tests themselves may run in the background, where a shell has Ctrl-C ignored.
        command = ["env", "--default-signal", *before]
        command += [sys.executable, "-m", "uv_self_update", *arguments]
        # Its session has the terminal for its own, so Ctrl-C and a hang-up reach all of it.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],  # noqa: S607 # of util-linux, wherever that is
            bufsize=0,
            env=home.full_environ({"TMPDIR": str(temporary)}),
            cwd=home.path,
            stdin=other_end,
            stdout=subprocess.PIPE,
            stderr=other_end,
        )
        os.close(other_end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End whatever is left of it."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.close_terminal()

    def read_line(self) -> str:
        """Return the next line that is printed; empty at the end."""
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], SOON)[0], "nothing is printed"
        return self.process.stdout.readline().decode().strip()

    def shown(self) -> str:
        """Return what stands on the terminal, once the command has ended."""
        text = b""
        with suppress(OSError):  # the other end is closed
            while piece := os.read(self._terminal, 1 << 16):
                text += piece
        return text.decode().replace("\r\n", "\n")

    def type(self, text: bytes) -> None:
        """Type on the terminal."""
        os.write(self._terminal, text)

    def close_terminal(self) -> None:
        """Close the terminal's window."""
        if self._terminal >= 0:
            os.close(self._terminal)
            self._terminal = -1

    def others(self) -> dict[int, str]:
        """Return every other process of the home: number -> name."""
        found = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal() and int(folder.name) != self.process.pid:
                with suppress(OSError):
                    if (
                        os.fsencode(f"HOME={self._home.path}\0")
                        in (folder / "environ").read_bytes()
                    ):
                        found[int(folder.name)] = (folder / "comm").read_text().strip()
        return found

    def gateway(self) -> tuple[str, int] | None:
        """Return where the gateway listens; None if there is none yet."""
        for number in self.others():
            with suppress(OSError):
                for entry in Path(f"/proc/{number}/environ").read_bytes().split(b"\0"):
                    if entry.startswith(_BASE):
                        url = urlsplit(os.fsdecode(entry.removeprefix(_BASE)))
                        return str(url.hostname), int(url.port or 0)
        return None

    def wait(self, seconds: float = SOON) -> int:
        """Wait for the end; return the code, negative for a signal."""
        return self.process.wait(seconds)


def until(condition: Callable[[], T | None]) -> T:
    """Wait for something that nobody announces; return what the condition then returns."""
    deadline = time.monotonic() + SOON
    while not (found := condition()):
        assert time.monotonic() < deadline, "it has not come to that"
        time.sleep(0.005)
    return found


def ended(number: int) -> bool:
    """Wait for a process that is no child of ours to end, and return whether it has."""
    try:
        descriptor = os.pidfd_open(number)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(SOON * 1000))
    finally:
        os.close(descriptor)


def refuses(address: tuple[str, int]) -> bool:
    """Return whether nobody listens at an address."""
    try:
        socket.create_connection(address, timeout=SOON).close()
    except ConnectionRefusedError:
        return True
    return False
