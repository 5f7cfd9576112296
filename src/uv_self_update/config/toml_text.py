"""TOML as text: set or remove one key, and keep every other line."""

from __future__ import annotations

import re
from typing import Any

from uv_self_update.values import frozen

KeyPath = tuple[str | int, ...]
"""The parts of a dotted key; the tables of an array are numbered from 0."""

_NAME = r"""(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_NAMES = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_TABLE = re.compile(rf"[ \t]*(\[\[?)[ \t]*({_NAMES})")
_DEEPEST = 3
"""Parts of `source.0.url`: a deeper key is written within an inline table."""

_PAIR = re.compile(rf"[ \t]*({_NAMES})[ \t]*=[ \t]*")


@frozen
class _Statement:
    """A line of TOML, or the lines of one value."""

    text: str
    keys: KeyPath = ()
    """The path of the table or the key, from the root; empty for a comment."""

    opens: bool = False
    """Whether it is the header of a table."""

    start: int = 0
    """The offset of its value in its text."""

    written: int = 1
    """How many parts of the path are written in it; the others are those of its table."""

    @property
    def table(self) -> KeyPath:
        """The table that it opens, or whose key it sets."""
        return self.keys if self.opens else self.keys[:-1]

    @property
    def inline(self) -> dict[str, Any] | None:
        """Its value if that is an inline table, else None."""
        if self.opens or not self.keys:
            return None
        value = (parsed(f"v = {self.text[self.start :]}") or {}).get("v")
        return value if isinstance(value, dict) else None

    @property
    def comment(self) -> str:
        """The comment on its last line, with its `#`."""
        marks = (mark.start() for mark in re.finditer("#", self.text))
        # Text that is cut at a `#` within a string is not TOML.
        return next((self.text[mark:] for mark in marks if parsed(self.text[:mark])), "")

    @property
    def body(self) -> str:
        """The statement without its comment and the white space before it."""
        return self.text.removesuffix(self.comment).rstrip()

    @property
    def hides_comments(self) -> bool:
        """Whether there may be comments between its lines."""
        return "\n" in self.body and "#" in self.body


def parsed(text: str) -> dict[str, Any] | None:
    """Return a document; None for text that is not TOML."""
    import tomllib  # noqa: PLC0415 # most commands read no file, and need no parser

    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _statements(text: str) -> list[_Statement]:
    """Split TOML into statements, which together are the whole text."""
    found: list[_Statement] = []
    table: KeyPath = ()
    arrays: dict[str | int, int] = {}  # name of an array of tables -> number of its last table
    pending = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        pending += line
        if parsed(pending) is None:
            continue  # the value continues on the next line
        if head := _TABLE.match(pending):
            table = _names(head[2])
            name, *rest = table
            if head[1] == "[[" and not rest:
                arrays[name] = arrays.get(name, -1) + 1
            if name in arrays:
                # `[source.header-env]` is a table of the last source.
                table = (name, arrays[name], *rest)
            found.append(_Statement(text=pending, keys=table, opens=True))
        elif pair := _PAIR.match(pending):
            names = _names(pair[1])
            found.append(
                _Statement(text=pending, keys=table + names, start=pair.end(), written=len(names))
            )
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
    """Return TOML with a key set, in one changed or added line; unchanged if that is impossible."""
    newline = "\r\n" if "\r\n" in text else "\n"
    statements = _statements(text)
    last = None
    for index, statement in enumerate(statements):
        if statement.keys == keys:
            return _replaced(statements, index, new)
        if statement.keys == keys[:-1] and (table := statement.inline) is not None:
            return _replaced(statements, index, table | {str(keys[-1]): new})
        if statement.keys and statement.table == keys[:-1]:
            last = index
    in_array = isinstance(keys[1], int)
    if last is None and in_array and len(keys) > _DEEPEST:
        return with_value(text, keys[:-1], {keys[-1]: new})
    texts = [statement.text for statement in statements]
    if last is None:
        head = f"[[{keys[0]}]]" if in_array else f"[{_dotted(keys[:-1])}]"
        ended = text if not text or text.endswith("\n") else text + newline
        blank = newline if text else ""
        return f"{ended}{blank}{head}{newline}{_pair(keys[-1:], new)}{newline}"
    before = texts[last]
    indent = before[: len(before) - len(before.lstrip(" \t"))]
    ended = before if before.endswith("\n") else before + newline
    pair = _pair(keys[-statements[last].written :], new)
    texts[last] = f"{ended}{indent}{pair}{newline}"
    return "".join(texts)


def _replaced(statements: list[_Statement], index: int, new: object) -> str:
    """Return TOML with a new value in one statement; unchanged if that would lose comments."""
    texts = [statement.text for statement in statements]
    statement = statements[index]
    if not (statement.hides_comments or statement.opens):
        after = statement.text[len(statement.body) :]
        texts[index] = statement.text[: statement.start] + _value(new) + after
    return "".join(texts)


def _value(value: object) -> str:
    """Write a value on one line."""
    if isinstance(value, dict):
        pairs = ", ".join(_pair((name,), inner) for name, inner in value.items())
        return f"{{ {pairs} }}"
    import tomli_w  # noqa: PLC0415 # only a change needs it

    return tomli_w.dumps({"v": value}).removeprefix("v = ").rstrip()


def _pair(keys: KeyPath, value: object) -> str:
    return f"{_dotted(keys)} = {_value(value)}"


def _dotted(keys: KeyPath) -> str:
    names = (str(name) for name in keys)
    plain = (name if re.fullmatch(r"[\w-]+", name, re.ASCII) else _value(name) for name in names)
    return ".".join(plain)


def without(text: str, keys: KeyPath) -> str:
    """Return TOML without a key or table, but with the comments on its lines."""
    kept: list[str] = []
    statements = _statements(text)
    for index, statement in enumerate(statements):
        if statement.keys == keys[:-1] and (table := statement.inline) is not None:
            left = {name: value for name, value in table.items() if name != keys[-1]}
            return _replaced(statements, index, left)
        if not statement.keys or statement.keys[: len(keys)] != keys:
            kept.append(statement.text)
        elif statement.hides_comments:
            return text
        elif statement.comment:
            kept.append(statement.comment)
        elif statement.opens and kept and not kept[-1].strip():
            kept.pop()  # the blank line before the table
    rest = "".join(kept)
    return rest if text[:1].isspace() else rest.lstrip("\r\n")
