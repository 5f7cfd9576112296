"""What a person reads on stderr: prefixed and coloured as uv's own messages are."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from uv_self_update.messages import printable
from uv_self_update.redaction import redact
from uv_self_update.uv.arguments import level, value_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from uv_self_update.errors import UvSelfUpdateError


_SILENT = 2
"""How often `-q` has to be given for not a word."""


class Terminal:
    """Prints messages, as loudly and as colourfully as uv was told to."""

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str]) -> None:
        """Read `--quiet`, `--verbose` and `--color` as uv reads them.

        Args:
            arguments: The whole command line.
            environ: The user's environment.
        """
        self._quiet = level(arguments, "quiet")
        self._color = _wants_color(arguments, environ)
        logger = logging.getLogger("uv_self_update")
        logger.handlers = [_Notes(self)]
        logger.setLevel(logging.INFO)
        if level(arguments, "verbose"):
            handler = logging.StreamHandler()
            handler.setFormatter(_Formatter("%(levelname)s %(message)s"))
            handler.addFilter(lambda record: record.levelno < logging.INFO)
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)

    def error(self, error: UvSelfUpdateError) -> None:
        """Say what went wrong, and what to try.

        uv says the former with `-q` as well, so it is kept, and only `-qq` ends it.
        """
        if self._quiet < _SILENT:
            self._say("error", "red", str(error))
        if error.hint:
            self.hint(error.hint)

    def hint(self, text: str) -> None:
        """Give advice."""
        if not self._quiet:
            self._say("hint", "cyan", text)

    def warning(self, text: str) -> None:
        """Say what a person should know, though it is no failure."""
        if not self._quiet:
            self._say("warning", "yellow", text)

    def info(self, text: str) -> None:
        """Say what is as it should be, and yet may surprise."""
        if not self._quiet:
            self._say("info", "blue", text)

    def _say(self, prefix: str, color: str, text: str) -> None:
        import click  # noqa: PLC0415 # slow, and most updates have nothing to add to uv's words

        styled = click.style(prefix, fg=color, bold=True) + click.style(":", bold=True)
        # Where the terminal is gone, so is whoever would read this.
        with contextlib.suppress(OSError):
            click.echo(f"{styled} {text}", err=True, color=self._color)


class _Notes(logging.Handler):
    """Hands on what is logged for a person, each once: a rehearsal asks its sources twice."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.INFO)
        self._terminal = terminal
        self._said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        text = printable(redact(record.getMessage()))
        if text not in self._said:
            self._said.add(text)
            warning = record.levelno >= logging.WARNING
            (self._terminal.warning if warning else self._terminal.info)(text)


class _Formatter(logging.Formatter):
    """Writes no secret that stands in a URL, wherever the message got it from."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(redact(super().format(record)))


def _wants_color(arguments: Sequence[str], environ: Mapping[str, str]) -> bool | None:
    """Return whether to colour; None if that depends on what stderr is."""
    choice = value_of(arguments, "--color")
    if choice in {"always", "never"}:
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    return True if environ.get("FORCE_COLOR") else None
