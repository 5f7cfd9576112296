"""`uv-self-update config`: see and change the settings."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uv_self_update.auth.credentials import DEFAULT_PORTS
from uv_self_update.config import edit as config_edit
from uv_self_update.config import load as places
from uv_self_update.config.document import as_document, policy_rows
from uv_self_update.config.exposure import warn_if_exposed
from uv_self_update.config.policy_keys import APPROVED, is_place
from uv_self_update.config.settings import KEYS, PATH_KEYS
from uv_self_update.errors import ConfigurationError, UsageError, UvNotFound
from uv_self_update.messages import shown
from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.auth.credentials import Origin
    from uv_self_update.cli.invocation import Invocation
    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.config.settings import Settings


_NOTHING = "(none)"


def template() -> str:
    """Return what a new file says: everything that can be set, commented out."""
    return files("uv_self_update.config").joinpath("template.toml").read_text(encoding="utf-8")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def config() -> None:
    """See and change the settings.

    Command line, environment, user file, site file, default: the first that has a setting
    decides it, but for `policy`: there the rules of the site file hold as well. `set`, `unset` and
    `edit` change the user file.
    """


@config.command()
@click.pass_obj
def show(invocation: Invocation) -> None:
    """Show each setting, its value and where that comes from; and whose login each source gets.

    uv, `keyring` and `gh` are asked for logins where nothing else has one.
    """
    settings = invocation.settings()
    rows = [*_rows(settings)]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for key, value, origin in rows:
        click.echo(f"{key:<{widths[0]}} = {value:<{widths[1]}}  ({origin})")
    click.echo()
    for number, login in enumerate(_logins(settings, invocation)):
        click.echo(f"login of source.{number}: {login}")
    click.echo()
    for name, path in (("user file", invocation.user_file), ("site file", places.site_file())):
        click.echo(f"{name}: {path}{'' if _exists(path) else ' (does not exist)'}")


@config.command()
@click.argument("key")
@click.pass_obj
def get(invocation: Invocation, key: str) -> None:
    """Print the value of KEY as it is, passwords and all; nothing if it has none.

    It is the value that counts, wherever it comes from. Of rules in `policy`, which hold in several
    places at once, it is your own; `show` has them all.

    KEY is dotted: `network.timeout`, `source.0.url`, or a table such as `network`.
    """
    value = config_edit.get(as_document(invocation.settings()), key)
    if isinstance(value, list | dict):
        click.echo(config_edit.as_toml(config_edit.within(key, value)), nl=False)
    elif value is not None:
        click.echo(str(value).lower() if isinstance(value, bool) else value)


@config.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("pairs", nargs=-1, required=True, metavar="KEY VALUE [KEY VALUE]...")
@click.option("--plaintext", is_flag=True, help="Write a URL with a password or a token in it.")
@click.pass_obj
def set_(invocation: Invocation, pairs: tuple[str, ...], *, plaintext: bool) -> None:
    """Set KEY to VALUE in the user file; several at once, where one needs the other.

    \b
    uv-self-update config set network.timeout 60
    uv-self-update config set source.kind github source.url https://github.example.com/mirror/uv
    uv-self-update config set source.token-env MIRROR_TOKEN
    uv-self-update config set policy.min-age "3 days" policy.approved "0.12.24 0.13.9"
    uv-self-update config set source.header-env.X-JFrog-Art-Api ARTIFACTORY_KEY

    `source.url` is the URL of the first source, `source.1.url` that of the second. A source that
    changes its kind starts anew: what is not set in the same step goes.
    """  # noqa: D301 # the backspace tells click not to wrap the examples
    keys, values = pairs[::2], pairs[1::2]
    if len(keys) != len(values):
        reason = f"`{shown(keys[-1])}` has no value"
        raise UsageError(reason, hint="Keys and values alternate: `config set KEY VALUE`.")
    assignments = {key: _absolute(key, value) for key, value in zip(keys, values, strict=True)}
    config_edit.assign(invocation.user_file, assignments, plaintext=plaintext)
    written = places.load(invocation.user_file)
    warn_if_exposed(written.path, written.values.get("source", ()), shared=False)


@config.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@click.pass_obj
def unset(invocation: Invocation, keys: tuple[str, ...]) -> None:
    """Take each KEY out of the user file.

    KEY may also be a whole table: `source` for all sources, `source.1` for the second, `network`.
    """
    config_edit.remove(invocation.user_file, keys)


@config.command()
@click.pass_obj
def path(invocation: Invocation) -> None:
    """Print the path of the user file, which need not exist."""
    click.echo(invocation.user_file)


@config.command()
@click.pass_obj
def edit(invocation: Invocation) -> None:
    """Open the user file in VISUAL or EDITOR, and check it afterwards."""
    file = invocation.user_file
    if not _exists(file):
        config_edit.write(file, template())
    editor = invocation.environ.get("VISUAL") or invocation.environ.get("EDITOR") or None
    try:
        click.edit(filename=str(file), editor=editor, env=invocation.environ)
    # ValueError: quotes in EDITOR that do not match.
    except (click.ClickException, ValueError) as error:
        reason = error.format_message() if isinstance(error, click.ClickException) else str(error)
        message = f"{file} could not be opened in an editor: {reason}"
        raise ConfigurationError(message, hint="Set VISUAL or EDITOR to a command.") from error
    places.load(file)


def _rows(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Yield each setting, its value and where it comes from; a rule of two places twice."""
    values = dict(config_edit.flatten(as_document(settings)))
    rules = [*policy_rows(settings)]
    for key, value in values.items():
        if key.startswith("source."):
            yield key, _display(value), settings.origins.get("source", "default")
    for key in KEYS:
        found = [row for row in rules if row[0] == key or row[0].startswith(f"{key}.")]
        if key in values and not found:
            found = [(key, values[key], settings.origins.get(key, "default"))]
        for name, value, origin in found or [(key, _NOTHING, "default")]:
            yield name, _display(value), origin


