"""`uv-self-update releases`: list the releases that the sources have."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from uv_self_update.cli.packages import list_packages
from uv_self_update.cli.passphrase import with_passphrase
from uv_self_update.cli.tables import aligned
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.process import Signals
from uv_self_update.versions import without_local
from uv_self_update.workflow.survey import overview

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.workflow.survey import Row


_DATE = len("2026-01-29")


def releases(invocation: Invocation, *, limit: int, as_json: bool, packages: bool) -> None:
    """List the releases that the sources have, newest first."""
    if packages:
        list_packages(invocation, limit=limit, as_json=as_json)
        return
    uv = invocation.uv()
    settings = with_passphrase(invocation.settings(), invocation.environ)
    with (
        Signals(),
        closing(OpenSources(settings, uv=uv, environ=invocation.environ)) as opened,
        invocation.progress.task("Listing releases"),
    ):
        installed = version_of(uv, invocation.environ)
        rows = overview(
            opened.all,
            platform=opened.platform,
            installed=None if installed is None else without_local(installed),
            limit=limit,
            policy=opened.policy,
        )
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        click.echo(_table(rows))


def _table(rows: Sequence[Row]) -> str:
    table = [("version", "date", "this machine", "policy", "source")]
    for row in rows:
        here = {True: "yes", False: "no archive", None: "unknown"}[row.complete]
        table.append(
            (
                f"{row.version} (installed)" if row.installed else row.version,
                (row.published or "")[:_DATE] or "-",
                here,
                row.rule or "allowed",
                row.source,
            )
        )
    return aligned(table)
