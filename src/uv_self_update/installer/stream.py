"""Bytes that are read while they arrive, once, from front to back."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


_PIECE = 256 << 10  # bytes of packed or unpacked data at a time


class Stream:
    """The pieces of a file, of any size, as one sequence of bytes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._ready = b""
        self.position = 0
        """Bytes that were read."""

    def piece(self, most: int = _PIECE) -> bytes:
        """Return the next bytes, at most `most`; none at the end only."""
        while not self._ready:
            more = next(self._pieces, None)
            if more is None:
                return b""
            self._ready = more
        taken, self._ready = self._ready[:most], self._ready[most:]
        self.position += len(taken)
        return taken

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer at the end only."""
        found = self.piece(size)
        while len(found) < size and (more := self.piece(size - len(found))):
            found += more
        return found

    def take(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes in pieces.

        Raises:
            EOFError: There are fewer.
        """
        while size:
            piece = self.piece(min(size, _PIECE))
            if not piece:
                message = "unexpected end of data"
                raise EOFError(message)
            size -= len(piece)
            yield piece

    def put_back(self, data: bytes) -> None:
        """Have bytes that were read come again."""
        self._ready = data + self._ready
        self.position -= len(data)

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes without reading them; fewer at the end only."""
        found = self.read(size)
        self.put_back(found)
        return found

    def drain(self) -> None:
        """Read all bytes that are left."""
        while self.piece():
            pass


def inflated(packed: Stream, window: int) -> Iterator[bytes]:
    """Yield the content of one compressed sequence, in pieces; what follows it is left unread.

    Args:
        packed: The stream, at the start of the sequence.
        window: The format: `wbits` of `zlib.decompressobj`.

    Raises:
        EOFError: It is incomplete.
        zlib.error: It is damaged.
    """
    inflate = zlib.decompressobj(window)
    while not inflate.eof:
        data = inflate.unconsumed_tail or packed.piece()
        # Of a small piece, unpacked data without limit may come.
        content = inflate.decompress(data, _PIECE)
        if not data and not content and not inflate.eof:
            message = "unexpected end of compressed data"
            raise EOFError(message)
        yield content
    packed.put_back(inflate.unused_data)
