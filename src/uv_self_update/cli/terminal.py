"""Messages on stderr, prefixed and coloured as uv's own."""

from __future__ import annotations

import contextlib
import logging
import sys
from typing import TYPE_CHECKING

from uv_self_update.messages import printable
from uv_self_update.network.progress import SILENT
from uv_self_update.redaction import redact
from uv_self_update.uv.arguments import level, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from uv_self_update.cli.progress import Drawn
    from uv_self_update.errors import UvSelfUpdateError
    from uv_self_update.network.progress import Progress


_SILENT = 2
"""The number of `-q` that silences errors too."""


class Terminal:
    """Prints messages, as `--quiet`, `--verbose` and `--color` tell uv."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        self._quiet = level(arguments, "quiet")
        self._color = _wants_color(arguments, environ)
        self._drawn: Drawn | None = None
        logger = logging.getLogger("uv_self_update")
        logger.handlers = [_Notes(self)]
        logger.setLevel(logging.INFO)
        if level(arguments, "verbose"):
            handler = logging.StreamHandler()
            handler.setFormatter(_Formatter("%(levelname)s %(message)s"))
            handler.addFilter(lambda record: record.levelno < logging.INFO)
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)

    def show_progress(self, arguments: Sequence[str], environ: Mapping[str, str]) -> Progress:
        """Return what draws progress on this terminal, or ignores it, for the command's time.

        Like uv's, it is not drawn with `-q`, nor with `-v`, whose lines would go through it.
        """
        off = level(arguments, "quiet") or level(arguments, "verbose")
        if off or "--no-progress" in arguments or not (sys.stderr and sys.stderr.isatty()):
            return SILENT
        from uv_self_update.cli import progress  # noqa: PLC0415 # only a terminal needs it

        if progress.wanted(environ):
            self._drawn = progress.drawn(sys.stderr, color=self._color)
        return self._drawn or SILENT

    def close(self) -> None:
        """Erase the progress, and draw no more of it."""
        if self._drawn is not None:
            self._drawn.close()

    def error(self, error: UvSelfUpdateError) -> None:
        """Print an error and its hint; like uv's, the error is printed with `-q`, but not `-qq`."""
        if self._quiet < _SILENT:
            self._say("error", "red", str(error))
        if error.hint:
            self.hint(error.hint)

    def hint(self, text: str) -> None:
        """Print advice."""
        if not self._quiet:
            self._say("hint", "cyan", text)

    def warning(self, text: str) -> None:
        """Print a warning: something unexpected that is not a failure."""
        if not self._quiet:
            self._say("warning", "yellow", text)

    def info(self, text: str) -> None:
        """Print a note: something expected that may surprise."""
        if not self._quiet:
            self._say("info", "cyan", text)

    def _say(self, prefix: str, color: str, text: str) -> None:
        colored = self._color
        if colored is None:
            colored = bool(sys.stderr and sys.stderr.isatty())
        above = contextlib.nullcontext() if self._drawn is None else self._drawn.interrupted()
        # The terminal may be closed.
        with above, contextlib.suppress(OSError):
            if not colored and sys.stderr:  # closed, Python has none
                print(f"{prefix}: {text}", file=sys.stderr, flush=True)  # noqa: T201 # its task
                return
            import click  # noqa: PLC0415 # slow, and for a terminal only

            styled = click.style(prefix, fg=color, bold=True) + click.style(":", bold=True)
            click.echo(f"{styled} {text}", err=True, color=self._color)


class _Notes(logging.Handler):
    """Prints warnings and notes, each once: a rehearsal queries its sources twice."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.INFO)
        self._terminal = terminal
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = printable(redact(record.getMessage()))
        if text not in self._printed:
            self._printed.add(text)
            warning = record.levelno >= logging.WARNING
            (self._terminal.warning if warning else self._terminal.info)(text)


class _Formatter(logging.Formatter):
    """Redacts the secrets in URLs."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(redact(super().format(record)))


def _wants_color(arguments: Sequence[str], environ: Mapping[str, str]) -> bool | None:
    """Return whether to colour; None to decide by whether stderr is a terminal."""
    choice = value_of(arguments, "--color")
    if choice in {"always", "never"}:
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    return True if environ.get("FORCE_COLOR") else None
