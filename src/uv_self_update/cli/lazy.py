"""Commands that are imported when they are used: each imports what the others do not need."""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class LazyCommands(MutableMapping[str, click.Command]):
    """The commands of a group, by their names."""

    def __init__(self, places: Mapping[str, str]) -> None:
        """Prepare, given `MODULE:ATTRIBUTE` of each command; a module is one of this package."""
        self._places = dict(places)
        self._commands: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._commands:
            module, _, attribute = self._places[name].partition(":")
            found: click.Command = getattr(import_module(f"{__package__}.{module}"), attribute)
            self._commands[name] = found
        return self._commands[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._places.setdefault(name, "")
        self._commands[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]
        self._commands.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
