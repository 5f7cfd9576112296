"""A `.zip` that is read while it arrives.

The directory of a zip is at its end. So its members are read one after the other, by the headers in
front of them, and the directory is compared with them afterwards: an archive whose two descriptions
differ is refused, because other programs would find other files in it.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, cast

from uv_self_update.installer.archive_rules import METADATA, Refused, refuse_path
from uv_self_update.installer.stream import inflated
from uv_self_update.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from uv_self_update.installer.archive_rules import Room
    from uv_self_update.installer.stream import Stream


# APPNOTE.TXT of PKWARE, sections 4.3.7 and 4.3.9.
_HEADER = struct.Struct("<4s5H3I2H")
_MAGIC = b"PK\3\4"
_DESCRIPTOR = b"PK\7\x08"
_ENCRYPTED, _SIZES_FOLLOW, _UTF_8 = 1 << 0, 1 << 3, 1 << 11
_IN_EXTRA = 0xFFFFFFFF  # a size that a field of zip64 contains
_ZIP64 = 1
_RAW = -zlib.MAX_WBITS
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # others use unlimited memory
_REGULAR = {0, stat.S_IFREG}  # a zip that was not made on Unix tells no file types


@frozen
class _Member:
    """A member: as its header describes it, or as it was read."""

    path: str
    method: int
    checksum: int | None
    """CRC-32; None if the member was skipped, and only its packed size is known."""

    packed: int
    """Bytes."""

    size: int | None
    """Bytes, unpacked; None as for the checksum."""

    sizes_follow: bool
    """Whether checksum and sizes are zero in the header, and follow the content."""


def members(
    archive: Stream, wanted: Collection[str], room: Room
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield the path and the content of each wanted member.

    The content has to be read before the next member.

    Args:
        archive: The archive.
        wanted: File names, without directories.
        room: Counts the unpacked bytes.

    Raises:
        Refused: A member is not one of uv's, or the directory does not agree with the members.
        EOFError, RuntimeError, ValueError, struct.error, zipfile.BadZipFile, zlib.error: It is
            damaged.
    """
    found: dict[int, _Member] = {}
    left = METADATA
    while archive.peek(len(_MAGIC)) == _MAGIC:
        start = archive.position
        header = _read_header(archive)
        left -= archive.position - start
        if left < 0:
            raise Refused.metadata()
        refuse_path(header.path)
        path = header.path.replace(os.sep, "/")
        directory = path.endswith("/")
        if not directory and header.method not in _METHODS:
            raise Refused.member(path, "has an unsupported compression method")
        content = _Content(archive, header, room)
        if not directory and PurePosixPath(path).name in wanted:
            yield path, content.unpacked()
        found[start] = content.finished()
    _compare(found, _directory(archive))


class _Content:
    def __init__(self, archive: Stream, header: _Member, room: Room) -> None:
        self._archive = archive
        self._header = header
        self._room = room
        self._start = archive.position
        self._begun = False
        self._checksum = zlib.crc32(b"")
        self._size = 0

    def unpacked(self) -> Iterator[bytes]:
        """Yield it, in pieces."""
        self._begun = True
        header = self._header
        if header.method == zipfile.ZIP_DEFLATED:
            pieces = inflated(self._archive, _RAW)
        elif header.sizes_follow and not header.path.endswith("/"):
            raise Refused.member(header.path, "has no size before its content")
        else:
            # Where sizes follow, that of a directory is zero here.
            pieces = self._archive.take(header.packed)
        for piece in pieces:
            self._room.take(len(piece))
            self._checksum = zlib.crc32(piece, self._checksum)
            self._size += len(piece)
            yield piece

    def finished(self) -> _Member:
        """Read what is left of the member, and return what it was."""
        header = self._header
        if not self._begun and not header.sizes_follow:
            for _ in self._archive.take(header.packed):
                pass
            return replace(header, checksum=None, size=None)
        if not self._begun:
            for _ in self.unpacked():
                pass
        known = self._checksum, self._archive.position - self._start, self._size
        if header.sizes_follow:
            _read_descriptor(self._archive, known)
        elif known != (header.checksum, header.packed, header.size):
            raise _differing()
        checksum, packed, size = known
        return replace(header, checksum=checksum, packed=packed, size=size)


