"""uv's release archives: `.tar.gz` and `.zip`, unpacked while they arrive."""

from __future__ import annotations

import contextlib
import struct
import tarfile
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from uv_self_update.errors import UnusableArchive
from uv_self_update.files import begin_flush
from uv_self_update.installer import tar_archive
from uv_self_update.installer.archive_rules import Refused, Room
from uv_self_update.installer.stream import Stream
from uv_self_update.releases.release import LARGEST_UNPACKED
from uv_self_update.sources.formats.documents import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from uv_self_update.platforms import Platform


_START = 1 << 10  # bytes that show what a file is
_FLUSHED = 4 << 20  # bytes to be written to disk at a time
_EXECUTABLE = 0o755
_DAMAGED = (
    EOFError,
    LookupError,  # a truncated sparse map
    RuntimeError,  # a zip of a later version
    ValueError,  # invalid numbers
    struct.error,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
)


def unpack(
    chunks: Iterable[bytes], platform: Platform, directory: Path, *, name: str, source: str
) -> int:
    """Extract uv's executables from an archive, and nothing else.

    Members are found by the last part of their path, and written under that name. An archive with a
    path that leads out of it, or with a member that is neither a file nor a directory, is refused
    as a whole. Nothing is executable before `chunks` has ended without an error, such as that of a
    digest.

    Args:
        chunks: The bytes of the archive, which are always read to their end: if they end with an
            error, that is raised, even if the archive is damaged.
        platform: The platform of the executables.
        directory: Where to write them; it exists.
        name: The name of the archive, for messages.
        source: Where it is from, for messages.

    Returns:
        The size of the archive in bytes.

    Raises:
        UnusableArchive: It is damaged, too large, has no uv, or has members that uv's never have.
        OSError: The directory cannot be written.
    """
    packed = Stream(iter(chunks))
    start = packed.peek(_START)
    taken: dict[str, Path] = {}
    try:
        _extract(_members(packed, platform, name=name), directory, taken)
        if platform.uv not in taken:
            raise Refused(f"it contains no {platform.uv}")  # noqa: TRY003, TRY301, EM102 # told below
    except (Refused, *_DAMAGED) as error:
        for file in taken.values():
            with contextlib.suppress(OSError):
                file.unlink()
        packed.drain()
        reason = str(error) if isinstance(error, Refused) else _damage(start, error)
        raise UnusableArchive(name, source, reason) from error
    packed.drain()
    for file in taken.values():
        file.chmod(_EXECUTABLE)
    return packed.position


def _members(
    packed: Stream, platform: Platform, *, name: str
) -> Iterator[tuple[str, Iterator[bytes]]]:
    room = Room(LARGEST_UNPACKED)
    if name.endswith(".zip"):
        from uv_self_update.installer import zip_archive  # noqa: PLC0415 # Windows only

        return zip_archive.members(packed, platform.executables, room)
    return tar_archive.members(packed, platform.executables, room)


def _extract(
    members: Iterator[tuple[str, Iterator[bytes]]], directory: Path, taken: dict[str, Path]
) -> None:
    """Write members into a directory, and note each file before it is written."""
    for path, content in members:
        name = PurePosixPath(path).name
        if name in taken:
            raise Refused.member(path, "occurs twice")
        taken[name] = directory / name
        _write(content, taken[name])


def _damage(start: bytes, error: Exception) -> str:
    kind = describe(start)
    # For another file, tarfile reports one line for each format that it has tried.
    if kind == "an archive":
        return f"it is damaged ({error})"
    return "it is not an archive" if kind == "something else" else f"it is {kind}"


def _write(content: Iterator[bytes], file: Path) -> None:
    begun = written = 0
    with file.open("xb", buffering=0) as opened:
        for piece in content:
            left = memoryview(piece)
            while left:
                left = left[opened.write(left) :]
            written += len(piece)
            if written - begun >= _FLUSHED:
                begin_flush(opened.fileno(), begun, written - begun)
                begun = written
