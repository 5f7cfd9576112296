"""`uv-self-update [TARGET]`, also with `--check` or `--required`, without click."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.cli.options import UPDATE_FLAGS
from uv_self_update.errors import UsageError
from uv_self_update.messages import printable, shown
from uv_self_update.uv.arguments import Arguments, level, split, take_flags, without
from uv_self_update.uv.process import end_like

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.errors import UvSelfUpdateError


def update(words: Sequence[str], invocation: Invocation) -> int:
    """Update uv, or check for an update, and return the exit code.

    Raises:
        UsageError: The options contradict each other.
        UvSelfUpdateError: The update or the check failed before uv was started.
    """
    flags, rest = take_flags(words, UPDATE_FLAGS)
    arguments = split(rest)
    if "--json" in flags and "--check" not in flags:
        message = "`--json` requires `--check`"
        raise UsageError(message, hint="`uv-self-update releases` has a `--json` as well.")
    if "--required" in flags:
        return _update_as_required(arguments, flags, invocation)
    return _check_or_update(arguments, flags, invocation)


def _check_or_update(
    arguments: Arguments,
    flags: frozenset[str],
    invocation: Invocation,
    *,
    annotate: Callable[[UvSelfUpdateError], None] = lambda _: None,
) -> int:
    if "--check" in flags:
        return _check(arguments, invocation, as_json="--json" in flags)
    return _update(arguments, invocation, annotate)


def _check(arguments: Arguments, invocation: Invocation, *, as_json: bool) -> int:
    """Print whether an update is available, and return the exit code."""
    from uv_self_update.workflow.check import check  # noqa: PLC0415 # an update needs none

    if arguments.dry_run:
        message = "`--check` cannot be used with `--dry-run`"
        raise UsageError(message, hint="`--check` never changes anything.")
    settings = invocation.unlocked_settings()
    with invocation.progress.task("Checking for updates"):
        verdict = check(settings, invocation.installation(), target=arguments.target)
    if not level(arguments.all, "quiet"):
        print(verdict.as_json() if as_json else printable(str(verdict)))  # noqa: T201 # its output
        for remark in () if as_json else verdict.remarks:
            invocation.terminal.warning(remark)
    return verdict.exit_code


def _update(
    arguments: Arguments, invocation: Invocation, annotate: Callable[[UvSelfUpdateError], None]
) -> int:
    if os.name == "nt":
        from uv_self_update.uv.uvx import refuse_uvx  # noqa: PLC0415 # for Windows only

        refuse_uvx(invocation.environ)
    from uv_self_update.workflow.update import run  # noqa: PLC0415 # a check needs none
    from uv_self_update.workflow.update_job import Job  # noqa: PLC0415 # as above

    job = Job(
        arguments=arguments,
        settings=invocation.unlocked_settings(),
        installation=invocation.installation(),
        progress=invocation.progress,
    )
    outcome, terminal = run(job), invocation.terminal
    if outcome.received is not None:
        if outcome.replaced is not None:
            terminal.info(f"interrupted: uv {outcome.replaced} is already installed")
        elif outcome.ours:
            terminal.info("interrupted: uv was not changed")
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
        from uv_self_update.uv.executable import warn_if_shadowed  # noqa: PLC0415 # only after an update

        warn_if_shadowed(job.installation)
    return outcome.exit_code


def _update_as_required(arguments: Arguments, flags: frozenset[str], invocation: Invocation) -> int:
    """Update to the `required-version` of uv's own configuration."""
    from uv_self_update.uv import required_version as required  # noqa: PLC0415 # rarely used

    if arguments.target is not None:
        message = f"`--required` cannot be used with a version (`{shown(arguments.target)}`)"
        raise UsageError(message, hint="Remove one of them.")
    options, environ = arguments.all, invocation.environ
    place = required.Place.of(options, environ, Path.cwd(), windows=os.name == "nt")
    found = required.find(place)
    # The file has been read. With it, a uv of another version would refuse to run.
    rest = tuple(without(options, "--config-file"))
    arguments = Arguments(target=required.target(found), after=rest)
    with required.named(found):
        return _check_or_update(
            arguments,
            flags,
            invocation,
            annotate=lambda error: required.annotate(error, found),
        )
