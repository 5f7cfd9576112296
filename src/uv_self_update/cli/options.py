"""Options of uv's that other commands than the update have as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable


_Command = TypeVar("_Command", bound="Callable[..., object]")

# They are here to be listed: `cli` has read them already, whichever command they stand with. Which
# certificates uv trusts is nothing to us: we trust those of the operating system anyway.
_OPTIONS = (
    click.option(
        "--token",
        metavar="TOKEN",
        expose_value=False,
        help="A GitHub token, for sources of kind `github`. [env: UV_GITHUB_TOKEN]",
    ),
    click.option(
        "--allow-insecure-host",
        metavar="HOST",
        multiple=True,
        expose_value=False,
        help="Do not check the certificate of this host; can be repeated. [env: UV_INSECURE_HOST]",
    ),
    click.option("--trusted-host", multiple=True, expose_value=False, hidden=True),
    click.option("--native-tls", "--system-certs", is_flag=True, expose_value=False, hidden=True),
)


def options_of_uv(command: _Command) -> _Command:
    """Let a command accept `--token`, `--allow-insecure-host` and the like."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
