"""`uv-self-update init`: detect the server type, write the configuration, and verify it.

With `--releases`, it is a repository of packages, which is examined and written.
"""

from __future__ import annotations

import logging
import os
from contextlib import closing
from typing import TYPE_CHECKING

import tomli_w

from uv_self_update.cli.invocation import with_passphrase
from uv_self_update.cli.wrapped import packages_job
from uv_self_update.config import edit as config_edit
from uv_self_update.config import load as files
from uv_self_update.config.document import as_releases_table, as_table
from uv_self_update.config.exposure import is_exposing
from uv_self_update.config.kinds import check_source, parse_source
from uv_self_update.config.releases import ReleasesSettings, parse_releases_option
from uv_self_update.errors import (
    ConfigurationNotKept,
    NoArchive,
    NoPackages,
    UsageError,
    UvSelfUpdateError,
)
from uv_self_update.files import content_of
from uv_self_update.redaction import redact_url
from uv_self_update.sources.detection.detect import detect
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.process import SignalReceived, Signals
from uv_self_update.values import replace
from uv_self_update.workflow.package_survey import examine, survey
from uv_self_update.workflow.rehearse import hold
from uv_self_update.workflow.survey import Inspection, inspect, without_dates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.config.settings import Settings
    from uv_self_update.platforms import Platform


_log = logging.getLogger(__name__)

_SAVED = ".old"
_SHOWN = 5  # versions of a package that are named
_WITHOUT_PLAINTEXT = (
    "Remove them from the URL. Use `--username` and `--password-env`, or `--token-env`, with the "
    "name of an environment variable; or store them in a netrc file or with `uv auth login`. "
    "`--plaintext` stores the URL as it is."
)


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
    **credentials: str | None,
) -> None:
    """Configure URL as the source of uv."""
    section = parse_releases_option(url).source if for_packages else parse_source(url)
    section = _with_credentials(section, headers, credentials)
    file = invocation.user_file
    if not plaintext and is_exposing(section):
        reason = "refusing to store a URL that contains credentials; no request was sent"
        raise ConfigurationNotKept(file, reason, _WITHOUT_PLAINTEXT)
    if for_packages:
        _initialize_releases(invocation, ReleasesSettings(source=section))
        return
    before = content_of(file)
    try:
        with Signals():
            _initialize(invocation, section, rehearse=rehearse, force=force)
    except SignalReceived as error:
        changed = content_of(file) != before
        error.add_note(f"{file} was {'written' if changed else 'not changed'}")
        raise


def _initialize(
    invocation: Invocation, section: SourceSettings, *, rehearse: bool, force: bool
) -> None:
    file = invocation.user_file
    settings = replace(_settings(invocation, file), sources=(section,))
    old = _configured(file)
    if old and not force:
        named = ", ".join(_named(source) for source in old)
        reason = f"a source is already configured: {named}"
        hint = f"`--force` replaces it, and saves the file as {file.name}{_SAVED}."
        raise ConfigurationNotKept(file, reason, hint)
    uv = invocation.uv()
    settings = with_passphrase(settings, invocation.environ)
    with closing(OpenSources(settings, uv=uv, environ=invocation.environ)) as opened:
        source = _detect(section, opened, invocation).with_login_of(section)
    _write(file, source, old=bool(old))
    invocation.tell(f"Written to {file}.")
    if rehearse:
        _verify(replace(settings, sources=(source,)), invocation)
    origin = invocation.settings().origins.get("source", "")
    if origin == str(file):
        invocation.tell("`uv-self-update` now uses this source.")
    else:
        _log.warning("%s sets the source as well, and overrides %s", origin, file)


def _with_credentials(
    section: SourceSettings, headers: Sequence[str], credentials: Mapping[str, str | None]
) -> SourceSettings:
    """Return a source with credentials.

    Raises:
        UsageError: They are invalid, or the kind of source does not support them.
    """
    given = {
        name.replace("_", "-"): value for name, value in credentials.items() if value is not None
    }
    table = {**as_table(section), **given}
    if headers:
        table["header-env"] = {
            name: variable for name, _, variable in (header.partition("=") for header in headers)
        }
    source, problems = check_source(table)
    if problems:
        key, reason = problems[0]
        message = f"invalid `--{key}`: {reason}"
        raise UsageError(message)
    return source


def _settings(invocation: Invocation, file: Path) -> Settings:
    """Return the settings; the file to write need not exist yet."""
    if os.path.lexists(file):
        return invocation.settings()
    environ = {name: value for name, value in invocation.environ.items() if name != files.VARIABLE}
    return files.resolve(
        options=replace(invocation.options, config=None),
        environ=environ,
        user_file=file,
        site_file=files.site_file(),
    )


