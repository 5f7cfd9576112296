"""`uv-self-update config`: show and change the settings."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uv_self_update.config import edit as config_edit
from uv_self_update.config import load as places
from uv_self_update.config.document import as_document, policy_rows
from uv_self_update.config.exposure import is_exposing, warn_if_exposed
from uv_self_update.config.settings import FIELDS
from uv_self_update.config.template import template
from uv_self_update.errors import ConfigurationError, InvalidConfiguration, UsageError, UvNotFound
from uv_self_update.home import home_directory
from uv_self_update.messages import shown
from uv_self_update.redaction import redact_url
from uv_self_update.url import DEFAULT_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.config.settings import Settings
    from uv_self_update.errors import Problem
    from uv_self_update.url import Origin


_log = logging.getLogger(__name__)

_NOTHING = "(none)"
_APPROVED = "policy.approved"
_MIN_AGE = "policy.min-age"
_READABLE = 0o444


def show(invocation: Invocation) -> None:
    """Show each setting with its value and its origin, and the credentials of each source."""
    settings = invocation.settings()
    rows = [*_rows(settings)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for key, value, origin in rows:
        click.echo(f"{key:<{widths[0]}} = {value:<{widths[1]}}  ({origin})")
    click.echo()
    for key, found in _credentials(settings, invocation):
        click.echo(f"credentials of {key}: {found}")
    click.echo()
    for name, path in (
        ("user file", invocation.known_user_file),
        ("system file", places.site_file()),
    ):
        remark = " (no home directory)" if path is None else ""
        remark = " (does not exist)" if path is not None and not _exists(path) else remark
        click.echo(f"{name}: {path or 'none'}{remark}")


def get(invocation: Invocation, key: str) -> None:
    """Print the value of KEY, including secrets; nothing if it is not set."""
    value = config_edit.get(as_document(invocation.settings()), key)
    if isinstance(value, list | dict):
        click.echo(config_edit.as_toml(config_edit.within(key, value)), nl=False)
    elif value is not None:
        click.echo(str(value).lower() if isinstance(value, bool) else value)


def check(invocation: Invocation, file: Path | None) -> None:
    """Validate the configuration FILE, such as a system file before it is deployed."""
    problems: list[Problem] = []
    known = [path for path in (invocation.known_user_file, places.site_file()) if path is not None]
    for path in [file] if file is not None else filter(_exists, known):
        try:
            values = places.load(path).values
        except InvalidConfiguration as invalid:
            problems += invalid.problems
        else:
            invocation.tell(f"{path} is valid: {', '.join(values) or 'no settings'}")
    if problems:
        raise InvalidConfiguration(problems, shared=places.shared_file(places.site_file()))


def set_(invocation: Invocation, pairs: tuple[str, ...], *, plaintext: bool, system: bool) -> None:
    """Set KEY to VALUE in the user file; several at once if one requires the other."""
    keys, values = pairs[::2], pairs[1::2]
    if len(keys) != len(values):
        reason = f"`{shown(keys[-1])}` has no value"
        raise UsageError(reason, hint="Keys and values alternate: `config set KEY VALUE`.")
    if plaintext and system:
        message = "`--plaintext` cannot be used with `--system`"
        reason = "All users can read that file: use `token-env` or `password-env`."
        raise UsageError(message, hint=reason)
    assignments = {key: _absolute(key, value) for key, value in zip(keys, values, strict=True)}
    file = _chosen(invocation, system=system)
    shared = _is_shared(file, invocation, system=system)
    config_edit.assign(file, assignments, plaintext=plaintext, shared=shared)
    if assignments.get(_MIN_AGE):
        _warn_of_undated(invocation.settings())
    _written(invocation, file, system=system)


def _warn_of_undated(settings: Settings) -> None:
    """Warn that `policy.min-age` needs upload times; no index is queried."""
    kinds = {source.kind for source in settings.sources}
    if settings.policy.longest_age is not None and kinds & {"auto", "index"}:
        _log.warning(
            "`%s` excludes every release of an index without upload times, such as devpi, "
            "pypiserver, proxpi and static pages; `uv-self-update releases` shows the rest",
            _MIN_AGE,
        )


def unset(invocation: Invocation, keys: tuple[str, ...], *, system: bool) -> None:
    """Remove each KEY from the user file."""
    file = _chosen(invocation, system=system)
    config_edit.remove(file, keys, shared=_is_shared(file, invocation, system=system))
    _written(invocation, file, system=system)


def path(invocation: Invocation, *, system: bool) -> None:
    """Print the path of the user file, which need not exist."""
    click.echo(_chosen(invocation, system=system))


def edit(invocation: Invocation, *, system: bool) -> None:
    """Open the user file in VISUAL or EDITOR, and validate it afterwards."""
    file = _chosen(invocation, system=system)
    if not _exists(file):
        shared = _is_shared(file, invocation, system=system)
        config_edit.write(file, template(), shared=shared)
    editor = invocation.environ.get("VISUAL") or invocation.environ.get("EDITOR") or None
    try:
        click.edit(filename=str(file), editor=editor, env=invocation.environ)
    # ValueError: quotes in EDITOR that do not match.
    except (click.ClickException, ValueError) as error:
        reason = error.format_message() if isinstance(error, click.ClickException) else str(error)
        message = f"failed to open {file} in an editor: {reason}"
        raise ConfigurationError(message, hint="Set VISUAL or EDITOR to a command.") from error
    places.load(file)


def _chosen(invocation: Invocation, *, system: bool) -> Path:
    """Return the file that a command reads or writes.

    Raises:
        NoHomeDirectory: There is no user file.
        UsageError: `--config` and `--system` are both given.
    """
    if not system:
        return invocation.user_file
    if invocation.options.config is not None:
        message = "`--config` cannot be used with `--system`"
        raise UsageError(message, hint="Each of them names a file: remove one.")
    return places.site_file()


def _is_shared(file: Path, invocation: Invocation, *, system: bool) -> bool:
    """Return whether other users must be able to read a file: one outside of the home directory."""
    if system:
        return True
    if invocation.options.config is None and not invocation.environ.get(places.VARIABLE):
        return False
    home = home_directory(invocation.environ)
    return home is None or not file.absolute().is_relative_to(home)


def _written(invocation: Invocation, file: Path, *, system: bool) -> None:
    """Report the file that was written, and warn if others can read a secret in it."""
    invocation.tell(f"Written to {file}.")
    configured = places.load(file).places
    warn_if_exposed(file, configured, shared=system)
    if system and not any(map(is_exposing, configured)):
        # Users who cannot read it could not update.
        with contextlib.suppress(OSError):
            file.chmod(file.stat().st_mode | _READABLE)


def _rows(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield each setting, its value and its origin; a rule that two files set appears twice."""
    values = dict(config_edit.flatten(as_document(settings)))
    rules = [*policy_rows(settings)]
    for key, value in values.items():
        array = key.partition(".")[0]
        if array in places.ARRAYS:
            yield key, _display(value), settings.origins.get(array, "default")
    for key in FIELDS:
        found = [row for row in rules if row[0] == key or row[0].startswith(f"{key}.")]
        if key in values and not found:
            found = [(key, values[key], settings.origins.get(key, "default"))]
        for name, value, origin in found or [(key, _NOTHING, "default")]:
            yield name, _display(value), origin


