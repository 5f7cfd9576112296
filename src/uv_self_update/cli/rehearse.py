"""`uv-self-update rehearse`: update a temporary copy of uv."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from uv_self_update.cli.help import NAMES, listed
from uv_self_update.cli.options import OF_UV
from uv_self_update.cli.passphrase import with_passphrase
from uv_self_update.workflow.rehearse import hold

if TYPE_CHECKING:
    from uv_self_update.cli.invocation import Invocation


@click.command(context_settings=NAMES)
@click.argument("target", required=False)
@click.option(
    "--from",
    "start",
    metavar="VERSION",
    help="The version to update from; the source must have it.",
)
@click.option("-v", "--verbose", count=True, help="Print more, as uv does.")
@click.option("-q", "--quiet", count=True, help="Print less, as uv does.")
@listed(*OF_UV)
@click.pass_obj
def rehearse(
    invocation: Invocation, *, target: str | None, start: str | None, verbose: int, quiet: int
) -> None:
    """Run a complete update on a temporary copy of uv.

    The copy is in a temporary directory. Your uv, its receipt, your shell's profile and PATH are
    not changed.
    """
    rehearsal = hold(
        with_passphrase(invocation.settings(), invocation.environ),
        invocation.installation(),
        target=target,
        start=start,
        options=("-v",) * verbose + ("-q",) * quiet,
    )
    click.echo(rehearsal)
