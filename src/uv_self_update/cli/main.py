"""argv, the environment, exit codes.

An update is all that most calls want, and the shorter it takes to get to uv the better. So click,
which needs a good part of that time, is for the other commands only: they are in `commands`.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.cli.invocation import Invocation
from uv_self_update.cli.passphrase import with_passphrase
from uv_self_update.cli.terminal import Terminal
from uv_self_update.config.settings import INSTALLERS, Options
from uv_self_update.errors import Unforeseen, UsageError, UvSelfUpdateError
from uv_self_update.messages import listed, printable, shown
from uv_self_update.redaction import Secret
from uv_self_update.uv.arguments import (
    Arguments,
    arrange,
    level,
    split,
    take,
    take_flags,
    value_of,
    values_of,
    without,
)
from uv_self_update.uv.process import SignalReceived, end_like
from uv_self_update.workflow.update import Job, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uv_self_update.config.settings import InstallerChoice


_log = logging.getLogger(__name__)

COMMANDS = ("config", "exec", "fetch", "init", "rehearse", "releases", "update")
OPTIONS = ("--source", "--config", "--uv", "--installer")
"""Our own options that take a value; they can stand anywhere."""

FLAGS = ("--adopt",)
"""Those that take none."""

UPDATE_FLAGS = ("--check", "--json", "--required")
"""Those of the update; another command may have its own of that name."""

INSECURE = ("--allow-insecure-host", "--trusted-host")
"""Two names of an option of uv's, which takes blanks between hosts."""

