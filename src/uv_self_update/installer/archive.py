"""uv's release archives: `.tar.gz` and `.zip`.

Python's own modules read them, from a stream with size limits: reading the metadata of an archive
takes memory and time before its first member is known.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from uv_self_update.errors import UnusableArchive
from uv_self_update.releases.release import LARGEST_UNPACKED
from uv_self_update.sources.formats.documents import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from uv_self_update.platforms import Platform


_CHUNK = 1 << 20  # bytes
_HEADS = 256 << 10  # bytes of metadata of all members; uv's have some hundred each
_HEAD = 4 << 10  # bytes of one header of a tar, which contains a long path at most
_SHOWN = 80  # characters of a member's path
_REGULAR = {0, stat.S_IFREG}  # a zip made on another system than Unix has no file types
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # others use unlimited memory
_DAMAGED = (
    EOFError,
    LookupError,  # a truncated sparse map
    RuntimeError,  # a zip that is encrypted
    ValueError,  # invalid numbers
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def unpack(archive: Path, platform: Platform, directory: Path, *, name: str, source: str) -> None:
    """Extract uv's executables from an archive, and nothing else.

    Members are found by the last part of their path, and written under that name. An archive with a
    path that leads out of it, or with a member that is neither a file nor a directory, is refused
    as a whole.

    Args:
        archive: The file.
        platform: The platform of the executables.
        directory: Where to write them; it exists.
        name: The name of the archive, for messages.
        source: Where it is from, for messages.

    Raises:
        UnusableArchive: It is damaged, too large, has no uv, or has members that uv's never have.
        OSError: The directory cannot be written.
    """
    members = _members_of_zip if name.endswith(".zip") else _members_of_tar
    try:
        taken = _take(members(archive), frozenset(platform.executables), directory)
    except _Odd as error:
        raise UnusableArchive(name, source, str(error)) from None
    except _DAMAGED as error:
        raise UnusableArchive(name, source, _damage(archive, error)) from error
    except OSError as error:
        # gzip reports damage by OSErrors of its own, without an errno.
        if error.errno is not None:
            raise
        raise UnusableArchive(name, source, _damage(archive, error)) from error
    except _TooLarge:
        raise UnusableArchive(
            name, source, f"it contains more than {LARGEST_UNPACKED:,} bytes"
        ) from None
    except _TooMuchMetadata:
        raise UnusableArchive(name, source, "its metadata exceeds the size limit") from None
    if platform.uv not in taken:
        raise UnusableArchive(name, source, f"it contains no {platform.uv}")


def _take(
    members: Iterable[tuple[str, IO[bytes]]], wanted: frozenset[str], directory: Path
) -> set[str]:
    """Write the wanted members into a directory, and return their names."""
    taken: set[str] = set()
    left = LARGEST_UNPACKED
    for path, file in members:
        member = PurePosixPath(path).name
        if member in taken:
            raise _Odd(path, "occurs twice")
        if member in wanted:
            taken.add(member)
            left = _write(file, directory / member, left)
    return taken


def _damage(archive: Path, error: Exception) -> str:
    with archive.open("rb") as file:
        kind = describe(file.read(_CHUNK))
    # For another file, tarfile reports one line for each format that it has tried.
    if kind == "an archive":
        return f"it is damaged ({error})"
    return "it is not an archive" if kind == "something else" else f"it is {kind}"


class _TooLarge(Exception):
    pass


class _Odd(Exception):
    """A member that no archive of uv has."""

    def __init__(self, path: str, what: str) -> None:
        shown = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"
        super().__init__(f"`{shown}` in it {what}")


class _TooMuchMetadata(Exception):
    pass


class _Measured:
    """A stream with a limit on the bytes read, whatever sizes an archive declares."""

    def __init__(self, stream: BinaryIO, *, at_once: int) -> None:
        """Allow the headers to be read, with a limit for each read."""
        self._stream = stream
        self._left, self._at_once = _HEADS, at_once
        self.tell, self.seekable = stream.tell, stream.seekable

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET and offset < 0:
            message = "a position before the start"
            raise ValueError(message)
        return self._stream.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        most = min(self._left, self._at_once)
        if size > most:
            raise _TooMuchMetadata
        # One byte more shows that the limit is exceeded.
        data = self._stream.read(most + 1 if size < 0 else size)
        if len(data) > most:
            raise _TooMuchMetadata
        self._left -= len(data)
        return data

    @contextmanager
    def content(self, size: int) -> Iterator[None]:
        """Allow the content of one member to be read, in bytes."""
        before = self._left, self._at_once
        self._left = self._at_once = size
        yield
        self._left, self._at_once = before


def _refuse_path(path: str) -> None:
    """Refuse a path that leads out of the archive on any system."""
    parts = re.split(r"[/\\]", path)
    if parts[0] == "" or ":" in path or ".." in parts:
        raise _Odd(path, "leads out of it")


def _members_of_tar(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with archive.open("rb") as packed:
        # A file sent with `Content-Encoding: gzip` may have been decompressed already.
        zipped = packed.peek(2).startswith(b"\x1f\x8b")
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=packed)) if zipped else packed
        left = LARGEST_UNPACKED
        measured = _Measured(stream, at_once=_HEAD)
        with tarfile.open(fileobj=measured, mode="r:") as tar:  # type: ignore[call-overload] # it has `read` and `seek`
            for member in tar:
                _refuse_path(member.name)
                if member.size < 0:
                    raise _Odd(member.name, "has a negative size")
                # Skipped members are decompressed as well.
                left -= member.size
                if left < 0:
                    raise _TooLarge
                if member.issparse():
                    raise _Odd(member.name, "is a sparse file")
                if member.type in {tarfile.REGTYPE, tarfile.AREGTYPE}:
                    with measured.content(member.size):
                        yield member.name, tar.extractfile(member)
                elif not member.isdir():
                    raise _Odd(member.name, "is neither a file nor a directory")
        # gzip's checksum follows the padding, which tarfile does not read.
        while padding := stream.read(_CHUNK):
            left -= len(padding)
            if left < 0:
                raise _TooLarge


def _members_of_zip(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with archive.open("rb") as packed:
        measured = _Measured(packed, at_once=_HEADS)
        with zipfile.ZipFile(cast("BinaryIO", measured)) as zipped:
            for member in zipped.infolist():
                _refuse_path(member.filename)
                kind = stat.S_IFMT(member.external_attr >> 16)
                if member.is_dir():
                    continue
                if kind not in _REGULAR:
                    raise _Odd(member.filename, "is neither a file nor a directory")
                if member.compress_type not in _PACKED:
                    raise _Odd(member.filename, "has an unsupported compression method")
                with zipped.open(member) as file, measured.content(member.compress_size):
                    yield member.filename, file


def _write(source: IO[bytes], target: Path, left: int) -> int:
    """Write a file, and return how many more bytes may be written."""
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise _TooLarge
            file.write(chunk)
    target.chmod(0o755)
    return left
