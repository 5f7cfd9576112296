"""A tokenizer for HTML, as in browsers, in one pass.

Its input is untrusted. The standard library's parser (measured with Python 3.11) takes half a
minute for 100 KB that are broken in one way, and raises for another.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass  # noqa: TID251 # with slots: a page may have 250,000 tags
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
"""The semicolon is required: `a&copy1` is a name that a server did not escape."""

_MAX_TEXT = 64 << 10
"""Characters of a text, or of the value of an attribute; the rest is dropped."""

_MAX_ATTRIBUTES = 100

_RAW = frozenset({"iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"})
"""Elements whose content is text, without tags."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tag:
    """A start tag or an end tag."""

    name: str
    """In lower case."""

    opens: bool

    attributes: Mapping[str, str]
    """Name, in lower case -> decoded value."""


def pieces(text: str) -> Iterator[Tag | str]:
    """Yield the tags of a page, and the decoded text between them; comments are dropped."""
    at = 0
    while at < len(text):
        start = text.find("<", at)
        end = start if start >= 0 else len(text)
        if end > at:
            yield _decoded(text[at : min(end, at + _MAX_TEXT)])
        if start < 0:
            return
        match = _NAME.match(text, start)
        if match is None:
            at = _after_other(text, start)
            if at == start:  # a character like any other
                yield "<"
                at += 1
            continue
        attributes, at = _attributes(text, match.end())
        if at < 0:
            return  # the page ends in the middle of a tag
        tag = Tag(name=match[2][:_MAX_TEXT].lower(), opens=not match[1], attributes=attributes)
        yield tag
        if tag.opens and tag.name in _RAW:
            end = _end_of_raw(text, tag.name, at)
            yield _decoded(text[at : min(end, at + _MAX_TEXT)])
            at = end


def _after_other(text: str, start: int) -> int:
    """Return the end of the comment or declaration at `start`, or `start` itself."""
    if text.startswith("<!--", start):
        comment = _COMMENT.match(text, start)
        return comment.end() if comment else len(text)
    if text.startswith(("<!", "<?", "</"), start):
        end = text.find(">", start)
        return len(text) if end < 0 else end + 1
    return start


def _end_of_raw(text: str, name: str, at: int) -> int:
    """Return the position of the end tag of a raw text element."""
    flags = re.IGNORECASE | re.ASCII
    found = re.compile(rf"</{name}(?=[ \t\n\f\r/>])", flags).search(text, at)
    return found.start() if found else len(text)


def _attributes(text: str, at: int) -> tuple[dict[str, str], int]:
    """Return the attributes of a tag, and its end; -1 if it does not end."""
    attributes: dict[str, str] = {}
    while match := _ATTRIBUTE.match(text, at):
        value = next((match[kind] for kind in ("double", "single", "bare") if match[kind]), "")
        # The first attribute of a name counts.
        if len(attributes) < _MAX_ATTRIBUTES:
            attributes.setdefault(match["name"][:_MAX_TEXT].lower(), _decoded(value))
        at = match.end()
    end = _END.match(text, at)
    return attributes, end.end() if end else -1


def _decoded(text: str) -> str:
    return _REFERENCE.sub(lambda match: html.unescape(match[0]), text[:_MAX_TEXT])