SYSTEM_CERTS = frozenset({"--system-certs", "--native-tls"})
"""Two names of another; certificates of the operating system are trusted here in any case."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    terminal = Terminal(arguments, os.environ)
    try:
        return _run(arguments, terminal)
    except UvSelfUpdateError as error:
        terminal.error(error)
        return error.exit_code
    except SignalReceived as error:
        return end_like(error.number)
    except KeyboardInterrupt:
        return end_like(signal.SIGINT)
    except Exception as error:  # noqa: BLE001 # Python would print what may hold a login
        unforeseen = Unforeseen(error)
        _log.debug("%s", unforeseen.trace)
        terminal.error(unforeseen)
        return unforeseen.exit_code


def _run(arguments: Sequence[str], terminal: Terminal) -> int:
    ordered = arrange(arguments, own=OPTIONS, flags=FLAGS, commands=COMMANDS, default="update")
    values, flags, all_rest = take(ordered, OPTIONS, flags=FLAGS)
    # What follows `--` is another program's.
    rest = all_rest[: all_rest.index("--")] if "--" in all_rest else all_rest
    invocation = Invocation(
        options=Options(
            sources=tuple(values["--source"]),
            installer=_installer(values["--installer"]),
            adopt="--adopt" in flags,
            config=Path(values["--config"][-1]) if values["--config"] else None,
            token=Secret(token) if (token := value_of(rest, "--token")) else None,
            system_certs=not SYSTEM_CERTS.isdisjoint(rest),
            insecure_hosts=tuple(" ".join(values_of(rest, *INSECURE)).split()),
        ),
        environ=dict(os.environ),
        named_uv=next(reversed(values["--uv"]), None) or os.environ.get("UV_SELF_UPDATE_UV"),
    )
    if rest[:1] == ["update"]:
        return _update(all_rest[1:], invocation, terminal)
    from uv_self_update.cli import commands  # noqa: PLC0415 # click is slow to import

    return commands.run(all_rest, invocation)


def _installer(said: Sequence[str]) -> InstallerChoice | None:
    for choice in INSTALLERS:
        if said[-1:] == [choice]:
            return choice
    if said:
        message = f"`--installer` is `{said[-1]}`, but {listed(INSTALLERS)} is due"
        raise UsageError(message)
    return None


def _update(words: Sequence[str], invocation: Invocation, terminal: Terminal) -> int:
    flags, rest = take_flags(words, UPDATE_FLAGS)
    arguments = split(rest)
    if "--json" in flags and "--check" not in flags:
        message = "`--json` belongs to `--check`"
        raise UsageError(message, hint="`uv-self-update releases` has a `--json` as well.")
    if "--required" in flags:
        return _update_as_required(arguments, flags, invocation, terminal)
    return _check_or_do(arguments, flags, invocation, terminal)


def _check_or_do(
    arguments: Arguments,
    flags: frozenset[str],
    invocation: Invocation,
    terminal: Terminal,
    *,
    annotate: Callable[[UvSelfUpdateError], None] = lambda _: None,
) -> int:
    if "--check" in flags:
        return _check(arguments, invocation, terminal, as_json="--json" in flags)
    return _do(arguments, invocation, terminal, annotate)


def _do(
    arguments: Arguments,
    invocation: Invocation,
    terminal: Terminal,
    annotate: Callable[[UvSelfUpdateError], None],
) -> int:
    if os.name == "nt":
        from uv_self_update.uv.uvx import refuse_uvx  # noqa: PLC0415 # no obstacle elsewhere

        refuse_uvx(invocation.environ)
    job = Job(
        arguments=arguments,
        settings=with_passphrase(invocation.settings(), invocation.environ),
        uv=invocation.uv(),
        environ=invocation.environ,
    )
    outcome = run(job)
    if outcome.received is not None:
        if outcome.replaced is not None:
            terminal.info(f"interrupted: uv {outcome.replaced} is in place already")
        elif outcome.ours:
            terminal.info("interrupted: uv was left as it was")
        return end_like(outcome.received)
    if outcome.exit_code != 0:
        from uv_self_update.workflow.explanation import explain  # noqa: PLC0415 # only after a failure

        for error in explain(job, outcome):
            annotate(error)
            if error not in outcome.told:
                terminal.error(error)
            elif error.hint:
                terminal.hint(error.hint)
    if outcome.updated:
        from uv_self_update.uv.shadow import warn_if_shadowed  # noqa: PLC0415 # only after an update

        warn_if_shadowed(job.uv, job.environ)
    return outcome.exit_code


def _check(
    arguments: Arguments, invocation: Invocation, terminal: Terminal, *, as_json: bool
) -> int:
    from uv_self_update.workflow.check import check  # noqa: PLC0415 # an update needs none

    if arguments.dry_run:
        message = "`--check` and `--dry-run` exclude each other"
        raise UsageError(message, hint="`--check` changes nothing by itself.")
    verdict = check(
        with_passphrase(invocation.settings(), invocation.environ),
        uv=invocation.uv(),
        environ=invocation.environ,
        target=arguments.target,
    )
    if not level(arguments.all, "quiet"):
        print(verdict.as_json() if as_json else printable(str(verdict)))  # noqa: T201 # its output
        for remark in () if as_json else verdict.remarks:
            terminal.warning(remark)
    return verdict.exit_code


def _update_as_required(
    arguments: Arguments, flags: frozenset[str], invocation: Invocation, terminal: Terminal
) -> int:
    """Let `required-version` act as TARGET."""
    from uv_self_update.uv import required_version as required  # noqa: PLC0415 # few ask for it

    if arguments.target is not None:
        message = f"`--required` and TARGET (`{shown(arguments.target)}`) exclude each other"
        raise UsageError(message, hint="Leave out one of them.")
    options, environ = arguments.all, invocation.environ
    place = required.Place.of(options, environ, Path.cwd(), windows=os.name == "nt")
    found = required.find(place)
    # It has been read, and would make the uv refuse to run that it does not allow.
    rest = tuple(without(options, "--config-file"))
    arguments = Arguments(target=required.target(found), after=rest)
    with required.named(found):
        return _check_or_do(
            arguments,
            flags,
            invocation,
            terminal,
            annotate=lambda error: required.annotate(error, found),
        )