def _credentials(settings: Settings, invocation: Invocation) -> Iterator[tuple[str, str]]:
    """Yield the key of each source, the origin of its credentials, and the server they are for."""
    # `get` and `set` need none of this.
    from uv_self_update.auth.programs import LoginPrograms  # noqa: PLC0415
    from uv_self_update.sources.authentication import credentials_of  # noqa: PLC0415

    try:
        uv = invocation.uv()
    except UvNotFound:
        uv = None
    programs = LoginPrograms(uv=uv, environ=invocation.environ)
    named = [(f"source.{number}", source) for number, source in enumerate(settings.sources)]
    named += [
        (f"releases.{number}", releases.source) for number, releases in enumerate(settings.releases)
    ]
    for key, configured in named:
        section = _likely(configured)
        if section.kind == "index":
            yield key, "uv's own, as for packages"
            continue
        found = credentials_of(
            section,
            invocation.environ,
            given=settings.token,
            guessed=configured.kind == "auto",
            programs=programs,
        ).described()
        known = [f"{place} for {_address(origin)}" for origin, place in found.items() if place]
        yield key, ", ".join(known) or "none"


def _likely(section: SourceSettings) -> SourceSettings:
    """Resolve a source of kind `auto` if its URL alone is enough; no request is sent."""
    from uv_self_update.sources.detection.clues import from_url, source_url  # noqa: PLC0415 # as above

    if section.kind != "auto" or section.url is None:
        return section
    said = (clue.settings for clue in from_url(source_url(section.url)))
    return next((found.with_login_of(section) for found in said if found), section)


def _address(origin: Origin) -> str:
    scheme, host, port = origin
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + ("" if port == DEFAULT_PORTS.get(scheme) else f":{port}")


def _absolute(key: str, value: str) -> str:
    """Make a path absolute: in the file, it would be relative to the file's directory.

    Raises:
        UsageError: The list of approved versions does not exist.
    """
    is_path = key in FIELDS and FIELDS[key].type.is_path(value)
    if is_path and key == _APPROVED and not _is_file(value):
        message = f"invalid `{key}`: `{shown(value)}` is not a version, a URL, or an existing file"
        raise UsageError(message, hint='Separate versions by spaces or commas: "0.12.24 0.13.9".')
    is_relative = is_path and value and not value.startswith("~")
    return str(Path(value).absolute()) if is_relative else value


def _is_file(path: str) -> bool:
    try:
        return Path(path).expanduser().is_file()
    # No home directory for `~`, an unreadable directory, or not a path at all.
    except (OSError, RuntimeError, ValueError):
        return False


def _display(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return redact_url(text) if "://" in text else text


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
