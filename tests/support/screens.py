"""What a user sees of the text that was written to a terminal."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(r"\x1b\[([\d;]*)([A-Za-z])|\r|\n|[^\x1b\r\n]")


def screen(text: str, *, styles: bool = False) -> str:
    """Return what is seen after `text` was written; with its styles, if wanted.

    Raises:
        AssertionError: An escape sequence is not one of those that are expected.
    """
    lines: list[list[str]] = [[]]
    column, style = 0, ""
    for found in _SEQUENCE.finditer(text):
        line = lines[-1]
        match found[0]:
            case "\r":
                column = 0
            case "\n":
                lines.append([" "] * column)
            case _ if found[2] == "K":
                assert found[1] in {"", "0"}, found
                del line[column:]
            case _ if found[2] is not None:
                assert found[2] == "m", found
                style += found[0] if styles else ""
            case character:
                line += [" "] * (column + 1 - len(line))
                line[column] = style + character
                style = ""
                column += 1
    lines[-1].append(style)
    return "\n".join("".join(line).rstrip() for line in lines)
