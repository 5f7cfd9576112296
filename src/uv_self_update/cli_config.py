"""`uv-self-update config`: see and change the settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from uv_self_update import config as files
from uv_self_update import config_edit
from uv_self_update.config_document import as_document, policy_rows
from uv_self_update.errors import ConfigurationError, UsageError, UvNotFound
from uv_self_update.exposure import warn_if_exposed
from uv_self_update.logins.credentials import DEFAULT_PORTS
from uv_self_update.policy_keys import APPROVED, is_place
from uv_self_update.secret import redact_url
from uv_self_update.settings import KEYS, PATH_KEYS
from uv_self_update.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.invocation import Invocation
    from uv_self_update.kinds import SourceSettings
    from uv_self_update.logins.credentials import Origin
    from uv_self_update.settings import Settings

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

# Any of them can have a login. The keys name environment variables, which hold the secrets; logins
# of a netrc file and of `uv auth login` are found without a key.
#[[source]]
#url = "https://files.example.com/private/uv/"
#username = "robot"
#password-env = "MIRROR_PASSWORD"

#[[source]]
#url = "https://files.example.com/with/token/uv/"
#token-env = "MIRROR_TOKEN"

#[[source]]
#url = "https://artifactory.example.com/artifactory/private-uv/"
#header-env = { X-JFrog-Art-Api = "ARTIFACTORY_KEY" }

#[install]
# native: ours, which may be killed at any instant. release: the release's own. auto: ours, unless
# uv was installed in a way that only the release's own knows.
#installer = "auto"
# Whether a uv is updated too that has no receipt, or one about another folder.
#adopt = false

# Which releases may be taken. What an administrator says in the site file holds as well.
#[policy]
#versions = ">=0.11,<0.14"
#min-age = "3 days"
# true: pre-releases count as the newest. false: none is taken. Unset: only those that are named.
#prerelease = false
# Whether a release that was taken back may be asked for by its name.
#yanked = false
# The only versions there are: a list, or the URL or the path of one; relative to this file.
#approved = ["0.12.24", "0.13.9"]
# Whether a file without a digest is refused.
#require-digest = true

# Digests of your own, whatever the source says: of the archive for this machine, or of the wheel.
#[policy.digests."0.13.9"]
#"uv-x86_64-unknown-linux-gnu.tar.gz" = "0000000000000000000000000000000000000000000000000000000000000000"

#[network]
# Seconds to wait for each piece of an answer, and for a connection.
#timeout = 30
#connect-timeout = 10
# How often a request that failed on the way is sent again.
#retries = 3
# Certificate authorities to trust beside those of the system; relative to this file.
#ca-bundle = "company.pem"
# The certificate that says who is asking, and its key where that is not in the same file. The
# passphrase of the key is asked for, or is in UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE.
#client-cert = "me.pem"
#client-key = "me.key"
"""  # noqa: E501 # the name of an archive and its digest are as long as they are


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def config() -> None:
    """See and change the settings.

    Command line, environment, user file, site file, default: the first that has a setting
    decides it. `set`, `unset` and `edit` change the user file.
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
    for name, path in (("user file", invocation.user_file), ("site file", files.site_file())):
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
    written = files.load(invocation.user_file)
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
    from uv_self_update.logins.programs import LoginPrograms  # noqa: PLC0415
    from uv_self_update.sources.logins import credentials_of  # noqa: PLC0415

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
    from uv_self_update.sources.clues import from_url, proper  # noqa: PLC0415 # as above

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
