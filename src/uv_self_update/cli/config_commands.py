"""The commands of `uv-self-update config`, declared for click; `config` does what they say."""

from __future__ import annotations

from pathlib import Path

import click

from uv_self_update.cli.help import Group


def _keys(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the keys of the settings that complete a word."""
    from uv_self_update.config.settings import FIELDS  # noqa: PLC0415 # for a shell only

    return [key for key in FIELDS if key.startswith(incomplete)]


_system = click.option(
    "--system", is_flag=True, help="Use the system configuration file instead of the user's."
)


@click.group(
    cls=Group,
    examples=("uv-self-update config show", "uv-self-update config set network.timeout 60"),
)
def config() -> None:
    """Show and change the settings.

    In order of precedence, a setting comes from the command line, the environment, the user file,
    the system file, or the default. The rules of `policy` in the system file apply in addition to
    the user's. `set`, `unset` and `edit` change the user file, or the system file with `--system`.
    """


@config.command(body="config:show", examples=("uv-self-update config show",))
def show() -> None:
    """Show each setting with its value and its origin, and the credentials of each source.

    Credentials of uv, `keyring` and `gh` are looked up for sources without other credentials.
    """


@config.command(
    body="config:get",
    examples=("uv-self-update config get source.url", "uv-self-update config get policy"),
)
@click.argument("key", shell_complete=_keys)
def get() -> None:
    """Print the value of KEY, including secrets; nothing if it is not set.

    This is the effective value. For a rule in `policy`, it is the user's own; `show` lists the
    rules of all files.

    KEY is dotted: `network.timeout`, `source.0.url`, or a table such as `network`.
    """


@config.command(
    body="config:check",
    examples=("uv-self-update config check", "uv-self-update config check ./config.toml"),
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
def check() -> None:
    """Validate the configuration FILE, such as a system file before it is deployed.

    The exit code is 0 if it is valid. Otherwise it is 3, and every problem is listed. Without FILE,
    the user file and the system file are validated.
    """


@config.command(
    "set",
    body="config:set_",
    context_settings={"ignore_unknown_options": True},
    examples=(
        "uv-self-update config set network.timeout 60",
        "uv-self-update config set source.kind s3 source.url https://s3.example/uv/",
        "uv-self-update config set source.token-env MIRROR_TOKEN",
        'uv-self-update config set policy.min-age "3 days" policy.approved "0.12.24 0.13.9"',
        "uv-self-update config set source.header-env.X-JFrog-Art-Api ARTIFACTORY_KEY",
        'uv-self-update config set releases.packages "internal-* tools"',
    ),
)
@click.argument(
    "pairs", nargs=-1, required=True, metavar="KEY VALUE [KEY VALUE]...", shell_complete=_keys
)
@click.option("--plaintext", is_flag=True, help="Store a URL that contains credentials.")
@_system
def set_() -> None:
    """Set KEY to VALUE in the user file; several at once if one requires the other.

    `source.url` is the URL of the first source, `source.1.url` that of the second; `releases` is
    numbered likewise. Changing the kind of a source removes all its settings that are not set in
    the same command.
    """


@config.command(
    body="config:unset",
    examples=("uv-self-update config unset network.timeout", "uv-self-update config unset source"),
)
@click.argument("keys", nargs=-1, required=True, metavar="KEY...", shell_complete=_keys)
@_system
def unset() -> None:
    """Remove each KEY from the user file.

    KEY may also be a whole table: `source` for all sources, `source.1` for the second, `network`.
    """


@config.command(body="config:path", examples=("uv-self-update config path",))
@_system
def path() -> None:
    """Print the path of the user file, which need not exist."""


@config.command(body="config:edit", examples=("uv-self-update config edit",))
@_system
def edit() -> None:
    """Open the user file in VISUAL or EDITOR, and validate it afterwards."""
