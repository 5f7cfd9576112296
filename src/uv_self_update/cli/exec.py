"""`uv-self-update exec`: one command with packages from private releases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from uv_self_update.cli.help import Command
from uv_self_update.cli.options import OF_UV
from uv_self_update.cli.passphrase import with_passphrase
from uv_self_update.cli.terminal import Terminal
from uv_self_update.config.releases import parse_releases_option
from uv_self_update.errors import UsageError
from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.uv.command import WrappedCommand
from uv_self_update.uv.process import end_like
from uv_self_update.workflow.exec import run
from uv_self_update.workflow.serving import PackagesJob

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.config.releases import ReleasesSettings


def _likely(releases: ReleasesSettings) -> ReleasesSettings:
    from uv_self_update.sources.packages.detection import likely  # noqa: PLC0415 # the rest needs none

    return likely(releases)


def packages_job(
    invocation: Invocation, specs: Sequence[str], *, progress: Progress = SILENT
) -> PackagesJob:
    """Return where packages come from: the repositories that are named, else the configured.

    Without progress: a command that runs meanwhile shows its own.
    """
    settings = with_passphrase(invocation.settings(), invocation.environ)
    releases = [_likely(parse_releases_option(spec)) for spec in specs]
    return PackagesJob(
        settings=settings,
        releases=releases or settings.releases,
        uv=invocation.uv_or_name(),
        directory=Path.cwd(),
        environ=invocation.environ,
        progress=progress,
    )


class _Wrapping(Command):
    """A command whose arguments are another command, after `--`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        help_wanted = any(word in self.get_help_option_names(ctx) for word in args)
        if "--" not in args and not help_wanted:
            message = "no command was given"
            raise UsageError(message, hint="Put it after `--`, as in `exec -- uv sync`.")
        if args[-1:] == ["--"]:
            message = "no command follows `--`"
            raise UsageError(message, hint="Put it there, as in `exec -- uv sync`.")
        return super().parse_args(ctx, args)


@click.command(
    cls=_Wrapping,
    name="exec",
    context_settings={"allow_interspersed_args": False},
    options=OF_UV,
    examples=(
        "uv-self-update exec -- uv sync --locked",
        "uv-self-update exec -- uvx --from acme-tool acme",
        "uv-self-update exec --releases github+https://github.com/acme/tools -- uv lock",
    ),
)
@click.option(
    "--releases",
    "specs",
    metavar="SPEC",
    multiple=True,
    help="Releases that hold packages, as in `github+https://github.com/OWNER/REPO`; can be "
    "repeated. The default is `[[releases]]` of the configuration.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND [ARGUMENT]...")
@click.pass_obj
def exec_(invocation: Invocation, *, specs: Sequence[str], command: Sequence[str]) -> None:
    """Run a command with packages from private releases.

    The packages are served by an index at a name that is the same on every machine, for as long as
    the command runs.
    """
    terminal = Terminal(["-q"] * invocation.quiet, invocation.environ)
    outcome = run(packages_job(invocation, specs), WrappedCommand(words=command))
    for error in outcome.errors:
        terminal.error(error)
    for warning in outcome.warnings:
        terminal.warning(str(warning))
    code = outcome.exit_code
    click.get_current_context().exit(end_like(-code) if code < 0 else code)
