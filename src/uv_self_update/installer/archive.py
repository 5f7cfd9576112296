"""uv's release archives: `.tar.gz` and `.zip`."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from uv_self_update.errors import UnusableArchive
from uv_self_update.sources.documents import describe

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator

    from uv_self_update.platforms import Platform

__all__ = ("unpack",)

_LARGEST = 1 << 30  # bytes; uv itself has about 60 MiB
_CHUNK = 1 << 20
_AT_ONCE = 4 << 20  # bytes; what a tar says of one member has some hundred
_SIGN = 5  # bytes that tell how a tar is compressed
_SHOWN = 80  # characters of a member's path
_REGULAR = {0, stat.S_IFREG}  # a zip that was not made on Unix says nothing of kinds
_DAMAGED = (
    EOFError,
    RuntimeError,  # a zip that is encrypted, or packed in a way that Python does not know
    lzma.LZMAError,
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
        # gzip and bz2 report damage with OSErrors of their own, which the system does not number.
        if error.errno is not None:
            raise
        raise UnusableArchive(name, source, _damage(archive, error)) from error
    except _TooLarge:
        raise UnusableArchive(name, source, f"it holds more than {_LARGEST:,} bytes") from None
    if platform.uv not in taken:
        raise UnusableArchive(name, source, f"there is no {platform.uv} in it")


def _take(
    members: Iterable[tuple[str, IO[bytes]]], wanted: frozenset[str], folder: Path
) -> set[str]:
    """Write what is wanted into a folder, and return the names of what was there."""
    taken: set[str] = set()
    for path, file in members:
        member = PurePosixPath(path).name
        if member in taken:
            raise _Odd(path, "is there twice")
        if member in wanted:
            taken.add(member)
            _write(file, folder / member)
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


class _Measured:
    """A stream of which not much can be read at once, whatever an archive says of its size."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _AT_ONCE:
            raise _TooLarge
        return self._stream.read(size)


def _refuse_path(path: str) -> None:
    """Make sure that a path stays where it is put, on any system."""
    parts = re.split(r"[/\\]", path)
    if parts[0] == "" or ":" in path or ".." in parts:
        raise _Odd(path, "leads out of it")


def _members_of_tar(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with archive.open("rb") as packed, _unpacked(packed) as stream:
        yield from _members_of_stream(_Measured(stream))


def _unpacked(packed: io.BufferedReader) -> BinaryIO:
    start = packed.peek(_SIGN)
    if start.startswith(b"\x1f\x8b"):
        return cast("BinaryIO", gzip.GzipFile(fileobj=packed))
    if start.startswith(b"BZh"):
        return cast("BinaryIO", bz2.BZ2File(packed))
    if start.startswith(b"\xfd7zXZ"):
        return cast("BinaryIO", lzma.LZMAFile(packed))
    return packed


def _members_of_stream(stream: _Measured) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(fileobj=stream, mode="r:") as tar:  # type: ignore[call-overload] # has what it reads with
        left = _LARGEST
        for member in tar:
            # What is passed over has to be unpacked as well.
            left -= member.size
            if left < 0:
                raise _TooLarge
            _refuse_path(member.name)
            if member.type in {tarfile.REGTYPE, tarfile.AREGTYPE}:
                yield member.name, tar.extractfile(member)
            elif not member.isdir():
                raise _Odd(member.name, "is neither a file nor a folder")
        # gzip's checksum stands behind the padding, which tarfile leaves unread.
        while padding := stream.read(_CHUNK):
            left -= len(padding)
            if left < 0:
                raise _TooLarge


def _members_of_zip(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as zipped:
        for member in zipped.infolist():
            _refuse_path(member.filename)
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.is_dir():
                continue
            if kind not in _REGULAR:
                raise _Odd(member.filename, "is neither a file nor a folder")
            with zipped.open(member) as file:
                yield member.filename, file


def _write(source: IO[bytes], target: Path) -> None:
    left = _LARGEST
    with target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise _TooLarge
            file.write(chunk)
    target.chmod(0o755)
