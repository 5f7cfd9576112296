"""The progress line at the end of the terminal: drawn while something lasts, gone afterwards.

rich and tqdm draw better bars, but importing them takes longer than an update may add to uv's own
time. The cursor is never hidden, as in uv: what ends this process, SIGKILL included, leaves a
terminal that can be used.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from uv_self_update.cli.progress_line import State, line, task_line
from uv_self_update.messages import printable
from uv_self_update.network.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_INTERVAL = 0.1  # seconds between two drawings
_DELAY = 0.3  # seconds until a task is shown, so that short ones do not flicker
_SHOWN = 1 << 20  # bytes of the smallest download that is shown
_WINDOW = 30  # drawings over which the rate is measured
_FEWEST = 5  # drawings until it is
_COLUMNS = 80  # of a terminal that does not tell
_VIRTUAL_TERMINAL = 4  # the flag of a console of Windows


class _Download:
    """A download that is under way."""

    def __init__(self, name: str, size: int | None, kept: int) -> None:
        self._name = printable(name).replace("\n", "_")
        self._size = size
        self._kept = kept
        self.arrived = 0
        """Bytes received by this run; written by one thread, read by another."""

        self._samples: deque[tuple[float, int]] = deque(maxlen=_WINDOW)

    @property
    def shown(self) -> bool:
        """Whether it is large enough, as far as is known."""
        known = self._kept + self.arrived if self._size is None else self._size
        return known >= _SHOWN

    def sample(self, now: float) -> None:
        """Note the bytes received by now."""
        self._samples.append((now, self.arrived))

    def state(self) -> State:
        """Return what is drawn."""
        rate = None
        if len(self._samples) >= _FEWEST:
            (begun, before), (now, after) = self._samples[0], self._samples[-1]
            rate = (after - before) / (now - begun) if now > begun else None
        return State(
            name=self._name, received=self._kept + self.arrived, size=self._size, rate=rate
        )


class Drawn(Progress):
    """Draws the latest download, or else the latest task."""

    def __init__(self, terminal: TextIO, *, color: bool, escapes: bool) -> None:
        """Prepare; nothing is drawn yet.

        Args:
            terminal: Where to draw.
            color: Whether to use colours.
            escapes: Whether the terminal knows the escape sequence that erases a line.
        """
        self._terminal = terminal
        self._color = color
        self._escapes = escapes
        self._lock = threading.RLock()
        self._downloads: list[_Download] = []
        self._tasks: list[tuple[str, float]] = []
        self._held = self._closed = False
        self._drawn = ""
        self._ticking: threading.Thread | None = None

    @contextmanager
    def task(self, text: str) -> Iterator[None]:
        entry = (printable(text), time.monotonic() + _DELAY)
        with self._lock:
            self._tasks.append(entry)
            self._tick()
        try:
            yield
        finally:
            with self._lock:
                self._tasks.remove(entry)
                self._draw()

    @contextmanager
    def download(
        self, name: str, size: int | None, *, received: int = 0
    ) -> Iterator[Callable[[int], None]]:
        download = _Download(name, size, received)

        def arrived(count: int) -> None:
            download.arrived = count  # without the lock: drawing must not delay a download

        with self._lock:
            self._downloads.append(download)
            self._tick()
        try:
            yield arrived
        finally:
            with self._lock:
                self._downloads.remove(download)
                self._draw()

    def hold(self) -> None:
        with self._lock:
            self._held = True
            self._erase()

    def release(self) -> None:
        with self._lock:
            self._held = False
            self._draw()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Erase the line while something else is printed."""
        with self._lock:
            self._erase()
            yield
            self._draw()

    def close(self) -> None:
        """Erase the line, and draw no other."""
        with self._lock:
            self._closed = True
            self._erase()

    def _tick(self) -> None:
        if self._ticking is None and not self._closed:
            self._ticking = threading.Thread(target=self._run, daemon=True)
            self._ticking.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._closed or not (self._downloads or self._tasks):
                    self._ticking = None
                    return
                for download in self._downloads:
                    download.sample(time.monotonic())
                self._draw()
            time.sleep(_INTERVAL)

    def _draw(self) -> None:
        text = "" if self._held or self._closed else self._text()
        if text == self._drawn:
            return
        # In one piece, so that nothing is seen of the erased line.
        self._write(self._erasure() + text)
        self._drawn = text

    def _text(self) -> str:
        columns = self._columns()
        for download in reversed(self._downloads):
            if download.shown:
                return line(download.state(), columns, color=self._color)
        for text, after in reversed(self._tasks):
            if time.monotonic() >= after:
                return task_line(text, columns, color=self._color)
        return ""

    def _erase(self) -> None:
        self._write(self._erasure())
        self._drawn = ""

    def _erasure(self) -> str:
        if not self._drawn:
            return ""
        return "\r\x1b[K" if self._escapes else f"\r{' ' * (self._columns() - 1)}\r"

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._terminal.fileno()).columns or _COLUMNS
        except (OSError, ValueError):
            return _COLUMNS

    def _write(self, text: str) -> None:
        # The terminal may be closed.
        with contextlib.suppress(OSError, ValueError):
            if text:
                self._terminal.write(text)
                self._terminal.flush()


def wanted(environ: Mapping[str, str]) -> bool:
    """Return whether progress is shown on a terminal, as far as the environment tells."""
    return (
        not _is_set(environ, "UV_NO_PROGRESS")
        and not _is_set(environ, "CI")
        and environ.get("TERM") != "dumb"
        and (os.name == "nt" or bool(environ.get("TERM")))
    )


def drawn(terminal: TextIO, *, color: bool | None) -> Drawn:
    """Return what draws on a terminal; without a choice, in colours if that knows them."""
    escapes = _knows_escapes(terminal)
    colored = escapes if color is None else color and escapes
    return Drawn(terminal, color=colored, escapes=escapes)


def _is_set(environ: Mapping[str, str], name: str) -> bool:
    """Return whether a variable is set, and does not mean no, as uv reads its own."""
    return environ.get(name, "").strip().lower() not in {"", "0", "f", "false", "n", "no", "off"}


def _knows_escapes(terminal: TextIO) -> bool:
    """Return whether the terminal knows escape sequences; a console of Windows is told to."""
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 # for Windows only
        import msvcrt  # noqa: PLC0415 # as above

        kernel, mode = ctypes.windll.kernel32, ctypes.c_ulong()
        handle = msvcrt.get_osfhandle(terminal.fileno())
        return bool(
            kernel.GetConsoleMode(handle, ctypes.byref(mode))
            and kernel.SetConsoleMode(handle, mode.value | _VIRTUAL_TERMINAL)
        )
    else:  # noqa: RET505 # mypy would call it unreachable
        return True