def _configured(file: Path) -> tuple[SourceSettings, ...]:
    """Return the sources of a configuration file; it need not exist."""
    return tuple(files.load(file).values.get("source", ())) if os.path.lexists(file) else ()


def _detect(section: SourceSettings, opened: OpenSources, invocation: Invocation) -> SourceSettings:
    """Report the kind and the releases of a source, and return its settings.

    Raises:
        SourceError: It cannot be used, or has no release for this platform.
    """
    with invocation.progress.task("Detecting the kind of the source"):
        detection = detect(section, opened.context)
    source = detection.settings
    why = f", because {detection.reason}" if detection.reason else ""
    invocation.tell(f"Detected `{source.kind}` at {_location(source)}{why}.")
    if detection.parent is not None:
        _log.warning(
            "This is the directory of one version, so no newer version will ever be found; "
            "for updates, use its parent: %s",
            redact_url(detection.parent),
        )
    if detection.newest is None:
        assert detection.lack is not None, "one of the two"  # noqa: S101 # for the type checker
        raise detection.lack
    version, platform = detection.newest.version, opened.platform
    found = inspect(detection.source, detection.newest, platform)
    if not found.archive:
        name = detection.source.name
        raise NoArchive(name, f"uv {version}", platform.archive, [version], ())
    invocation.tell(_described(version, found, platform))
    objection = detection.source.objection(detection.newest, opened.policy)
    if objection is not None and objection.undated:
        _log.warning("%s", without_dates(detection.source.name, objection))
    return source


def _verify(settings: Settings, invocation: Invocation) -> None:
    invocation.tell("Verifying: updating a temporary copy of uv.")
    try:
        with invocation.progress.task("Updating a temporary copy of uv"):
            rehearsal = hold(
                settings,
                invocation.installation(),
                target=None,
                start=None,
                options=("-q",),
                progress=invocation.progress,
            )
    except UvSelfUpdateError:
        _log.warning("%s was written, but the trial update failed", invocation.user_file)
        raise
    invocation.tell(rehearsal)


def _location(source: SourceSettings) -> str:
    return source.location or "the package index"


def _named(source: SourceSettings) -> str:
    return f"{source.kind}+{source.location}" if source.location else source.kind


def _described(version: str, found: Inspection, platform: Platform) -> str:
    versions = ", ".join(found.versions) + (", and older" if found.more else "")
    if found.wheel:
        archive, installer = "wheel for this platform", "not needed"
        digest = (found.digest or "none") + (" (weak)" if found.digest == "md5" else "")
    else:
        archive = platform.archive
        installer = platform.installer if found.installer else "none; ours is used"
        digest = "published" if found.digest else "not published"
    return (
        f"  versions   {versions}\n"
        f"  newest     {version}\n"
        f"  archive    {archive}\n"
        f"  installer  {installer}\n"
        f"  digest     {digest}"
        + (
            ""
            if found.dated
            else "\n  dates      none; `policy.min-age` would exclude every release"
        )
    )


def _write(file: Path, source: SourceSettings, *, old: bool) -> None:
    if old:
        config_edit.write(file.with_name(file.name + _SAVED), files.read(file))
    assignments = dict(config_edit.flatten({"source": [as_table(source)]}))
    config_edit.assign(file, assignments, remove=("source",) if old else (), plaintext=True)


def _initialize_releases(invocation: Invocation, settings: ReleasesSettings) -> None:
    """Examine a repository, write it into the configuration, and say what a project needs.

    Raises:
        NoPackages: It holds no package.
        ConfigurationNotKept: The configuration cannot be written.
    """
    job = packages_job(invocation, ())
    settings = examine(job, settings)
    rows = survey(replace(job, releases=[settings]))
    if not rows:
        raise NoPackages(_location(settings.source))
    print(f"Kind: {settings.source.kind}.")  # noqa: T201 # also with `-q`
    names = sorted({row.project for row in rows})
    for name in names:
        ours = [row for row in rows if row.project == name]
        versions = ", ".join(row.version for row in ours[:_SHOWN])
        more = " and older ones" if len(ours) > _SHOWN else ""
        invocation.tell(f"{name}: {versions}{more} ({', '.join(ours[0].platforms)})")
    file = invocation.user_file
    if _append(file, settings, names):
        invocation.tell(f"Written to {file}.")
    else:
        invocation.tell(f"{file} names this repository already, and was not changed.")
    invocation.tell(
        "`uv-self-update exec -- uv add NAME` adds a package, and writes into pyproject.toml:\n\n"
        f'[[tool.uv.index]]\nurl = "{rows[0].index}"'
    )


def _append(file: Path, releases: ReleasesSettings, names: Sequence[str]) -> bool:
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
