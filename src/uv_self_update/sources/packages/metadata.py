"""The `METADATA` of a wheel, read from its end, where PEP 427 recommends to store it."""

from __future__ import annotations

import io
import zipfile

TAIL = 64 << 10  # bytes, which hold the directory of a wheel and its metadata nearly always
LARGEST = 1 << 20  # bytes of a METADATA file


def metadata_of(tail: bytes, size: int) -> bytes | None:
    """Return the METADATA of a wheel; None where it lies before the part that is known.

    Args:
        tail: The last bytes of the wheel, or all of them.
        size: How many bytes the wheel has in all.
    """
    start = size - len(tail)
    # zipfile takes bytes that lack a beginning as it takes a self-extracting archive.
    try:
        with zipfile.ZipFile(_Tail(tail, start)) as wheel:
            names = [
                info
                for info in wheel.infolist()
                if info.filename.count("/") == 1 and info.filename.endswith(".dist-info/METADATA")
            ]
            if len(names) != 1 or names[0].file_size > LARGEST or names[0].header_offset < start:
                return None
            return wheel.read(names[0])
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError):
        return None


class _Tail(io.RawIOBase):
    """The end of a file, read as if it were the whole; what lies before reads as nothing."""

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
        if self._at < self._start:
            raise EOFError
        begin = self._at - self._start
        piece = self._tail[begin:] if size < 0 else self._tail[begin : begin + size]
        self._at += len(piece)
        return piece
