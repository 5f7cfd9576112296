"""One key of a configuration file: its name, its variable and the type of its value."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from uv_self_update.messages import invalid, shown
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


Layer = dict[str, tuple[Any, str]]
"""What one origin sets: dotted key -> parsed value, and the file or variable that sets it."""

Problems = list[tuple[str, str]]
"""Key and reason of everything that is wrong with a table."""


class InvalidValue(ValueError):
    """A value does not have the type of its field."""

    def __init__(self, *reasons: str) -> None:
        """Keep the reasons, which hold no secret."""
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class ValueType(ABC):
    """What the value of a field has to be."""

    secret: ClassVar[bool] = False
    """Whether a wrong value may be a secret, so that no message repeats it."""

    @property
    @abstractmethod
    def expected(self) -> str:
        """The shape of a value, as a message ends: `expected a URL`."""

    @abstractmethod
    def parse(self, value: object, directory: Path) -> Any:  # noqa: ANN401 # each type has its own
        """Return TOML's value as `Settings` keeps it.

        Args:
            value: What TOML has.
            directory: What a relative path is relative to.

        Raises:
            InvalidValue: It has another type.
        """

    def from_text(self, text: str) -> object:
        """Return what TOML would have for the text of a variable; `parse` may refuse it."""
        return text

    def is_path(self, text: str) -> bool:
        """Return whether a text is a path, which may be relative."""
        del text
        return False

    def invalid(self, value: object, *, detail: str = "") -> InvalidValue:
        """Return the error for a value of another type."""
        return self.error(got=invalid(value, secret=self.secret), detail=detail)

    def error(self, *, got: str, detail: str = "") -> InvalidValue:
        """Return the error for what a value is, in words."""
        return InvalidValue(f"{got}: expected {self.expected}{detail}")


@frozen
class Field:
    """One key of a configuration file."""

    name: str
    """The dotted key, as in `network.timeout`; in an array of tables, the key within a table."""

    type: ValueType
    required: bool = False
    """Whether a table has to have it."""

    help: str = ""
    """What it decides, as a comment in a new file."""

    example: str = ""
    """A line that sets it, without the name of its table."""

    @property
    def attribute(self) -> str:
        """The attribute that keeps the value: `client_key` for `network.client-key`."""
        return self.name.rpartition(".")[2].replace("-", "_")


def by_name(*fields: Field) -> dict[str, Field]:
    """Return fields by their names."""
    return {field.name: field for field in fields}


def parse_table(
    table: Mapping[str, object],
    fields: Mapping[str, Field],
    *,
    directory: Path,
    unknown: Callable[[str], str],
) -> tuple[dict[str, Any], Problems]:
    """Parse the keys of one table.

    Args:
        table: Key -> value; a key is named as its field is.
        fields: The fields that the table may have.
        directory: What relative paths are relative to.
        unknown: What to say of a key that is not among them.

    Returns:
        The parsed values, and the problems of the other keys.
    """
    values: dict[str, Any] = {}
    problems: Problems = []
    for key, value in table.items():
        if key not in fields:
            problems.append((shown(key), unknown(key)))
            continue
        try:
            values[key] = fields[key].type.parse(value, directory)
        except InvalidValue as error:
            problems += [(key, reason) for reason in error.reasons]
    return values, problems