def _read_header(archive: Stream) -> _Member:
    head = archive.read(_HEADER.size)
    _, _, flags, method, _, _, checksum, packed, size, name, extra = _HEADER.unpack(head)
    path = archive.read(name).decode("utf-8" if flags & _UTF_8 else "cp437")
    fields = archive.read(extra)
    if flags & _ENCRYPTED:
        raise Refused.member(path, "is encrypted")
    if _IN_EXTRA in {packed, size}:
        packed, size = _sizes_of_zip64(fields, packed, size)
    return _Member(
        path=path,
        method=method,
        checksum=checksum,
        packed=packed,
        size=size,
        sizes_follow=bool(flags & _SIZES_FOLLOW),
    )


def _sizes_of_zip64(fields: bytes, packed: int, size: int) -> tuple[int, int]:
    """Return the packed and the unpacked size of a member; struct.error if they are missing."""
    while fields:
        kind, length = struct.unpack_from("<2H", fields)
        if kind == _ZIP64:
            whole, part = struct.unpack_from("<2Q", fields, 4)
            return (part if packed == _IN_EXTRA else packed), whole if size == _IN_EXTRA else size
        fields = fields[4 + length :]
    return packed, size


def _read_descriptor(archive: Stream, known: tuple[int, int, int]) -> None:
    """Skip the checksum and the sizes that follow a member, in one of their four forms."""
    # The longer one first: of an empty member, the shorter one is the start of it.
    for numbers in (struct.pack("<I2Q", *known), struct.pack("<3I", *known)):
        for form in (_DESCRIPTOR + numbers, numbers):
            if archive.peek(len(form)) == form:
                archive.read(len(form))
                return
    raise _differing()


def _directory(archive: Stream) -> zipfile.ZipFile:
    start = archive.position
    body = archive.read(METADATA + 1)
    if len(body) > METADATA:
        raise Refused.metadata()
    return zipfile.ZipFile(cast("BinaryIO", _End(start, body)))


def _compare(found: dict[int, _Member], directory: zipfile.ZipFile) -> None:
    """Compare the directory with the members that were read.

    Raises:
        Refused: They differ, or a member is no file.
    """
    for entry in directory.infolist():
        refuse_path(entry.filename)
        if not entry.is_dir() and stat.S_IFMT(entry.external_attr >> 16) not in _REGULAR:
            raise Refused.member(entry.filename, "is neither a file nor a directory")
        member = found.pop(entry.header_offset, None)
        agrees = (
            member is not None
            and not entry.flag_bits & _ENCRYPTED
            and entry.orig_filename == member.path
            and (entry.compress_type, entry.compress_size) == (member.method, member.packed)
            and member.checksum in {None, entry.CRC}
            and member.size in {None, entry.file_size}
        )
        if not agrees:
            raise _differing()
    if found:
        raise _differing()


def _differing() -> zipfile.BadZipFile:
    return zipfile.BadZipFile("its directory does not match its members")


class _End:
    """The end of a file whose start has gone by, as zipfile reads it; the start reads as zeros."""

    def __init__(self, start: int, body: bytes) -> None:
        self._start = start
        self._body = body
        self._size = start + len(body)
        self._position = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            # zipfile looks whether a file is too short for some records.
            message = "a position before the start"
            raise ValueError(message) if whence == os.SEEK_SET else OSError(message)
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        rest = max(0, self._size - self._position)
        size = rest if size < 0 else min(size, rest)
        if size > METADATA:
            raise Refused.metadata()
        gone = min(size, max(0, self._start - self._position))
        begin = max(0, self._position - self._start)
        self._position += size
        return bytes(gone) + self._body[begin : begin + size - gone]
