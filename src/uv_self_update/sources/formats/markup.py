"""HTML taken apart into tags and text, as browsers do it, in one pass.

A server decides what is read here. The standard library's parser (that of Python 3.11 was tried)
takes half a minute for a hundred kilobytes that are broken in one way, and raises for another.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_NAME = re.compile(r"<(/?)([A-Za-z][^ \t\n\f\r/>]*+)")
_ATTRIBUTE = re.compile(
    r"""
    [ \t\n\f\r/]*+
    (?P<name>[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+)
    (?:
        [ \t\n\f\r]*+ = [ \t\n\f\r]*+
        (?: "(?P<double>[^"]*+)" | '(?P<single>[^']*+)' | (?P<bare>[^ \t\n\f\r>"'][^ \t\n\f\r>]*+) )
    )?+
    """,
    re.VERBOSE,
)
_END = re.compile(r"[ \t\n\f\r/]*+>")
_COMMENT = re.compile(r"<!--(?:-?>|.*?--!?>)", re.DOTALL)
_REFERENCE = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9A-Fa-f]{1,8}|[A-Za-z][A-Za-z0-9]{0,31});")
"""With its semicolon only: `a&copy1` is a name that a server did not escape."""

_RAW = frozenset({"iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"})
"""Elements in which there are no tags."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """The beginning or the end of an element."""

    name: str
    """In lower case."""

    opens: bool

    attributes: Mapping[str, str]
    """By their names in lower case; their values decoded."""


def pieces(text: str) -> Iterator[Tag | str]:
    """Yield the tags of a page, and the text between them, decoded; comments are left out."""
    at = 0
    while at < len(text):
        start = text.find("<", at)
        end = start if start >= 0 else len(text)
        if end > at:
            yield _decoded(text[at:end])
        if start < 0:
            return
        match = _NAME.match(text, start)
        if match is None:
            at = _after_other(text, start)
            if at == start:  # a sign like any other
                yield "<"
                at += 1
            continue
        attributes, at = _attributes(text, match.end())
        if at < 0:
            return  # the page breaks off in the middle of a tag
        tag = Tag(name=match[2].lower(), opens=not match[1], attributes=attributes)
        yield tag
        if tag.opens and tag.name in _RAW:
            end = _end_of_raw(text, tag.name, at)
            yield _decoded(text[at:end])
            at = end


def _after_other(text: str, start: int) -> int:
    """Return where a comment, a declaration or the like ends that `<` begins; `start` for none."""
    if text.startswith("<!--", start):
        comment = _COMMENT.match(text, start)
        return comment.end() if comment else len(text)
    if text.startswith(("<!", "<?", "</"), start):
        end = text.find(">", start)
        return len(text) if end < 0 else end + 1
    return start


def _end_of_raw(text: str, name: str, at: int) -> int:
    """Return where the tag is that ends an element without tags in it."""
    flags = re.IGNORECASE | re.ASCII
    found = re.compile(rf"</{name}(?=[ \t\n\f\r/>])", flags).search(text, at)
    return found.start() if found else len(text)


def _attributes(text: str, at: int) -> tuple[dict[str, str], int]:
    """Return the attributes of a tag, and where it ends; -1 if it does not."""
    attributes: dict[str, str] = {}
    while match := _ATTRIBUTE.match(text, at):
        value = next((match[kind] for kind in ("double", "single", "bare") if match[kind]), "")
        # The first of the same name counts.
        attributes.setdefault(match["name"].lower(), _decoded(value))
        at = match.end()
    end = _END.match(text, at)
    return attributes, end.end() if end else -1


def _decoded(text: str) -> str:
    return _REFERENCE.sub(lambda match: html.unescape(match[0]), text)
