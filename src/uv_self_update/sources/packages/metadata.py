"""The `METADATA` of a wheel, read from its end, where PEP 427 recommends to store it."""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

TAIL = 64 << 10  # bytes, which hold the directory of a wheel and its metadata nearly always
LARGEST = 1 << 20  # bytes of a METADATA file


def metadata_of(tail: bytes, size: int) -> bytes | None:
    """Return the METADATA of a wheel; None where it lies before the part that is known.

    Args:
        tail: The last bytes of the wheel, or all of them.
        size: How many bytes the wheel has in all.
    """
    return _read(_Tail(tail, size - len(tail)))


def metadata_in(chunks: Iterable[bytes]) -> bytes | None:
    """Return the METADATA of a whole wheel, which is kept on the disk meanwhile, not in memory."""
    with tempfile.TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk)
        return _read(file)


def _read(file: IO[bytes] | io.RawIOBase) -> bytes | None:
    try:
        with zipfile.ZipFile(file) as wheel:
            names = [
                info
                for info in wheel.infolist()
                if info.filename.count("/") == 1 and info.filename.endswith(".dist-info/METADATA")
            ]
            if len(names) != 1 or names[0].file_size > LARGEST:
                return None
            return wheel.read(names[0])
    # What zipfile raises for bytes that are no archive, or not all of one.
    except (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, NotImplementedError):
        return None
    except RuntimeError:  # an encrypted file
        return None


class _Tail(io.RawIOBase):
    """The end of a file at its own offsets; the part before it cannot be read."""

    def __init__(self, tail: bytes, start: int) -> None:
        self._tail, self._start = tail, start
        self._at = 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        size = self._start + len(self._tail)
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: size}[whence] + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        if self._at < max(0, self._start):
            raise EOFError
        begin = self._at - self._start
        piece = self._tail[begin:] if size < 0 else self._tail[begin : begin + size]
        self._at += len(piece)
        return piece
