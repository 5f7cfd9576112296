"""`uv-self-update init` and `releases`: what is at a source, and which one is used."""

from __future__ import annotations

import json
import logging
from contextlib import closing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from uv_self_update.cli.options import options_of_uv
from uv_self_update.cli.packages import init_releases, list_packages
from uv_self_update.cli.passphrase import with_passphrase
from uv_self_update.config import edit as config_edit
from uv_self_update.config import load as files
from uv_self_update.config.document import as_table
from uv_self_update.config.exposure import is_exposing
from uv_self_update.config.kinds import check_source, parse_source
from uv_self_update.config.releases import ReleasesSettings, parse_releases_option
from uv_self_update.errors import ConfigurationNotKept, NoArchive, UsageError, UvSelfUpdateError
from uv_self_update.redaction import redact_url
from uv_self_update.sources.detection.detect import detect
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.process import Signals
from uv_self_update.workflow.rehearse import hold
from uv_self_update.workflow.survey import Inspection, inspect, overview

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.config.settings import Settings
    from uv_self_update.platforms import Platform
    from uv_self_update.workflow.survey import Row


_log = logging.getLogger(__name__)

_HELP = {"help_option_names": ["-h", "--help"]}
_DATE = len("2026-01-29")
_SAVED = ".old"
_OTHER_WAYS = (
    "Leave it out of the URL, and give `--username` with `--password-env`, or `--token-env`, with "
    "the name of the environment variable that holds it; or keep it in a netrc file, or by "
    "`uv auth login`. `--plaintext` writes it down all the same."
)


@click.command(context_settings=_HELP)
@click.argument("url")
@click.option("--username", metavar="NAME", help="The user of the login.")
@click.option("--password-env", metavar="VARIABLE", help="The variable that holds the password.")
@click.option("--token-env", metavar="VARIABLE", help="The variable that holds a token.")
@click.option(
    "--header-env",
    "headers",
    metavar="HEADER=VARIABLE",
    multiple=True,
    help="A header to send, and the variable that holds its value; can be repeated.",
)
@click.option("--plaintext", is_flag=True, help="Write a URL with a password or a token in it.")
@click.option("--rehearse/--no-rehearse", default=True, help="Prove it by a rehearsal, or not.")
@click.option("--force", is_flag=True, help="Replace the sources that are configured already.")
@click.option(
    "--releases",
    "for_packages",
    is_flag=True,
    help="URL is a repository whose releases hold packages, for `exec` and `fetch`.",
)
@options_of_uv
@click.pass_obj
def init(  # noqa: PLR0913 # the options of the command
    invocation: Invocation,
    /,
    url: str,
    *,
    headers: tuple[str, ...],
    plaintext: bool,
    rehearse: bool,
    force: bool,
    for_packages: bool,
    **login: str | None,
) -> None:
    """Find out what serves URL, and configure it.

    URL is where your company keeps uv's releases, or the path of a folder. Where it cannot be found
    out what kind of server it is, write that before it: `nexus+https://…`. Everything else in your
    configuration file stays.

    A login is written down as the names of the environment variables that hold it.
    """
    section = parse_releases_option(url).source if for_packages else parse_source(url)
    section = _with_login(section, headers, login)
    file = invocation.user_file
    if not plaintext and is_exposing(section):
        reason = "a password or a token stands in the URL, which was not asked for anything either"
        raise ConfigurationNotKept(file, reason, _OTHER_WAYS)
    if for_packages:
        init_releases(invocation, ReleasesSettings(source=section))
        return
    settings = replace(_settings(invocation, file), sources=(section,))
    old = _configured(file)
    if old and not force:
        named = ", ".join(_named(source) for source in old)
        reason = f"it has a source already: {named}"
        hint = f"`--force` replaces it, and keeps a copy of the file as {file.name}{_SAVED}."
        raise ConfigurationNotKept(file, reason, hint)
    uv = invocation.uv()
    settings = with_passphrase(settings, invocation.environ)
    with (
        Signals(),
        closing(OpenSources(settings, uv=uv, environ=invocation.environ)) as opened,
    ):
        source = _examined(section, opened).with_login_of(section)
    _write(file, source, old=bool(old))
    click.echo(f"Written to {file}.")
    if rehearse:
        _prove(replace(settings, sources=(source,)), uv, invocation.environ, file)
    origin = invocation.settings().origins.get("source", "")
    if origin == str(file):
        click.echo("From now on, `uv-self-update` takes uv from there.")
    else:
        _log.warning("%s says where uv comes from as well, and comes before %s", origin, file)


