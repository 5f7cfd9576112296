"""`releases --packages` and `init --releases`: which packages a repository's releases hold."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
import tomli_w

from uv_self_update.cli.tables import aligned
from uv_self_update.cli.wrapped import packages_job
from uv_self_update.config import edit as config_edit
from uv_self_update.config import load as files
from uv_self_update.config.document import as_releases_table
from uv_self_update.errors import NoPackages
from uv_self_update.redaction import redact_url
from uv_self_update.values import replace
from uv_self_update.workflow.package_survey import examine, survey

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.workflow.package_survey import PackageRow

_DATE = len("2026-01-29")
_SHOWN = 5  # versions of a package that `init` names


def list_packages(invocation: Invocation, *, limit: int, as_json: bool) -> None:
    """Print every package of the configured repositories, `limit` versions of each."""
    rows = survey(packages_job(invocation, ()))
    seen: dict[tuple[str, str], int] = {}
    shown = []
    for row in rows:
        key = row.repository, row.project
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= limit:
            shown.append(row)
    click.echo(json.dumps([asdict(row) for row in shown], indent=2) if as_json else _table(shown))


def init_releases(invocation: Invocation, settings: ReleasesSettings) -> None:
    """Examine a repository, write it into the configuration, and say what a project needs.

    Raises:
        NoPackages: It holds no package.
        ConfigurationNotKept: The configuration cannot be written.
    """
    job = packages_job(invocation, ())
    settings = examine(job, settings)
    rows = survey(replace(job, releases=[settings]))
    if not rows:
        raise NoPackages(redact_url(settings.source.url or settings.source.path or ""))
    click.echo(f"Kind: {settings.source.kind}.")
    names = sorted({row.project for row in rows})
    for name in names:
        ours = [row for row in rows if row.project == name]
        versions = ", ".join(row.version for row in ours[:_SHOWN])
        more = " and older ones" if len(ours) > _SHOWN else ""
        invocation.tell(f"{name}: {versions}{more} ({', '.join(ours[0].platforms)})")
    file = invocation.user_file
    if _write(file, settings, names):
        invocation.tell(f"Written to {file}.")
    else:
        invocation.tell(f"{file} names this repository already, and was not changed.")
    invocation.tell(
        "`uv-self-update exec -- uv add NAME` adds a package, and writes into pyproject.toml:\n\n"
        f'[[tool.uv.index]]\nurl = "{rows[0].index}"'
    )


def _write(file: Path, releases: ReleasesSettings, names: Sequence[str]) -> bool:
    """Append a repository to a configuration file; return whether it was not there already."""
    text = files.read(file) if file.exists() else ""
    values = files.check(files.parse(file, text), file).values if text else {}
    source = releases.source
    if any(
        (known.source.url, known.source.path) == (source.url, source.path)
        for known in values.get("releases", ())
    ):
        return False
    table = {**as_releases_table(releases), "packages": list(names)}
    added = f"[[releases]]\n{tomli_w.dumps(table)}"
    whole = f"{text.rstrip()}\n\n{added}" if text.strip() else added
    files.check(files.parse(file, whole), file)
    config_edit.write(file, whole)
    return True


def _table(rows: Sequence[PackageRow]) -> str:
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
    return aligned(table)
