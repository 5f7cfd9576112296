"""A command that `exec` runs: whether it is uv, which options of uv's it has, and its process."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from uv_self_update.errors import CommandNotRunnable
from uv_self_update.files import strerror
from uv_self_update.uv import lock
from uv_self_update.uv.arguments import value_of, values_of
from uv_self_update.uv.configuration import PYPROJECT
from uv_self_update.uv.executable import which
from uv_self_update.uv.process import SignalReceived, await_end
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import FrameType

UNSAFE_STRATEGIES = ("unsafe-best-match", "unsafe-first-match")
"""With them, uv takes the newest version that any index has, or the first that fits."""

_NAMES = ("uv", "uvx")
_RESOLVING = frozenset({"add", "export", "lock", "run", "sync", "tree"})
"""Commands that make a lock file where a project has none."""

_WITHOUT_FILES = ("--no-config", "--isolated")

_OF_A_TERMINAL = ("SIGINT", "SIGQUIT", "SIGBREAK")
_PASSED_ON = (*_OF_A_TERMINAL, "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")


@frozen
class WrappedCommand:
    """A command line."""

    words: Sequence[str] = field(repr=False)

    @property
    def is_uv(self) -> bool:
        """Whether it is uv or uvx."""
        return Path(self.words[0]).stem.lower() in _NAMES

    @property
    def options(self) -> Sequence[str]:
        """What may be uv's own options: the words before `--`.

        Those of a program that `uv run` starts are among them, unless `--` comes before it.
        """
        words = list(self.words[1:])
        return words[: words.index("--")] if "--" in words else words

    @property
    def unsafe_strategy(self) -> str | None:
        """The unsafe `--index-strategy`, if there is one."""
        chosen = value_of(self.options, "--index-strategy")
        return chosen if chosen in UNSAFE_STRATEGIES else None

    @property
    def names_index(self) -> bool:
        """Whether `--index` is there, for which uv ignores `UV_INDEX`."""
        return bool(values_of(self.options, "--index"))

    @property
    def reads_no_files(self) -> bool:
        """Whether it says which configuration uv reads."""
        words = self.options
        return any(word in _WITHOUT_FILES for word in words) or bool(
            values_of(words, "--config-file")
        )

    def directory(self, current: Path) -> Path:
        """Return where uv looks for a project."""
        named = value_of(self.options, "--directory")
        directory = current / named if named else current
        project = value_of(self.options, "--project")
        return directory / project if project else directory

    def resolves(self, current: Path) -> bool:
        """Return whether uv has to resolve: the project that it works on has no lock file."""
        directory = self.directory(current)
        return (
            self.is_uv
            and not _RESOLVING.isdisjoint(self.options)
            and any((place / PYPROJECT).is_file() for place in (directory, *directory.parents))
            and not [*lock.files(directory)]
        )

    def scripts(self, current: Path) -> list[Path]:
        """Return the Python files that are named: each may have a lock file of its own."""
        return [self.directory(current) / word for word in self.options if word.endswith(".py")]


class Child:
    r"""Any command on our own terminal, which gets every signal that this process gets.

    A terminal sends its signals (Ctrl-C, Ctrl-\\) to the whole foreground process group, so the
    command has them already, and they are not sent again: a second Ctrl-C would end what cleans up
    after the first. `kill` and a supervisor name only this process, so their signals are passed on.
    Nothing is killed after a delay: how long the command takes to end is its own affair.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = False
        self._early: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Handle signals; one that comes before the command is started raises SignalReceived."""
        for number in _numbers(_PASSED_ON):
            # What is ignored stays so: `nohup` ignores SIGHUP on purpose.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *exception: object) -> None:
        """Put the former handlers back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> int:
        """Run the command, found on the PATH of its environment.

        Args:
            command: The program and its arguments.
            environ: Its environment.
            meanwhile: What is begun as soon as it was started; it returns at once.

        Returns:
            Its exit code; -N if signal N has ended it.

        Raises:
            CommandNotRunnable: The system does not find it, or refuses to run it.
        """
        program = _find(command[0], environ)
        self._starting = True
        try:
            self._process = subprocess.Popen(  # noqa: S603 # the user's own command
                [program, *command[1:]], env=environ
            )
        except OSError as error:
            raise CommandNotRunnable(command[0], strerror(error)) from error
        for number in self._early:
            self._pass_on(number)
        meanwhile()
        return await_end(self._process)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if not self._starting:
            raise SignalReceived(number)
        if self._process is None:
            self._early.append(number)
        elif number not in _numbers(_OF_A_TERMINAL) or not _in_foreground():
            self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        if self._process is None:
            return
        # The command may have ended already, and on Windows only some signals can be sent.
        with contextlib.suppress(OSError, ValueError):
            self._process.send_signal(number)


def _find(name: str, environ: Mapping[str, str]) -> str | Path:
    """Return the path of a command; on POSIX its name, if the system is to tell why it has none.

    Raises:
        CommandNotRunnable: Windows has no such program.
    """
    if os.name != "nt":
        return shutil.which(name, path=environ.get("PATH", os.defpath)) or name
    # `shutil.which` and Windows itself would look in the current directory first.
    found = which(name, environ, windows=True)
    if found is None:
        raise CommandNotRunnable(name, "no such program on PATH")
    return found


def _numbers(names: Sequence[str]) -> list[int]:
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _in_foreground() -> bool:
    """Return whether a terminal sends its signals to our process group, and so to the command."""
    ours = True  # a console of Windows sends them to every process that is attached to it
    if sys.platform != "win32":
        ours = False
        with contextlib.suppress(OSError), Path("/dev/tty").open("rb", buffering=0) as terminal:
            ours = os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    return ours
