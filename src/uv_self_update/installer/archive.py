"""uv's release archives: `.tar.gz` and `.zip`."""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from uv_self_update.errors import UnusableArchive
from uv_self_update.sources.documents import describe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.platforms import Platform

__all__ = ("unpack",)

_LARGEST = 1 << 30  # bytes; uv itself has about 60 MiB
_CHUNK = 1 << 20
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

    Members are found by the last part of their path and written under that name, so no path in an
    archive leads anywhere; links and devices are not members that this looks for.

    Args:
        archive: The file.
        platform: Whose executables to look for.
        folder: Where to put them; it exists.
        name: What the archive is called, for messages.
        source: Where it is from, for messages.

    Raises:
        UnusableArchive: It cannot be read, is far too large, or holds no uv.
        OSError: The folder cannot be written.
    """
    members = _members_of_zip if name.endswith(".zip") else _members_of_tar
    wanted = set(platform.executables)
    try:
        for path, file in members(archive):
            member = PurePosixPath(path).name
            if member in wanted:
                wanted.discard(member)
                _write(file, folder / member)
    except _DAMAGED as error:
        raise UnusableArchive(name, source, _damage(archive, error)) from error
    except OSError as error:
        # gzip and bz2 report damage with OSErrors of their own, which the system does not number.
        if error.errno is not None:
            raise
        raise UnusableArchive(name, source, _damage(archive, error)) from error
    except _TooLarge:
        raise UnusableArchive(name, source, f"it holds more than {_LARGEST:,} bytes") from None
    if platform.uv in wanted:
        raise UnusableArchive(name, source, f"there is no {platform.uv} in it")


def _damage(archive: Path, error: Exception) -> str:
    with archive.open("rb") as file:
        kind = describe(file.read(_CHUNK))
    # Of what is no archive, tarfile says one line for each format that it has tried.
    if kind == "an archive":
        return f"it is damaged ({error})"
    return "it is no archive" if kind == "something else" else f"it is {kind}"


class _TooLarge(Exception):
    pass


def _members_of_tar(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(archive, "r:*") as tar:
        left = _LARGEST
        for member in tar:
            # What is passed over has to be unpacked as well.
            left -= member.size
            if left < 0:
                raise _TooLarge
            file = tar.extractfile(member) if member.isreg() else None
            if file is not None:
                yield member.name, file
        # gzip's checksum stands behind the padding, which tarfile leaves unread.
        while padding := tar.fileobj.read(_CHUNK):
            left -= len(padding)
            if left < 0:
                raise _TooLarge


def _members_of_zip(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with zipfile.ZipFile(archive) as zipped:
        for member in zipped.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind in _REGULAR and not member.is_dir():
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
