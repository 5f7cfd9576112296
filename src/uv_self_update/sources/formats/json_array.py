"""The elements of a JSON array, one by one, while the array comes.

A list of 400 of uv's releases is 35 MB, and takes four times as much memory when it is parsed as a
whole; an array of small objects takes thirty times as much as its text.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING

from uv_self_update.errors import TooLarge

if TYPE_CHECKING:
    from collections.abc import Iterator


MOST_ENTRIES = 75_000
"""Entries that a list may have. One with each file of 400 of uv's releases has 18,400."""

_LONGEST = 1 << 20
"""Characters of one element; a release of uv has less than 100,000."""

_HEAD = 64 << 10  # bytes, by which a body is described that is no array
_ENCODED = 4  # bytes that tell the encoding (RFC 4627 section 3)
_SPACE = re.compile(r"[ \t\n\r]*")
_CUT = 16
"""Characters before the end of a text in which a mistake may be that the text ends there."""


class NotAnArray(ValueError):
    """A body is no array, or no JSON."""

    def __init__(self, head: bytes) -> None:
        """Keep the start of the body."""
        super().__init__("this is not a JSON array")
        self.head = head


def elements(
    chunks: Iterator[bytes], shown: str, *, errors: str = "surrogatepass"
) -> Iterator[object]:
    """Yield the elements of an array; the body is read to its end.

    Args:
        chunks: The body.
        shown: Its URL, as it may be shown.
        errors: What becomes of bytes that are not in its encoding, as `codecs` calls it.

    Raises:
        NotAnArray: It is none.
        TooLarge: An element is, or there are too many.
    """
    text = _Text(chunks, shown, errors)
    try:
        if text.take() != "[":
            raise NotAnArray(text.head)
        if text.next() == "]":
            text.take()
        else:
            for _ in range(MOST_ENTRIES):
                yield text.value()
                sign = text.take()
                if sign == "]":
                    break
                if sign != ",":
                    raise NotAnArray(text.head)
            else:
                raise TooLarge(shown, MOST_ENTRIES, unit="entries")
        if text.next():
            raise NotAnArray(text.head)
    # ValueError: also of a number with thousands of digits, and of what is no UTF-8.
    except (ValueError, RecursionError):
        raise NotAnArray(text.head) from None


class _Text:
    """The text of a body: as much as has come, without what was read."""

    def __init__(self, chunks: Iterator[bytes], shown: str, errors: str) -> None:
        self._chunks = chunks
        self._shown = shown
        self._text, self._at, self._ended = "", 0, False
        start = b""
        while len(start) < _ENCODED and (piece := next(chunks, b"")):
            start += piece
        self._start = start
        self._waiting = start
        encoding = json.detect_encoding(start)
        self._decoder = codecs.getincrementaldecoder(encoding)(errors=errors)

    @property
    def head(self) -> bytes:
        """The start of the body; what has come after that is lost."""
        while len(self._start) < _HEAD and (piece := next(self._chunks, b"")):
            self._start += piece
        return self._start

    def next(self) -> str:
        """Return the next sign that is no white space, which stays; nothing at the end.

        Raises:
            TooLarge: There is nothing but white space.
        """
        spaces = 0
        while True:
            match = _SPACE.match(self._text, self._at)
            end = self._at if match is None else match.end()
            spaces += end - self._at
            self._at = end
            if spaces > _LONGEST:
                raise TooLarge(self._shown, _LONGEST, unit="spaces")
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self) -> str:
        """Return that sign, and pass it."""
        sign = self.next()
        self._at += len(sign)
        return sign

    def value(self) -> object:
        """Return the next value, and pass it.

        Raises:
            ValueError: It is no JSON.
            TooLarge: It is too long.
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
                # A number at the end of the text may go on, also after `.` or `e+`.
                if end + 2 < len(self._text) or self._ended:
                    self._at = end
                    return value
            if length > _LONGEST:
                raise TooLarge(self._shown, _LONGEST, unit="characters of one entry")
            # Twice as much each time, so that little is read again.
            while len(self._text) - self._at < 2 * length and self._more():
                pass

    def _more(self) -> bool:
        """Get more of the text; False if there is none."""
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
