"""How click shows the options that `main` has taken out of the command line already."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from uv_self_update.cli.options import Option


_Command = TypeVar("_Command", bound="Callable[..., object]")

NAMES = {"help_option_names": ["-h", "--help"]}
"""The context settings of every command."""


def listed(*table: Option) -> Callable[[_Command], _Command]:
    """Let a command accept and list options whose values it does not get."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(table):
            variable = f" [env: {option.variable}]" if option.variable else ""
            command = click.option(
                option.name,
                metavar=option.metavar,
                type=click.Choice(option.choices) if option.choices else None,
                is_flag=option.is_flag,
                multiple=not option.is_flag,
                expose_value=False,
                hidden=not option.help,
                help=option.help + variable,
            )(command)
        return command

    return decorate
