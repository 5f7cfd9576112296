"""`uv-self-update init` and `releases`: what is at a source, and which one is used."""

from __future__ import annotations

import json
import logging
import shutil
from contextlib import closing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from uv_self_update import config as files
from uv_self_update import config_edit
from uv_self_update.child import Signals, version_of
from uv_self_update.errors import ConfigurationNotKept, InvalidConfiguration, NoArchive
from uv_self_update.rehearse import hold
from uv_self_update.secret import redact_url
from uv_self_update.settings import parse_source
from uv_self_update.sources.detect import Detection, detect
from uv_self_update.sources.opened import OpenSources
from uv_self_update.survey import Inspection, inspect, overview

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from uv_self_update.invocation import Invocation
    from uv_self_update.platforms import Platform
    from uv_self_update.settings import SourceSettings
    from uv_self_update.survey import Row

__all__ = ("init", "releases")

_log = logging.getLogger(__name__)

_HELP = {"help_option_names": ["-h", "--help"]}
_DATE = len("2026-01-29")
_SAVED = ".old"


@click.command(context_settings=_HELP)
@click.argument("url")
@click.option("--rehearse/--no-rehearse", default=True, help="Prove it by a rehearsal, or not.")
@click.option("--force", is_flag=True, help="Replace the sources that are configured already.")
@click.pass_obj
def init(invocation: Invocation, url: str, *, rehearse: bool, force: bool) -> None:
    """Find out what serves URL, and configure it.

    URL is where your company keeps uv's releases, or the path of a folder. Where it cannot be found
    out what kind of server it is, write that before it: `nexus+https://…`. Everything else in your
    configuration file stays.
    """
    section = parse_source(url)
    settings = invocation.settings()
    file = invocation.user_file
    old = _configured(file)
    if old and not force:
        named = ", ".join(_named(source) for source in old)
        reason = f"it has sources already: {named}"
        raise ConfigurationNotKept(file, reason, "`--force` replaces them, and keeps a copy.")
    uv = invocation.uv()
    settings = replace(settings, sources=(section,))
    with (
        Signals(),
        closing(OpenSources(settings, uv=uv, environ=invocation.environ)) as opened,
    ):
        detection = detect(section, opened.around)
        platform = opened.platform
        click.echo(f"{redact_url(url)} is of kind `{detection.settings.kind}`: {detection.reason}.")
        if detection.newest is None:
            versions = [release.version for release in detection.releases]
            archive = platform.archive
            raise NoArchive(detection.source.name, "release of uv", archive, versions, ())
        found = inspect(detection.source, detection.newest, platform)
        click.echo(_described(detection, found, platform))
    _write(file, detection.settings, old=bool(old))
    click.echo(f"{file} is written.")
    if rehearse:
        click.echo("A throwaway copy of uv is updated now, to prove it.")
        click.echo(
            hold(
                replace(settings, sources=(detection.settings,)),
                uv=uv,
                environ=invocation.environ,
                target=None,
                start=None,
                options=("-q",),
            )
        )
    origin = invocation.settings().origins.get("source", "")
    if origin != str(file):
        _log.warning("%s names other sources, which come before those of this file", origin)


def _configured(file: Path) -> tuple[SourceSettings, ...]:
    """Return the sources that a configuration file has; it need not exist."""
    try:
        return tuple(files.load(file).values.get("source", ()))
    except InvalidConfiguration as invalid:
        if files.is_missing(invalid):
            return ()
        raise


def _named(source: SourceSettings) -> str:
    place = source.url or source.path or source.download
    return source.kind if place is None else f"{source.kind}+{redact_url(place)}"


def _described(detection: Detection, found: Inspection, platform: Platform) -> str:
    version = "" if detection.newest is None else detection.newest.version
    installer = "is there" if found.installer else "is not there, so ours is used"
    return (
        f"  newest     {version}\n"
        f"  archive    {platform.archive} is {'' if found.archive else 'not '}there\n"
        f"  installer  {platform.installer} {installer}\n"
        f"  digest     {'is published' if found.digest else 'none is published'}"
    )


def _write(file: Path, source: SourceSettings, *, old: bool) -> None:
    if old:
        try:
            shutil.copy2(file, file.with_name(file.name + _SAVED))
        except OSError as error:
            raise ConfigurationNotKept(file, error.strerror or str(error)) from error
    table = files.as_table(source)
    assignments = {f"source.{name}": value for name, value in table.items()}
    config_edit.assign(file, assignments, remove=("source",) if old else ())


@click.command(context_settings=_HELP)
@click.option(
    "--limit",
    default=20,
    show_default=True,
    help="How many of each source.",
    type=click.IntRange(1),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def releases(invocation: Invocation, *, limit: int, as_json: bool) -> None:
    """List the releases that the sources hold, newest first."""
    uv = invocation.uv()
    settings = invocation.settings()
    with (
        Signals(),
        closing(OpenSources(settings, uv=uv, environ=invocation.environ)) as opened,
    ):
        installed = version_of(uv, invocation.environ)
        rows = overview(opened.all, platform=opened.platform, installed=installed, limit=limit)
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
                "allowed" if row.allowed else "pre-release",
                row.source,
            )
        )
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    )
