"""argv, the environment, exit codes."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uv_self_update import __version__
from uv_self_update.arguments import arrange, split
from uv_self_update.child import Ended, end_like, find_uv
from uv_self_update.cli_config import ConfigContext, config
from uv_self_update.config import Options
from uv_self_update.errors import UsageError, UvSelfUpdateError
from uv_self_update.settings import INSTALLERS
from uv_self_update.terminal import Terminal
from uv_self_update.update import Job, explain, run

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("main",)

_OWN = ("--source", "--config", "--uv", "--installer")
_HELP = {"help_option_names": ["-h", "--help"]}
_PASS_ON = {"ignore_unknown_options": True, "help_option_names": []}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    terminal = Terminal(arguments, os.environ)
    try:
        ordered = arrange(arguments, own=_OWN, commands=root.commands, default="update")
        code = root.main(ordered, "uv-self-update", standalone_mode=False, obj=terminal)
    except UvSelfUpdateError as error:
        terminal.error(error)
        return error.exit_code
    except Ended as error:
        return end_like(error.number)
    except (KeyboardInterrupt, click.Abort):
        return end_like(signal.SIGINT)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        terminal.error(UsageError(error.format_message(), hint="See `uv-self-update --help`."))
        return UsageError.exit_code
    return code if isinstance(code, int) else 0


@dataclass(frozen=True, kw_only=True)
class Invocation(ConfigContext):
    """What every command is told."""

    uv: str | None
    terminal: Terminal

    def find_uv(self) -> Path:
        """Return the uv that this is about; raises UvNotFound."""
        return find_uv(self.uv, self.environ)


@click.group(context_settings=_HELP)
@click.option(
    "--source",
    "sources",
    metavar="SPEC",
    multiple=True,
    help="Where to get uv from: `index`, `index+URL`, `github+URL` or `urls+URL`. Repeat it, "
    "and they are tried in order. [env: UV_SELF_UPDATE_SOURCE]",
)
@click.option(
    "--config",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Read this file in place of the user's. [env: UV_SELF_UPDATE_CONFIG]",
)
@click.option(
    "--uv",
    metavar="PATH",
    help="Update this uv rather than the first on PATH. [env: UV_SELF_UPDATE_UV]",
)
@click.option(
    "--installer",
    type=click.Choice(INSTALLERS),
    help="The release's own installer, or ours (native); auto is the former where there is one. "
    "[env: UV_SELF_UPDATE_INSTALLER]",
)
@click.version_option(__version__, "-V", "--version", message="uv-self-update %(version)s")
@click.pass_context
def root(
    context: click.Context,
    *,
    sources: tuple[str, ...],
    file: Path | None,
    uv: str | None,
    installer: str | None,
) -> None:
    """Update uv where `uv self update` cannot.

    In place of `uv self update [TARGET]`, type `uv-self-update [TARGET]`. TARGET is an exact
    version (0.12.3), a prefix (0.12) or a specifier (<0.13). Every option of `uv self update` can
    be given and is handed on to uv.

    The options below can stand before or after a command.
    """
    context.obj = Invocation(
        options=Options(sources=sources, installer=installer, config=file),
        environ=dict(os.environ),
        uv=uv or os.environ.get("UV_SELF_UPDATE_UV"),
        terminal=context.obj,
    )


@root.command(context_settings=_PASS_ON, short_help="Update uv; the default.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def update(invocation: Invocation, *, arguments: tuple[str, ...]) -> int:
    """Run `uv self update` through a gateway on loopback."""
    job = Job(
        arguments=split(arguments),
        settings=invocation.settings(),
        uv=invocation.find_uv(),
        environ=invocation.environ,
    )
    outcome = run(job)
    if outcome.received is not None:
        return end_like(outcome.received)
    if outcome.exit_code != 0:
        for error in explain(job, outcome):
            if error not in outcome.told:
                invocation.terminal.error(error)
            elif error.hint:
                invocation.terminal.hint(error.hint)
    return outcome.exit_code


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
@click.pass_obj
def rehearse(
    invocation: Invocation, *, target: str | None, start: str | None, verbose: int, quiet: int
) -> None:
    """Do a whole real update on a throwaway copy of uv.

    The copy lies in a temporary folder. Your uv, its receipt, your shell's profile and PATH are
    not touched.
    """
    from uv_self_update.rehearse import hold  # noqa: PLC0415 # an update does without

    rehearsal = hold(
        invocation.settings(),
        uv=invocation.find_uv(),
        environ=invocation.environ,
        target=target,
        start=start,
        options=("-v",) * verbose + ("-q",) * quiet,
    )
    click.echo(rehearsal)


root.add_command(config)
