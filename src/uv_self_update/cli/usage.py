"""click's words about a command line, in uv's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from uv_self_update.cli.options import DISPLAY, FLAGS, OPTIONS, UPDATE_FLAGS
from uv_self_update.errors import UsageError
from uv_self_update.messages import shown
from uv_self_update.suggestions import closest_option

if TYPE_CHECKING:
    from collections.abc import Sequence


def usage_error(error: click.ClickException, arguments: Sequence[str]) -> UsageError:
    """Return an error of ours that says the same, with the help to read."""
    message = _message(error)
    # click repeats the arguments, which may be URLs with credentials.
    for word in sorted(arguments, key=len, reverse=True):
        message = message.replace(word, shown(word))
    return UsageError(message, hint=_advice(error, arguments))


def _message(error: click.ClickException) -> str:
    text = error.format_message()
    if isinstance(error, click.NoSuchOption):
        return f"unexpected argument `{error.option_name}` found"
    if isinstance(error, click.exceptions.NoSuchCommand):
        return f"unrecognized subcommand `{error.command_name}`"
    if isinstance(error, click.MissingParameter) and error.param is not None:
        name = error.param.make_metavar(error.ctx or click.Context(click.Command(None)))
        return f"the required argument `{name}` was not provided"
    if isinstance(error, click.BadParameter) and error.param is not None:
        name = max(error.param.opts, key=len)
        reason = error.message.rstrip(".").replace("'", "`")
        return f"invalid value for `{name}`: {reason}"
    if isinstance(error, click.BadOptionUsage):
        if "requires" in text:
            return f"a value is required for `{error.option_name}` but none was supplied"
        return f"unexpected value for `{error.option_name}` found: it takes none"
    if extra := re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", text):
        return f"unexpected argument `{extra[1]}` found"
    return text[:1].lower() + text[1:].rstrip(".")


def _advice(error: click.ClickException, arguments: Sequence[str]) -> str:
    """Suggest what was meant, and point to the help."""
    advice, command = "", "uv-self-update"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        command = error.ctx.command_path
        if isinstance(error, click.NoSuchOption):
            own = [name for option in error.ctx.command.params for name in option.opts]
            display = (option.name for option in DISPLAY)
            known = {*OPTIONS, *FLAGS, *UPDATE_FLAGS, *own, *display}
            words = sorted(name for name in known if name.startswith("--"))
            meant = closest_option(error.option_name, words)
            advice = f"Did you mean `{meant}`? " if meant else ""
        elif isinstance(error, click.exceptions.NoSuchCommand) and error.possibilities:
            advice = f"Did you mean `{command} {error.possibilities[0]}`? "
        elif "unexpected extra argument" in error.message and "://" in " ".join(arguments):
            advice = "`--source URL` names the source to use. "
    return f"{advice}See `{command} --help`."
