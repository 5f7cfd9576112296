"""A `.tar.gz` that is read while it arrives.

Python's own module reads the headers, from a stream with size limits: the metadata of an archive
takes memory and time before its first member is seen.
"""

from __future__ import annotations

import tarfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from uv_self_update.installer.archive_rules import METADATA, Refused, refuse_path
from uv_self_update.installer.stream import Stream, inflated

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from uv_self_update.installer.archive_rules import Room


_HEAD = 4 << 10  # bytes of one header, which contains a long path at most
_MAGIC = b"\x1f\x8b"
_GZIP = zlib.MAX_WBITS | 16  # with the header and the checksum of gzip


def members(
    packed: Stream, wanted: Collection[str], room: Room
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the path and the content of each wanted member.

    Args:
        packed: The archive.
        wanted: File names, without directories.
        room: Counts the unpacked bytes, of other members, too.

    Raises:
        Refused: A member is not one of uv's.
        EOFError, LookupError, ValueError, tarfile.TarError, zlib.error: It is damaged.
    """
    # A file sent with `Content-Encoding: gzip` may have been decompressed already.
    zipped = packed.peek(len(_MAGIC)) == _MAGIC
    stream = Stream(_gunzipped(packed)) if zipped else packed
    headers = _Headers(stream)
    with tarfile.open(fileobj=headers, mode="r:") as tar:  # type: ignore[call-overload] # it has `read` and `seek`
        for member in tar:
            refuse_path(member.name)
            if member.size < 0:
                raise Refused.member(member.name, "has a negative size")
            # Skipped members are decompressed as well.
            room.take(member.size)
            if member.issparse():
                raise Refused.member(member.name, "is a sparse file")
            if member.type in {tarfile.REGTYPE, tarfile.AREGTYPE}:
                if PurePosixPath(member.name).name in wanted:
                    yield member.name, stream.take(member.size)
            elif not member.isdir():
                raise Refused.member(member.name, "is neither a file nor a directory")
    # gzip's checksum follows the padding, which tarfile does not read.
    while padding := stream.piece():
        room.take(len(padding))


def _gunzipped(packed: Stream) -> Iterator[bytes]:
    """Yield the content of a gzip file, which may have several parts, and zeros at its end."""
    while packed.peek(1):
        yield from inflated(packed, _GZIP)
        while (rest := packed.piece()) and not (rest := rest.lstrip(b"\0")):
            pass
        packed.put_back(rest)


class _Headers:
    """What tarfile reads, with a limit, whatever sizes an archive declares."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._left = METADATA

    def tell(self) -> int:
        return self._stream.position

    def seek(self, offset: int) -> None:
        """Skip bytes.

        Raises:
            ValueError: They were read before.
            EOFError: They are missing.
        """
        distance = offset - self._stream.position
        if distance < 0:
            message = "a position before this one"
            raise ValueError(message)
        for _ in self._stream.take(distance):
            pass

    def read(self, size: int) -> bytes:
        most = min(self._left, _HEAD)
        if not 0 <= size <= most:
            raise Refused.metadata()
        self._left -= size
        return self._stream.read(size)
