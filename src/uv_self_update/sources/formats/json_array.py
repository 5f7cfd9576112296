"""An incremental parser for a JSON array: its elements, one by one, while it is received.

A list of 400 releases of uv has 35 MB, and takes four times as much memory if parsed as a whole; an
array of small objects takes thirty times the size of its text.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING

from uv_self_update.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator


MAX_ENTRIES = 75_000
"""Entries in a list; a list of every file of 400 releases of uv has 18,400."""

_MAX_ELEMENT = 1 << 20
"""Characters of one element; a release of uv has less than 100,000."""

_HEAD = 64 << 10  # bytes that are kept to describe a body that is not an array
_ENCODING = 4  # bytes that determine the encoding (RFC 4627 section 3)
_SPACE = re.compile(r"[ \t\n\r]*")
_CUT = 16
"""Characters before the end of the text in which a syntax error may be a truncation."""


class NotAnArray(ValueError):
    """The body is not a JSON array; `head` is its start."""

    def __init__(self, head: bytes) -> None:
        super().__init__("this is not a JSON array")
        self.head = head


def elements(
    chunks: Iterator[bytes], shown: str, *, errors: str = "surrogatepass"
) -> Iterator[object]:
    """Yield the elements of an array; the body is read to its end.

    Args:
        chunks: The body.
        shown: Its URL, redacted.
        errors: The error handler of `codecs` for bytes that are invalid in the encoding.

    Raises:
        NotAnArray: The body is not an array.
        TooLarge: There are too many elements, or one is too long.
    """
    text = _Text(chunks, shown, errors)
    try:
        if text.take() != "[":
            raise NotAnArray(text.head)
        if text.next() == "]":
            text.take()
        else:
            for _ in range(MAX_ENTRIES):
                yield text.value()
                separator = text.take()
                if separator == "]":
                    break
                if separator != ",":
                    raise NotAnArray(text.head)
            else:
                raise TooLarge(shown, MAX_ENTRIES, unit="entries")
        if text.next():
            raise NotAnArray(text.head)
    # ValueError: also for a number with thousands of digits, and for invalid UTF-8.
    except (ValueError, RecursionError):
        raise NotAnArray(text.head) from None


class _Text:
    """The received text of a body that was not parsed yet."""

    def __init__(self, chunks: Iterator[bytes], shown: str, errors: str) -> None:
        self._chunks = chunks
        self._shown = shown
        self._text, self._at, self._ended = "", 0, False
        start = b""
        while len(start) < _ENCODING and (piece := next(chunks, b"")):
            start += piece
        self._start = start
        self._waiting = start
        encoding = json.detect_encoding(start)
        self._decoder = codecs.getincrementaldecoder(encoding)(errors=errors)

    @property
    def head(self) -> bytes:
        """The start of the body."""
        while len(self._start) < _HEAD and (piece := next(self._chunks, b"")):
            self._start += piece
        return self._start

    def next(self) -> str:
        """Return the next character that is not whitespace, without consuming it; "" at the end.

        Raises:
            TooLarge: There is too much whitespace.
        """
        spaces = 0
        while True:
            match = _SPACE.match(self._text, self._at)
            end = self._at if match is None else match.end()
            spaces += end - self._at
            self._at = end
            if spaces > _MAX_ELEMENT:
                raise TooLarge(self._shown, _MAX_ELEMENT, unit="spaces")
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self) -> str:
        """Consume and return the next character that is not whitespace."""
        character = self.next()
        self._at += len(character)
        return character

    def value(self) -> object:
        """Consume and return the next value.

        Raises:
            ValueError: The text is not JSON.
            TooLarge: The value is too long.
        """
        self.next()
        while True:
            length = len(self._text) - self._at
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _CUT
                if self._ended or not cut:
                    raise
            else:
                # A number at the end of the text may continue, also after `.` or `e+`.
                if end + 2 < len(self._text) or self._ended:
                    self._at = end
                    return value
            if length > _MAX_ELEMENT:
                raise TooLarge(self._shown, _MAX_ELEMENT, unit="characters of one entry")
            # Doubled each time, so that little is parsed again.
            while len(self._text) - self._at < 2 * length and self._more():
                pass

    def _more(self) -> bool:
        """Receive more of the text; False at the end of the body."""
        if self._ended:
            return False
        piece, self._waiting = self._waiting or next(self._chunks, b""), b""
        if len(self._start) < _HEAD and piece is not self._start:
            self._start += piece
        self._ended = not piece
        self._text = self._text[self._at :] + self._decoder.decode(piece, final=self._ended)
        self._at = 0
        return True


_DECODER = json.JSONDecoder()
