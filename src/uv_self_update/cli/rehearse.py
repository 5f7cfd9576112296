"""`uv-self-update rehearse`: update a temporary copy of uv."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from uv_self_update.cli.help import Command
from uv_self_update.cli.options import OF_UV
from uv_self_update.cli.passphrase import with_passphrase
from uv_self_update.workflow.rehearse import hold

if TYPE_CHECKING:
    from uv_self_update.cli.invocation import Invocation


@click.command(
    cls=Command,
    options=OF_UV,
    examples=("uv-self-update rehearse", "uv-self-update rehearse 0.12 --from 0.11.13"),
)
@click.argument("target", required=False)
@click.option(
    "--from",
    "start",
    metavar="VERSION",
    help="The version to update from; the source must have it.",
)
@click.pass_obj
def rehearse(invocation: Invocation, *, target: str | None, start: str | None) -> None:
    """Run a complete update on a temporary copy of uv.

    The copy is in a temporary directory. Your uv, its receipt, your shell's profile and PATH are
    not changed.
    """
    settings = with_passphrase(invocation.settings(), invocation.environ)
    with invocation.progress.task("Updating a temporary copy of uv"):
        rehearsal = hold(
            settings,
            invocation.installation(),
            target=target,
            start=start,
            options=("-v",) * invocation.verbose + ("-q",) * invocation.quiet,
            progress=invocation.progress,
        )
    invocation.tell(rehearsal)
