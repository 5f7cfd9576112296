"""Every command but the update itself, and the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from uv_self_update import __version__
from uv_self_update.cli.help import Command, Group
from uv_self_update.cli.lazy import Lazy, LazyCommands
from uv_self_update.cli.options import UPDATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation


def run(arguments: Sequence[str], invocation: Invocation | None) -> int:
    """Run a command, and return the exit code.

    Args:
        arguments: The command and its arguments.
        invocation: What it works with; None if the arguments only ask for its help.

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
        from uv_self_update.cli.usage import usage_error  # noqa: PLC0415 # only for a mistake

        raise usage_error(error, arguments) from None
    return code or 0


def complete(instruction: str) -> int:
    """Print the completions that a shell asks for, and return the exit code."""
    from uv_self_update.cli import completion  # noqa: PLC0415 # only for a shell

    return completion.complete(root, instruction)


@click.group(
    cls=Group,
    options=UPDATE,
    options_metavar="[OPTION]...",
    subcommand_metavar="[TARGET] [OPTION OF UV]... | COMMAND [ARGUMENT]...",
    examples=(
        "uv-self-update",
        "uv-self-update 0.12",
        "uv-self-update --check",
        "uv-self-update --source nexus+https://nexus.example/uv/",
        "uv-self-update help init",
    ),
)
@click.version_option(__version__, "-V", "--version", message="uv-self-update %(version)s")
def root() -> None:
    """Update uv where `uv self update` cannot.

    Run `uv-self-update [TARGET]` instead of `uv self update [TARGET]`. TARGET is an exact version
    (0.12.3), a prefix (0.12) or a specifier (<0.13). Options of `uv self update` are passed on to
    uv.

    Global options can be given before or after a command.
    """


@click.command(cls=Command, examples=("uv-self-update version",))
def version() -> None:
    """Print the version of uv-self-update."""
    click.echo(f"uv-self-update {__version__}")


root.commands = LazyCommands(
    {
        "config": Lazy("config:config", "Show and change the settings."),
        "doctor": Lazy("doctor:doctor", "Find out why uv can or cannot be updated here."),
        "exec": Lazy("exec:exec_", "Run a command with packages from private releases."),
        "fetch": Lazy(
            "fetch:fetch_", "Fetch the packages that a project needs from private releases."
        ),
        "generate-shell-completion": Lazy(
            "completion:generate",
            "Print a script that completes the command line: bash, fish, powershell or zsh.",
        ),
        "init": Lazy("init:init", "Configure URL as the source of uv."),
        "mirror": Lazy("mirror:mirror", "Fill a directory with releases for other machines."),
        "rehearse": Lazy("rehearse:rehearse", "Run a complete update on a temporary copy of uv."),
        "releases": Lazy(
            "releases:releases", "List the releases that the sources have, newest first."
        ),
        "version": Lazy("commands:version", "Print the version of uv-self-update."),
    }
)
