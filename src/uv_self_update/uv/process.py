"""The `uv self update` process: start it, hand signals on to it, wait for it."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
from typing import IO, TYPE_CHECKING, Any, Self

from uv_self_update.background import Background
from uv_self_update.errors import UvNotRunnable
from uv_self_update.files import strerror
from uv_self_update.uv.executable import current_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import FrameType


_POLL = 0.1  # seconds until a signal is handled, at most
_GRACE = 5.0  # seconds for uv to end after a signal


class SignalReceived(BaseException):
    """A signal to end came before uv was started.

    Its notes (PEP 678) say what was changed.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def __str__(self) -> str:
        return "; ".join(getattr(self, "__notes__", ()))


class Signals:
    """Handlers of the signals that end a process: they let uv end first.

    A terminal sends Ctrl-C to both, but `kill` and a supervisor only to this process, so every such
    signal is handed on to uv. Before uv is started, it is raised as `SignalReceived`.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._holding = False
        self._before: dict[int, Any] = {}
        self._lives: int | None = None

    def __enter__(self) -> Self:
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
            # An ignored signal stays ignored: `nohup` ignores SIGHUP on purpose.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        """Restore the former handlers; kill a uv that still runs, since the gateway is gone."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._lives is not None:
            os.close(self._lives)

    def run(
        self,
        uv: Path,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        *,
        kept: Sequence[int] = (),
        output: IO[bytes] | None = None,
    ) -> None:
        """Start `uv self update`.

        Args:
            uv: The uv to start.
            arguments: The arguments after `self update`.
            environ: Its environment.
            kept: Open file descriptors that it inherits.
            output: Where it writes; None for our own terminal.

        Raises:
            UvNotRunnable: The system refuses to run it.
        """
        self._holding = True
        theirs = None
        if os.name == "posix":
            # uv and all processes that it starts keep the other end open until they end.
            self._lives, theirs = os.pipe()
            kept = (*kept, theirs)
        try:
            self._process = subprocess.Popen(  # noqa: S603 # the user's own uv
                [uv, "self", "update", *arguments],
                env=environ,
                pass_fds=kept,
                stdout=output,
                stderr=output,
            )
        except OSError as error:
            reason, moved = strerror(error), current_path(uv)
            if moved != uv:
                reason = f"an interrupted update renamed it to {moved.name}; rename it back"
            raise UvNotRunnable(uv, reason) from error
        finally:
            if theirs is not None:
                os.close(theirs)
        if self.received is not None:
            self._hand_on(self.received)

    def all_ended(self) -> bool:
        """Wait a moment for all processes that uv has started, and return whether they have ended.

        Always False on Windows, where no pipe tells.
        """
        if self._lives is None:
            return False
        return bool(select.select([self._lives], [], [], _GRACE)[0])

    def wait(self) -> int:
        """Wait for uv to end and return its exit code; 128 + N if signal N has ended it."""
        if self._process is None:
            raise AssertionError
        code = await_end(self._process)
        return 128 - code if code < 0 else code

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.received = self.received or number
        if not self._holding:
            raise SignalReceived(number)
        self._hand_on(number)

    def _hand_on(self, number: int) -> None:
        if self._process is None:
            return
        # uv may be gone already, and on Windows only some signals can be sent.
        with contextlib.suppress(OSError, ValueError):
            self._process.send_signal(number)
        timer = threading.Timer(_GRACE, self._process.kill)
        timer.daemon = True
        timer.start()


def await_end(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process to end while signals are handled; return its exit code.

    The system may hand a signal to any thread, but Python runs its handler in the main thread only,
    and not during a wait without a timeout.
    """
    waiting = Background(process.wait)
    while not waiting.wait(_POLL):
        pass
    return waiting.result()


def end_like(number: int) -> int:
    """End this process by a signal, so that a shell sees the reason.

    Returns:
        128 + the signal's number, on systems that do not end processes by signals.
    """
    if os.name == "posix":
        # SIGKILL has no handler that could be replaced.
        with contextlib.suppress(OSError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return 128 + number
