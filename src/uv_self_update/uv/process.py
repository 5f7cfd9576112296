"""The `uv self update` process: which uv, in which environment, and how it ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any, Self

from uv_self_update.background import Background
from uv_self_update.errors import UvNotRunnable
from uv_self_update.uv.executable import present

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import FrameType


_ALERT = 0.2  # seconds after which a signal is seen at the latest
_GRACE = 5.0  # seconds for uv to end after a signal


class SignalReceived(BaseException):
    """This process was asked to end by a signal, and uv does not run yet."""

    def __init__(self, number: int) -> None:
        """Keep the signal's number."""
        super().__init__(number)
        self.number = number


class Signals:
    """What this process does when it is asked to end: it lets uv end first.

    A terminal sends Ctrl-C to both, but `kill` and a supervisor name only this one, so every such
    signal is handed on. Before there is a uv, it is raised as `Ended`.
    """

    def __init__(self) -> None:
        """Prepare; nothing is changed yet."""
        self.received: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._holding = False
        self._before: dict[int, Any] = {}
        self._lives: int | None = None

    def __enter__(self) -> Self:
        """Handle SIGINT, SIGTERM and SIGHUP."""
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
        for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
            # What is ignored stays so: `nohup` ignores SIGHUP on purpose.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        """Put the former handlers back; a uv that still runs has nobody to talk to, so it ends."""
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
    ) -> None:
        """Start `uv self update` with the given arguments, on our own terminal.

        Args:
            uv: The uv to start.
            arguments: What follows `self update`.
            environ: Its environment.
            kept: Open files that it inherits.

        Raises:
            UvNotRunnable: The system refuses to run it.
        """
        self._holding = True
        theirs = None
        if os.name == "posix":
            # Whatever uv starts has the other end open for as long as it lives.
            self._lives, theirs = os.pipe()
            kept = (*kept, theirs)
        try:
            self._process = subprocess.Popen(  # noqa: S603 # the user's own uv
                [uv, "self", "update", *arguments], env=environ, pass_fds=kept
            )
        except OSError as error:
            reason, moved = error.strerror or str(error), present(uv)
            if moved != uv:
                reason = f"since an update was interrupted it is called {moved.name}; rename it"
            raise UvNotRunnable(uv, reason) from error
        finally:
            if theirs is not None:
                os.close(theirs)
        if self.received is not None:
            self._hand_on(self.received)

    def all_ended(self) -> bool:
        """Return whether what uv has started has ended as well, for which some time is given.

        On Windows nobody can tell.
        """
        if self._lives is None:
            return False
        return bool(select.select([self._lives], [], [], _GRACE)[0])

    def wait(self) -> int:
        """Wait for uv to end and return its exit code; 128 + N if signal N has ended it."""
        if self._process is None:
            raise AssertionError
        # The system may hand a signal to any thread, but what handles it runs in this one, which a
        # wait without end would keep from it.
        process = Background(self._process.wait)
        while not process.wait(_ALERT):
            pass
        code = process.result()
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


def end_like(number: int) -> int:
    """End this process by a signal, so that a shell sees what has happened.

    Returns:
        128 + the signal's number, where the system does not end processes by signals.
    """
    if os.name == "posix":
        # SIGKILL has no handler that could be replaced.
        with contextlib.suppress(OSError):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return 128 + number