def _with_login(
    section: SourceSettings, headers: Sequence[str], login: Mapping[str, str | None]
) -> SourceSettings:
    """Return a source with a login.

    Raises:
        UsageError: It cannot have such a login.
    """
    given = {name.replace("_", "-"): value for name, value in login.items() if value is not None}
    table = {**as_table(section), **given}
    if headers:
        table["header-env"] = {
            name: variable for name, _, variable in (header.partition("=") for header in headers)
        }
    source, problems = check_source(table)
    if problems:
        key, reason = problems[0]
        message = f"`--{key}` cannot be used: {reason}"
        raise UsageError(message)
    return source


def _settings(invocation: Invocation, file: Path) -> Settings:
    """Return the settings, for which the file that is to be written need not exist yet."""
    if file.exists():
        return invocation.settings()
    environ = {name: value for name, value in invocation.environ.items() if name != files.VARIABLE}
    return files.resolve(
        options=replace(invocation.options, config=None),
        environ=environ,
        user_file=file,
        site_file=files.site_file(),
    )


def _configured(file: Path) -> tuple[SourceSettings, ...]:
    """Return the sources that a configuration file has; it need not exist."""
    return tuple(files.load(file).values.get("source", ())) if file.exists() else ()


def _examined(section: SourceSettings, opened: OpenSources) -> SourceSettings:
    """Say what a source is and has, and return it as it is to be configured.

    Raises:
        SourceError: It cannot be used, or not on this machine.
    """
    detection = detect(section, opened.around)
    source = detection.settings
    why = f", because {detection.reason}" if detection.reason else ""
    click.echo(f"{_place(source)} is of kind `{source.kind}`{why}.")
    if detection.newest is None:
        assert detection.lack is not None, "one of the two"  # noqa: S101 # for the type checker
        raise detection.lack
    version, platform = detection.newest.version, opened.platform
    found = inspect(detection.source, detection.newest, platform)
    if not found.archive:
        name = detection.source.name
        raise NoArchive(name, f"uv {version}", platform.archive, [version], ())
    click.echo(_described(version, found, platform))
    return source


def _prove(settings: Settings, uv: Path, environ: Mapping[str, str], file: Path) -> None:
    click.echo("To prove it, a throwaway copy of uv is updated now.")
    try:
        rehearsal = hold(settings, uv=uv, environ=environ, target=None, start=None, options=("-q",))
    except UvSelfUpdateError:
        _log.warning("%s stays as it was written, though the rehearsal has failed", file)
        raise
    click.echo(rehearsal)


def _place(source: SourceSettings) -> str:
    place = source.url or source.path or source.download
    return "the package index" if place is None else redact_url(place)


def _named(source: SourceSettings) -> str:
    place = source.url or source.path or source.download
    return source.kind if place is None else f"{source.kind}+{redact_url(place)}"


def _described(version: str, found: Inspection, platform: Platform) -> str:
    versions = ", ".join(found.versions) + (" and older ones" if found.more else "")
    if found.wheel:
        archive, installer = "a wheel for this machine is there", "not needed: ours is used"
        digest = "the index's, which new versions of uv check"
    else:
        archive = f"{platform.archive} is there"
        there = "is there" if found.installer else "is not there: ours is used"
        installer = f"{platform.installer} {there}"
        digest = "published" if found.digest else "not published"
    return (
        f"  versions   {versions}\n"
        f"  newest     {version}\n"
        f"  archive    {archive}\n"
        f"  installer  {installer}\n"
        f"  digest     {digest}"
    )


def _write(file: Path, source: SourceSettings, *, old: bool) -> None:
    if old:
        config_edit.write(file.with_name(file.name + _SAVED), files.read(file))
    assignments = dict(config_edit.flatten({"source": [as_table(source)]}))
    config_edit.assign(file, assignments, remove=("source",) if old else (), plaintext=True)


@click.command(context_settings=_HELP)
@click.option(
    "--limit",
    default=20,
    show_default=True,
    help="How many of each source.",
    type=click.IntRange(1),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--packages", is_flag=True, help="List the packages that `[[releases]]` hold, for `exec`."
)
@options_of_uv
@click.pass_obj
def releases(invocation: Invocation, *, limit: int, as_json: bool, packages: bool) -> None:
    """List the releases that the sources hold, newest first."""
    if packages:
        list_packages(invocation, limit=limit, as_json=as_json)
        return
    uv = invocation.uv()
    settings = with_passphrase(invocation.settings(), invocation.environ)
    with (
        Signals(),
        closing(OpenSources(settings, uv=uv, environ=invocation.environ)) as opened,
    ):
        installed = version_of(uv, invocation.environ)
        rows = overview(
            opened.all,
            platform=opened.platform,
            installed=installed,
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
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    )
