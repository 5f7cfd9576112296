"""`uv-self-update releases`: list the releases of the sources; with `--packages`, the packages."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from uv_self_update.cli.wrapped import packages_job
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.process import Signals
from uv_self_update.versions import without_local
from uv_self_update.workflow.package_survey import survey
from uv_self_update.workflow.survey import overview

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.workflow.package_survey import PackageRow
    from uv_self_update.workflow.survey import Row


_DATE = len("2026-01-29")


def releases(invocation: Invocation, *, limit: int, as_json: bool, packages: bool) -> None:
    """List the releases that the sources have, newest first."""
    if packages:
        _list_packages(invocation, limit=limit, as_json=as_json)
        return
    uv = invocation.uv()
    settings = invocation.unlocked_settings()
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
        click.echo(_table_of_releases(rows))


def _table_of_releases(rows: Sequence[Row]) -> str:
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
    return _aligned(table)


def _list_packages(invocation: Invocation, *, limit: int, as_json: bool) -> None:
    """Print every package of the configured repositories, `limit` versions of each."""
    seen: Counter[tuple[str, str]] = Counter()
    rows = []
    for row in survey(packages_job(invocation, ())):
        seen[row.repository, row.project] += 1
        if seen[row.repository, row.project] <= limit:
            rows.append(row)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        click.echo(_table_of_packages(rows))


def _table_of_packages(rows: Sequence[PackageRow]) -> str:
    table = [("package", "version", "date", "files", "served", "release", "repository")]
    table += [
        (
            row.project,
            row.version,
            (row.uploaded or "")[:_DATE] or "-",
            ", ".join(row.platforms),
            "yes" if row.served else "no",
            row.release or "-",
            row.repository,
        )
        for row in rows
    ]
    return _aligned(table)


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """Return a line for each row, with the cells of each column below one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
