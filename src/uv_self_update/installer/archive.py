"""uv's release archives: `.tar.gz` and `.zip`.

Python's own modules read them, from a stream that gives them no more than uv's archives can need:
what one says of its members takes memory, and time, before anybody has seen any of them.
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
_HEADS = 256 << 10  # bytes of what is said of all members; of uv's, some hundred each
_HEAD = 4 << 10  # bytes of what a tar says at once, which is a long path at most
_SHOWN = 80  # characters of a member's path
_REGULAR = {0, stat.S_IFREG}  # a zip that was not made on Unix says nothing of kinds
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # others need memory as they like
_DAMAGED = (
    EOFError,
    LookupError,  # a list of holes that is cut off
    RuntimeError,  # a zip that is encrypted
    ValueError,  # numbers that are none
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def unpack(archive: Path, platform: Platform, folder: Path, *, name: str, source: str) -> None:
    """Take uv's executables out of an archive, and nothing else.

    Members are found by the last part of their path, and written under that name. An archive in
    which a path leads out of it, or something is neither a file nor a folder, is none of uv's, and
    is refused as a whole.

    Args:
        archive: The file.
        platform: Whose executables to look for.
        folder: Where to put them; it exists.
        name: What the archive is called, for messages.
        source: Where it is from, for messages.

    Raises:
        UnusableArchive: It cannot be read, is far too large, holds no uv, or what uv's never hold.
        OSError: The folder cannot be written.
    """
    members = _members_of_zip if name.endswith(".zip") else _members_of_tar
    try:
        taken = _take(members(archive), frozenset(platform.executables), folder)
    except _Odd as error:
        raise UnusableArchive(name, source, str(error)) from None
    except _DAMAGED as error:
        raise UnusableArchive(name, source, _damage(archive, error)) from error
    except OSError as error:
        # gzip reports damage with OSErrors of its own, which the system does not number.
        if error.errno is not None:
            raise
        raise UnusableArchive(name, source, _damage(archive, error)) from error
    except _TooLarge:
        raise UnusableArchive(
            name, source, f"it holds more than {LARGEST_UNPACKED:,} bytes"
        ) from None
    except _TooMuchSaid:
        raise UnusableArchive(name, source, "it says far too much of what is in it") from None
    if platform.uv not in taken:
        raise UnusableArchive(name, source, f"there is no {platform.uv} in it")


def _take(
    members: Iterable[tuple[str, IO[bytes]]], wanted: frozenset[str], folder: Path
) -> set[str]:
    """Write what is wanted into a folder, and return the names of what was there."""
    taken: set[str] = set()
    left = LARGEST_UNPACKED
    for path, file in members:
        member = PurePosixPath(path).name
        if member in taken:
            raise _Odd(path, "is there twice")
        if member in wanted:
            taken.add(member)
            left = _write(file, folder / member, left)
    return taken


def _damage(archive: Path, error: Exception) -> str:
    with archive.open("rb") as file:
        kind = describe(file.read(_CHUNK))
    # Of what is no archive, tarfile says one line for each format that it has tried.
    if kind == "an archive":
        return f"it is damaged ({error})"
    return "it is no archive" if kind == "something else" else f"it is {kind}"


class _TooLarge(Exception):
    pass


class _Odd(Exception):
    """A member is none that an archive of uv's can have."""

    def __init__(self, path: str, what: str) -> None:
        shown = path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"
        super().__init__(f"`{shown}` in it {what}")


class _TooMuchSaid(Exception):
    pass


class _Measured:
    """A stream of which only so much can be read, whatever an archive says of its own sizes."""

    def __init__(self, stream: BinaryIO, *, at_once: int) -> None:
        """Let the heads be read, and so many bytes of them at once."""
        self._stream = stream
        self._left, self._at_once = _HEADS, at_once
        self.tell, self.seekable = stream.tell, stream.seekable

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET and offset < 0:
            message = "something should stand before its start"
            raise ValueError(message)
        return self._stream.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        most = min(self._left, self._at_once)
        if size > most:
            raise _TooMuchSaid
        # One byte more tells that there are more.
        data = self._stream.read(most + 1 if size < 0 else size)
        if len(data) > most:
            raise _TooMuchSaid
        self._left -= len(data)
        return data

    @contextmanager
    def content(self, size: int) -> Iterator[None]:
        """Let so many bytes be read that are none of the heads."""
        before = self._left, self._at_once
        self._left = self._at_once = size
        yield
        self._left, self._at_once = before


def _refuse_path(path: str) -> None:
    """Make sure that a path stays where it is put, on any system."""
    parts = re.split(r"[/\\]", path)
    if parts[0] == "" or ":" in path or ".." in parts:
        raise _Odd(path, "leads out of it")


def _members_of_tar(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with archive.open("rb") as packed:
        # What is sent with `Content-Encoding: gzip` may have been unpacked on its way.
        zipped = packed.peek(2).startswith(b"\x1f\x8b")
        stream = cast("BinaryIO", gzip.GzipFile(fileobj=packed)) if zipped else packed
        left = LARGEST_UNPACKED
        measured = _Measured(stream, at_once=_HEAD)
        with tarfile.open(fileobj=measured, mode="r:") as tar:  # type: ignore[call-overload] # has what it reads with
            for member in tar:
                _refuse_path(member.name)
                if member.size < 0:
                    raise _Odd(member.name, "has less than no bytes")
                # What is passed over has to be unpacked as well.
                left -= member.size
                if left < 0:
                    raise _TooLarge
                if member.issparse():
                    raise _Odd(member.name, "has holes")
                if member.type in {tarfile.REGTYPE, tarfile.AREGTYPE}:
                    with measured.content(member.size):
                        yield member.name, tar.extractfile(member)
                elif not member.isdir():
                    raise _Odd(member.name, "is neither a file nor a folder")
        # gzip's checksum stands behind the padding, which tarfile leaves unread.
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
                    raise _Odd(member.filename, "is neither a file nor a folder")
                if member.compress_type not in _PACKED:
                    raise _Odd(member.filename, "is packed as uv's never are")
                with zipped.open(member) as file, measured.content(member.compress_size):
                    yield member.filename, file


def _write(source: IO[bytes], target: Path, left: int) -> int:
    """Write a file, and return how much more may be written, in bytes."""
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise _TooLarge
            file.write(chunk)
    target.chmod(0o755)
    return left