def _logins(settings: Settings, invocation: Invocation) -> Iterator[str]:
    """Yield where the login of each source comes from, and for which server it is."""
    # `get` and `set` need none of this.
    from uv_self_update.auth.programs import LoginPrograms  # noqa: PLC0415
    from uv_self_update.sources.authentication import credentials_of  # noqa: PLC0415

    try:
        uv = invocation.uv()
    except UvNotFound:
        uv = None
    programs = LoginPrograms(uv=uv, environ=invocation.environ)
    for configured in settings.sources:
        section = _likely(configured)
        if section.kind == "index":
            yield "uv's own, as for packages"
            continue
        found = credentials_of(
            section,
            invocation.environ,
            given=settings.token,
            guessed=configured.kind == "auto",
            programs=programs,
        ).described()
        known = [f"{place} for {_address(origin)}" for origin, place in found.items() if place]
        yield ", ".join(known) or "none"


def _likely(section: SourceSettings) -> SourceSettings:
    """Return what a source of kind `auto` is if its URL alone says so; nobody is asked."""
    from uv_self_update.sources.detection.clues import from_url, proper  # noqa: PLC0415 # as above

    if section.kind != "auto" or section.url is None:
        return section
    said = (clue.settings for clue in from_url(proper(section.url)))
    return next((found.with_login_of(section) for found in said if found), section)


def _address(origin: Origin) -> str:
    scheme, host, port = origin
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" + ("" if port == DEFAULT_PORTS.get(scheme) else f":{port}")


def _absolute(key: str, value: str) -> str:
    """Return a path as the file has to have it, where it would be relative to the file's folder.

    Raises:
        UsageError: It should be the path of a list of versions, and there is none.
    """
    is_list = key == APPROVED and value != "" and is_place(value)
    if is_list and not _is_file(value):
        reason = f"there is no file `{shown(value)}`, and it is neither versions nor a URL"
        message = f"`{key}` cannot be set: {reason}"
        raise UsageError(message, hint='Versions have blanks or commas between: "0.12.24 0.13.9".')
    is_path = (key in PATH_KEYS or is_list) and not value.startswith("~")
    return str(Path(value).absolute()) if is_path and value else value


def _is_file(path: str) -> bool:
    try:
        return Path(path).expanduser().is_file()
    # No home to put in place of `~`; a folder that may not be entered, what is no path at all.
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
