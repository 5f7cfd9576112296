"""Every command but the update itself, and the help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from uv_self_update import __version__
from uv_self_update.cli.config import config
from uv_self_update.cli.exec import exec_
from uv_self_update.cli.fetch import fetch_
from uv_self_update.cli.options import options_of_uv
from uv_self_update.cli.passphrase import with_passphrase
from uv_self_update.cli.sources import init, releases
from uv_self_update.config.settings import INSTALLERS
from uv_self_update.errors import UsageError
from uv_self_update.messages import shown
from uv_self_update.workflow.check import UPDATE_DUE
from uv_self_update.workflow.rehearse import hold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation


_HELP = {"help_option_names": ["-h", "--help"]}


def run(arguments: Sequence[str], invocation: Invocation) -> int:
    """Run a command, and return the exit code.

    Raises:
        UsageError: There is no such command, or not with these arguments.
        KeyboardInterrupt: A person does not want to go on.
        UvSelfUpdateError: The command has failed.
    """
    try:
        root.main(list(arguments), "uv-self-update", standalone_mode=False, obj=invocation)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        message = error.format_message()
        # click repeats what was typed, and that may be a URL with a login.
        for word in sorted(arguments, key=len, reverse=True):
            message = message.replace(word, shown(word))
        raise UsageError(message, hint="See `uv-self-update --help`.") from None
    return 0


@click.group(
    context_settings=_HELP,
    options_metavar="[OPTION]...",
    subcommand_metavar="[TARGET] [OPTION OF UV]... | COMMAND [ARGUMENT]...",
)
@click.option(
    "--source",
    metavar="SPEC",
    expose_value=False,
    help="Where to get uv from: `index`, a URL, the path of a folder, or a kind and a URL as in "
    "`nexus+URL`. Repeat it, and they are tried in order. [env: UV_SELF_UPDATE_SOURCE]",
)
@click.option(
    "--config",
    metavar="FILE",
    expose_value=False,
    help="Read this file in place of the user's. [env: UV_SELF_UPDATE_CONFIG]",
)
@click.option(
    "--uv",
    metavar="PATH",
    expose_value=False,
    help="Update this uv rather than the first on PATH. [env: UV_SELF_UPDATE_UV]",
)
@click.option(
    "--installer",
    type=click.Choice(INSTALLERS),
    expose_value=False,
    help="Our own installer (native), or the release's; auto is ours wherever it can be. "
    "[env: UV_SELF_UPDATE_INSTALLER]",
)
@click.option(
    "--adopt",
    is_flag=True,
    expose_value=False,
    help="Also update a uv that has no receipt, and leave it one. [env: UV_SELF_UPDATE_ADOPT]",
)
@click.option(
    "--check",
    is_flag=True,
    expose_value=False,
    help=f"Update nothing: say whether an update is due. The exit code is {UPDATE_DUE} if it is.",
)
@click.option("--json", is_flag=True, expose_value=False, help="With --check: print JSON.")
@click.option(
    "--required",
    is_flag=True,
    expose_value=False,
    help="The `required-version` of uv's own configuration, a project's too, is TARGET.",
)
@click.version_option(__version__, "-V", "--version", message="uv-self-update %(version)s")
def root() -> None:
    """Update uv where `uv self update` cannot.

    In place of `uv self update [TARGET]`, type `uv-self-update [TARGET]`. TARGET is an exact
    version (0.12.3), a prefix (0.12) or a specifier (<0.13). Every option of `uv self update` can
    be given and is handed on to uv.

    The options below can stand before or after a command; --check, --json and --required belong to
    the update.
    """
    # They are here to be listed: `cli` has taken them out of the command line already.


@root.command(context_settings=_HELP)
@click.argument("target", required=False)
@click.option(
    "--from",
    "start",
    metavar="VERSION",
    help="The version to update from; the source must have it.",
)
@click.option("-v", "--verbose", count=True, help="Print more, as uv does.")
@click.option("-q", "--quiet", count=True, help="Print less, as uv does.")
@options_of_uv
@click.pass_obj
def rehearse(
    invocation: Invocation, *, target: str | None, start: str | None, verbose: int, quiet: int
) -> None:
    """Do a whole real update on a throwaway copy of uv.

    The copy lies in a temporary folder. Your uv, its receipt, your shell's profile and PATH are
    not touched.
    """
    rehearsal = hold(
        with_passphrase(invocation.settings(), invocation.environ),
        uv=invocation.uv(),
        environ=invocation.environ,
        target=target,
        start=start,
        options=("-v",) * verbose + ("-q",) * quiet,
    )
    click.echo(rehearsal)


for command in (config, exec_, fetch_, init, releases):
    root.add_command(command)
