"""Commands that are imported when they are used: each imports what the others do not need.

A list of them is no use: it takes the summaries from the table.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Lazy(NamedTuple):
    """One of them."""

    place: str
    """`MODULE:ATTRIBUTE`; a module is one of this package."""

    summary: str
    """The first sentence of its help."""


class LazyCommands(MutableMapping[str, click.Command]):
    """The commands of a group, by their names."""

    def __init__(self, table: Mapping[str, Lazy]) -> None:
        self._table = dict(table)
        self._commands: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._commands:
            module, _, attribute = self._table[name].place.partition(":")
            found: click.Command = getattr(import_module(f"{__package__}.{module}"), attribute)
            self._commands[name] = found
        return self._commands[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._table[name] = Lazy("", summary(command))
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        del self._table[name]
        self._commands.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def summaries(self) -> dict[str, str]:
        """Return the first sentence of the help of each command, by its name."""
        return {name: lazy.summary for name, lazy in self._table.items()}


def summary(command: click.Command) -> str:
    """Return the first sentence of the help of a command."""
    return (command.help or "").partition("\n\n")[0].replace("\n", " ")
