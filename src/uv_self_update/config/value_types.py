"""Types of values that any table may have: switches, choices, numbers, names, files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.config.field import ValueType
from uv_self_update.messages import listed, shown, suggestion
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Collection


@frozen
class Flag(ValueType):
    """True or false."""

    expected = "`true` or `false`"

    def parse(self, value: object, _directory: Path) -> bool:
        if not isinstance(value, bool):
            raise self.invalid(value)
        return value

    def from_text(self, text: str) -> object:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)


@frozen
class Choice(ValueType):
    """One of a few words."""

    words: Collection[str]

    @property
    def expected(self) -> str:
        return listed(self.words)

    def parse(self, value: object, _directory: Path) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise self.invalid(value, detail=suggestion(value, self.words))
        return value


@frozen
class Number(ValueType):
    """A number within bounds."""

    words: str
    """The bounds in words."""

    above: float
    """The greatest number that is too small."""

    most: float
    whole: bool = False

    @property
    def expected(self) -> str:
        return self.words

    def parse(self, value: object, _directory: Path) -> float:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            raise self.invalid(value)
        if not self.above < value <= self.most:
            # Python refuses to write an integer of some thousand digits.
            raise self.error(got="value out of range")
        return value if self.whole else float(value)

    def from_text(self, text: str) -> object:
        for number in (int, float):
            try:
                return number(text)
            except ValueError:
                continue
        return text


@frozen
class Name(ValueType):
    """A name, such as that of a package."""

    expected = "a name of letters, digits, `-`, `_` and `.`"

    def parse(self, value: object, _directory: Path) -> str:
        if not isinstance(value, str) or not re.fullmatch(r"[\w.+~-]+", value):
            raise self.invalid(value)
        return value


@frozen
class Patterns(ValueType):
    """Names of packages, or glob patterns of them; normalized as PEP 503 says."""

    expected = 'a list of names or patterns, such as `["internal-*"]`'

    def parse(self, value: object, _directory: Path) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise self.invalid(value)
        for item in value:
            if not isinstance(item, str) or not re.fullmatch(r"[\w.*?\[\]!-]+", item):
                raise self.invalid(item)
        # `packaging.utils` does the same, and is slow to import.
        return tuple(re.sub(r"[-_.]+", "-", item).lower() for item in value)

    def from_text(self, text: str) -> object:
        return text.replace(",", " ").split()


@frozen
class PemFile(ValueType):
    """The path of a PEM file that exists."""

    expected = "the path of a PEM file"

    def parse(self, value: object, directory: Path) -> Path:
        if not isinstance(value, str) or not value:
            raise self.invalid(value)
        if "-----BEGIN" in value:
            raise self.error(got="the value is the content of a file")
        try:
            path = directory / Path(value).expanduser()
            if path.is_file():
                return path
        # No home directory to replace `~`; a directory without access; a name that is too long.
        except (RuntimeError, OSError) as error:
            raise self.invalid(value, detail=f" ({error})") from None
        raise self.error(got=f"`{shown(str(path))}` is not a file")

    def is_path(self, _text: str) -> bool:
        return True
