"""`uv-self-update config`: see and change the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from uv_self_update import config as files
from uv_self_update import config_edit
from uv_self_update.errors import ConfigurationError, UsageError
from uv_self_update.secret import redact_url
from uv_self_update.settings import KEYS

if TYPE_CHECKING:
    from pathlib import Path

    from uv_self_update.invocation import Invocation

__all__ = ("TEMPLATE", "config")

_NOTHING = "(none)"

TEMPLATE = """\
# The configuration of uv-self-update. What is commented out here shows what can be set.

# Where uv's releases come from: sources, tried in order; the first that answers is used.
# With none at all, they come from the package index that uv itself uses.

# A URL is enough: what serves it is found out whenever it is used. `uv-self-update init URL` finds
# it out once, and writes down what it has found.
#[[source]]
#kind = "auto"
#url = "https://mirror.example.com/uv/"

# A package index other than uv's own default:
#[[source]]
#kind = "index"
#url = "https://nexus.example.com/repository/pypi/simple/"

# GitHub, GitHub Enterprise, or a server laid out like one:
#[[source]]
#kind = "github"
#url = "https://github.example.com/astral-sh/uv"

# What companies keep files in. The documentation has a page for each of them.
#[[source]]
#kind = "nexus"
#url = "https://nexus.example.com/repository/uv/"

#[[source]]
#kind = "artifactory"
#url = "https://artifactory.example.com/artifactory/uv/"

#[[source]]
#kind = "gitlab"
#url = "https://gitlab.example.com/group/project"

#[[source]]
#kind = "gitea"
#url = "https://gitea.example.com/owner/repository"

#[[source]]
#kind = "s3"
#url = "https://bucket.s3.eu-central-1.amazonaws.com/uv/"

# A web server that shows its folders: nginx, Apache, Caddy, IIS.
#[[source]]
#kind = "listing"
#url = "https://files.example.com/uv/"

# A copy or a proxy of releases.astral.sh.
#[[source]]
#kind = "astral"
#url = "https://mirror.example.com/astral/"

# A folder, a share, a mounted volume.
#[[source]]
#kind = "directory"
#path = "/mnt/share/uv"

# Any other place, described by URLs. `latest` may be GitHub's JSON, Astral's ndjson or a bare
# version; without it, a version has to be given with each update. `release` may be left out.
#[[source]]
#kind = "urls"
#latest = "https://example.com/uv/latest.json"
#release = "https://example.com/uv/{tag}.json"
#download = "https://example.com/uv/{tag}/{asset}"

#[install]
# auto: the release's own installer where it has one. release: always that one. native: never.
#installer = "auto"

#[network]
# Seconds to wait for a connection, and for each piece of an answer.
#timeout = 30
# Certificate authorities to trust beside those of the system; relative to this file.
#ca-bundle = "company.pem"
"""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def config() -> None:
    """See and change the settings.

    Command line, environment, user file, site file, default: the first that has a setting
    decides it. `set`, `unset` and `edit` change the user file.
    """


@config.command()
@click.pass_obj
def show(invocation: Invocation) -> None:
    """Show each setting, its value and where that comes from."""
    settings = invocation.settings()
    values = dict(config_edit.flatten(files.as_document(settings)))
    unset = dict.fromkeys(KEYS.keys() - values.keys(), _NOTHING)
    rows = [
        (key, _display(value), settings.origins.get(_origin_key(key), "default"))
        for key, value in {**values, **unset}.items()
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    for key, value, origin in rows:
        click.echo(f"{key:<{widths[0]}} = {value:<{widths[1]}}  ({origin})")
    click.echo()
    for name, path in (("user file", invocation.user_file), ("site file", files.site_file())):
        click.echo(f"{name}: {path}{'' if _exists(path) else ' (does not exist)'}")


@config.command()
@click.argument("key")
@click.pass_obj
def get(invocation: Invocation, key: str) -> None:
    """Print the value of KEY as it is, passwords and all; nothing if it has none.

    KEY is dotted: `network.timeout`, `source.0.url`, or a table such as `network`.
    """
    value = config_edit.get(files.as_document(invocation.settings()), key)
    section = key.partition(".")[0]
    if isinstance(value, list):
        click.echo(config_edit.as_toml({section: value}), nl=False)
    elif isinstance(value, dict):
        table = [value] if section == "source" else value
        click.echo(config_edit.as_toml({section: table}), nl=False)
    elif value is not None:
        click.echo(value)


@config.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("pairs", nargs=-1, required=True, metavar="KEY VALUE [KEY VALUE]...")
@click.pass_obj
def set_(invocation: Invocation, pairs: tuple[str, ...]) -> None:
    """Set KEY to VALUE in the user file; several at once, where one needs the other.

    \b
    uv-self-update config set network.timeout 60
    uv-self-update config set source.kind github source.url https://github.example.com/mirror/uv

    `source.url` is the URL of the first source, `source.1.url` that of the second. A source that
    changes its kind starts anew: what is not set in the same step goes.
    """  # noqa: D301 # the backspace tells click not to wrap the examples
    keys, values = pairs[::2], pairs[1::2]
    if len(keys) != len(values):
        reason = f"`{keys[-1]}` has no value"
        raise UsageError(reason, hint="Keys and values alternate: `config set KEY VALUE`.")
    config_edit.assign(invocation.user_file, dict(zip(keys, values, strict=True)))


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
        config_edit.write(file, TEMPLATE)
    editor = invocation.environ.get("VISUAL") or invocation.environ.get("EDITOR") or None
    try:
        click.edit(filename=str(file), editor=editor, env=invocation.environ)
    # ValueError: quotes in EDITOR that do not match.
    except (click.ClickException, ValueError) as error:
        reason = error.format_message() if isinstance(error, click.ClickException) else str(error)
        message = f"{file} could not be opened in an editor: {reason}"
        raise ConfigurationError(message, hint="Set VISUAL or EDITOR to a command.") from error
    files.load(file)


def _origin_key(key: str) -> str:
    return "source" if key.startswith("source.") else key


def _display(value: object) -> str:
    text = str(value)
    return redact_url(text) if "://" in text else text


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False
