"""argv, the environment, exit codes.

Most calls are updates, and the sooner uv starts the better. So click, which is slow to import, is
for the other commands only: they are in `commands`.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.cli.encoding import lose_nothing
from uv_self_update.cli.invocation import Invocation
from uv_self_update.cli.options import (
    COMMANDS,
    COMPLETION_VARIABLE,
    FLAGS,
    INSECURE_HOST,
    OPTIONS,
    SYSTEM_CERTS,
    UPDATE_FLAGS,
    WITH_JSON,
)
from uv_self_update.cli.terminal import Terminal
from uv_self_update.config.installers import INSTALLERS
from uv_self_update.config.settings import Options
from uv_self_update.errors import UsageError, UvNotFound, as_failure
from uv_self_update.messages import listed, shown
from uv_self_update.redaction import Secret
from uv_self_update.uv.arguments import (
    ABOUT_US,
    arrange,
    level,
    misspelled,
    take,
    value_of,
    values_of,
)
from uv_self_update.uv.executable import find_uv, knows_option
from uv_self_update.uv.process import SignalReceived, end_like

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.config.installers import InstallerChoice
    from uv_self_update.network.progress import Progress


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    lose_nothing()
    # What follows `--` belongs to another program.
    own = [*takewhile(lambda word: word != "--", arguments)]
    terminal = Terminal(own, os.environ)
    progress = terminal.show_progress(own, os.environ)
    try:
        with closing(terminal):
            return _run(arguments, terminal, progress)
    except SignalReceived as error:
        if left := str(error):
            terminal.info(f"interrupted: {left}")
        return end_like(error.number)
    except KeyboardInterrupt:
        return end_like(signal.SIGINT)
    except Exception as error:  # noqa: BLE001 # its text may contain credentials
        return reported(error, arguments, terminal)


def reported(error: Exception, arguments: Sequence[str], terminal: Terminal) -> int:
    """Report an error, with `--json` as JSON too, and return the exit code."""
    failure = as_failure(error)
    terminal.error(failure)
    if _wants_json(arguments):
        # If stdout is closed, the exit code is enough.
        with contextlib.suppress(OSError):
            print(failure.as_json(), flush=True)  # noqa: T201 # its output
    return failure.exit_code


def _wants_json(arguments: Sequence[str]) -> bool:
    """Return whether a command that has `--json` was given it, even with invalid arguments."""
    words = list(takewhile(lambda word: word != "--", arguments))
    able = any(word in words for word in ("--check", *WITH_JSON))
    return able and "--json" in words and not level(words, "quiet")


def _run(arguments: Sequence[str], terminal: Terminal, progress: Progress) -> int:
    if instruction := os.environ.get(COMPLETION_VARIABLE):
        from uv_self_update.cli.completion import complete  # noqa: PLC0415 # only for a shell

        return complete(instruction)
    try:
        values, flags, others = take(arguments, OPTIONS, flags=FLAGS)
        words = arrange(others, COMMANDS, default="update")
    except UsageError:
        # The unknown command may be the value of a mistyped option.
        _refuse_misspelled(arguments, os.environ.get("UV_SELF_UPDATE_UV"))
        raise
    # What follows `--` belongs to another program.
    rest = words[: words.index("--")] if "--" in words else words
    invocation = Invocation(
        options=Options(
            sources=tuple(values["--source"]),
            installer=_installer(values["--installer"]),
            adopt="--adopt" in flags,
            config=Path(values["--config"][-1]) if values["--config"] else None,
            token=Secret(token) if (token := value_of(rest, "--token")) else None,
            system_certs=not SYSTEM_CERTS.isdisjoint(rest),
            insecure_hosts=tuple(" ".join(values_of(rest, *INSECURE_HOST)).split()),
        ),
        environ=dict(os.environ),
        quiet=level(rest, "quiet"),
        verbose=level(rest, "verbose"),
        progress=progress,
        terminal=terminal,
        named_uv=next(reversed(values["--uv"]), None) or os.environ.get("UV_SELF_UPDATE_UV"),
    )
    if rest[:1] == ["update"] and ABOUT_US.isdisjoint(rest):
        _refuse_misspelled(arguments, invocation.named_uv)
        from uv_self_update.cli.update import update  # noqa: PLC0415 # only for this command

        return update(words[1:], invocation)
    if words[:2] == ["exec", "--"] and words[2:]:
        from uv_self_update.cli.wrapped import run_wrapped  # noqa: PLC0415 # only for this command

        return run_wrapped(invocation, (), words[2:])
    from uv_self_update.cli import commands  # noqa: PLC0415 # click is slow to import

    return commands.run(
        [word for word in rest if word != "update"] + words[len(rest) :], invocation
    )


def _refuse_misspelled(arguments: Sequence[str], named_uv: str | None) -> None:
    """Refuse a misspelled option of ours, unless uv has an option of that name.

    Raises:
        UsageError: An option is misspelled.
    """
    for option, meant in misspelled(arguments, (*OPTIONS, *FLAGS, *UPDATE_FLAGS), OPTIONS):
        try:
            uv = find_uv(named_uv, os.environ, windows=os.name == "nt")
            # Without a leading hyphen, it is a version to uv.
            if option.startswith("-") and knows_option(uv, option, os.environ):
                continue
        except UvNotFound:
            pass
        message = f"unexpected argument `{shown(option)}` found"
        raise UsageError(message, hint=f"Did you mean `{meant}`?")


def _installer(values: Sequence[str]) -> InstallerChoice | None:
    for choice in INSTALLERS:
        if values[-1:] == [choice]:
            return choice
    if values:
        message = (
            f"invalid value `{shown(values[-1])}` for `--installer`: expected {listed(INSTALLERS)}"
        )
        raise UsageError(message)
    return None
