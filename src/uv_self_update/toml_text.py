"""TOML as text: one key changed or taken out, and every other line left as a person wrote it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

__all__ = ("KeyPath", "parsed", "with_value", "without")

KeyPath = tuple[str | int, ...]
"""A dotted key, taken apart; the tables of an array are counted from 0."""

_NAME = r"""(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_NAMES = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_TABLE = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_NAMES})")
_PAIR = re.compile(rf"[ \t]*({_NAMES})[ \t]*=[ \t]*")


@dataclass(frozen=True, kw_only=True)
class _Statement:
    """A line of TOML, or the several lines that one value takes."""

    text: str
    keys: KeyPath = ()
    """What it opens or sets, from the top of the document; empty for a comment."""

    opens: bool = False
    """Whether it is the head of a table."""

    start: int = 0
    """Where its value starts in its text."""

    @property
    def table(self) -> KeyPath:
        """The table that it opens, or that it sets a key of."""
        return self.keys if self.opens else self.keys[:-1]

    @property
    def comment(self) -> str:
        """What follows the statement on its last line, from the `#` on."""
        marks = (mark.start() for mark in re.finditer("#", self.text))
        # A `#` within a string leaves that string without its end.
        return next((self.text[mark:] for mark in marks if parsed(self.text[:mark])), "")

    @property
    def body(self) -> str:
        """The statement without its comment and what is white around that."""
        return self.text.removesuffix(self.comment).rstrip()

    @property
    def hides_comments(self) -> bool:
        """Whether there may be comments between its lines."""
        return "\n" in self.body and "#" in self.body


def parsed(text: str) -> dict[str, Any] | None:
    """Return what TOML says; None for what is not TOML."""
    import tomllib  # noqa: PLC0415 # most commands read no file, and need no parser

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _statements(text: str) -> list[_Statement]:
    """Take TOML apart; what comes out is the whole text, in order."""
    found: list[_Statement] = []
    table: KeyPath = ()
    sources = 0
    pending = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        pending += line
        if parsed(pending) is None:
            continue  # its value goes on in the next line
        if head := _TABLE.match(pending):
            table = _names(head[2])
            if head[1] == "[[" and table == ("source",):
                table = ("source", sources)
                sources += 1
            found.append(_Statement(text=pending, keys=table, opens=True))
        elif pair := _PAIR.match(pending):
            keys = table + _names(pair[1])
            found.append(_Statement(text=pending, keys=keys, start=pair.end()))
        else:
            found.append(_Statement(text=pending))
        pending = ""
    return [*found, _Statement(text=pending)]


def _names(dotted: str) -> KeyPath:
    node: Any = parsed(f"{dotted} = 0")
    names = []
    while node:
        [(name, node)] = node.items()
        names.append(name)
    return tuple(names)


def with_value(text: str, keys: KeyPath, new: object) -> str:
    """Return TOML with a key set, changing or adding one line; unchanged if it cannot be done."""
    import tomli_w  # noqa: PLC0415 # only a change needs it

    value = tomli_w.dumps({"v": new}).removeprefix("v = ").rstrip()
    newline = "\r\n" if "\r\n" in text else "\n"
    statements = _statements(text)
    texts = [statement.text for statement in statements]
    place = None
    for index, statement in enumerate(statements):
        if statement.keys == keys:
            if not statement.hides_comments:
                after = statement.text[len(statement.body) :]
                texts[index] = statement.text[: statement.start] + value + after
            return "".join(texts)
        if statement.keys and statement.table == keys[:-1]:
            place = index
    if place is None:
        head = f"[{keys[0]}]" if keys[:-1] == keys[:1] else f"[[{keys[0]}]]"
        ended = text if not text or text.endswith("\n") else text + newline
        blank = newline if text else ""
        return f"{ended}{blank}{head}{newline}{keys[-1]} = {value}{newline}"
    before = texts[place]
    indent = before[: len(before) - len(before.lstrip(" \t"))]
    ended = before if before.endswith("\n") else before + newline
    texts[place] = f"{ended}{indent}{keys[-1]} = {value}{newline}"
    return "".join(texts)


def without(text: str, keys: KeyPath) -> str:
    """Return TOML without a key or table; comments stay, those on its own lines too."""
    kept: list[str] = []
    for statement in _statements(text):
        if not statement.keys or statement.keys[: len(keys)] != keys:
            kept.append(statement.text)
        elif statement.hides_comments:
            return text
        elif statement.comment:
            kept.append(statement.comment)
        elif statement.opens and kept and not kept[-1].strip():
            kept.pop()  # the blank line that set the table apart
    left = "".join(kept)
    return left if text[:1].isspace() else left.lstrip("\r\n")
