"""Every command but the update itself, and the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from uv_self_update import __version__
from uv_self_update.cli.help import NAMES, listed
from uv_self_update.cli.lazy import LazyCommands
from uv_self_update.cli.options import GLOBAL, UPDATE
from uv_self_update.errors import UsageError
from uv_self_update.messages import shown
from uv_self_update.suggestions import closest_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation


def run(arguments: Sequence[str], invocation: Invocation) -> int:
    """Run a command, and return the exit code.

    Raises:
        UsageError: Unknown command, or invalid arguments.
        KeyboardInterrupt: The user interrupted a prompt.
        UvSelfUpdateError: The command failed.
    """
    try:
        code = root.main(list(arguments), "uv-self-update", standalone_mode=False, obj=invocation)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        message = error.format_message()
        # click repeats the arguments, which may be URLs with credentials.
        for word in sorted(arguments, key=len, reverse=True):
            message = message.replace(word, shown(word))
        raise UsageError(message, hint=_advice(error, arguments)) from None
    return code or 0


def _advice(error: click.ClickException, arguments: Sequence[str]) -> str:
    """Suggest the intended option, unless click did, and point to the help."""
    advice, command = "", "uv-self-update"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        command = error.ctx.command_path
        if isinstance(error, click.NoSuchOption) and not error.possibilities:
            options = (name for option in root.params for name in option.opts)
            known = [name for name in options if name.startswith("--")]
            meant = closest_option(error.option_name, known)
            advice = f"Did you mean `{meant}`? " if meant else ""
        elif "unexpected extra argument" in error.message and "://" in " ".join(arguments):
            advice = "`--source URL` names the source to use. "
    return f"{advice}See `{command} --help`."


@click.group(
    context_settings=NAMES,
    options_metavar="[OPTION]...",
    subcommand_metavar="[TARGET] [OPTION OF UV]... | COMMAND [ARGUMENT]...",
)
@listed(*GLOBAL, *UPDATE)
@click.version_option(__version__, "-V", "--version", message="uv-self-update %(version)s")
def root() -> None:
    """Update uv where `uv self update` cannot.

    Run `uv-self-update [TARGET]` instead of `uv self update [TARGET]`. TARGET is an exact version
    (0.12.3), a prefix (0.12) or a specifier (<0.13). Options of `uv self update` are passed on to
    uv.

    The options below can be given before or after a command; --check, --json and --required are
    for the update only.
    """


root.commands = LazyCommands(
    {
        "config": "config:config",
        "exec": "exec:exec_",
        "fetch": "fetch:fetch_",
        "init": "init:init",
        "rehearse": "rehearse:rehearse",
        "releases": "releases:releases",
    }
)
