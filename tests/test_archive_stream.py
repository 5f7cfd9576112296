"""Archives that arrive in pieces: what is written, and when it may be run."""

from __future__ import annotations

import io
import os
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import DigestMismatch, Interrupted, UnusableArchive
from uv_self_update.installer.archive import unpack
from uv_self_update.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

UNIX = Platform(triple="x86_64-unknown-linux-gnu")
WINDOWS = Platform(triple="x86_64-pc-windows-msvc")
CONTENT = bytes(range(256)) * 300
DEFLATED, STORED = zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED
DIFFERS = "it is damaged (its directory does not match its members)"


def tarball() -> bytes:
    """Return a release of uv for Unix."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        for name in ("uv", "uvx"):
            member = tarfile.TarInfo(f"uv-x/{name}")
            member.size = len(CONTENT)
            file.addfile(member, io.BytesIO(CONTENT))
    return packed.getvalue()


class Unseekable(io.BytesIO):
    """What cannot be gone back in, so that zipfile writes sizes behind the content."""

    def seekable(self) -> bool:
        """Return that it cannot."""
        return False

    def seek(self, *_: object) -> int:
        """Refuse."""
        raise io.UnsupportedOperation


def zipball(
    *, method: int = DEFLATED, file: io.BytesIO | None = None, zip64: bool = False
) -> bytes:
    """Return a release of uv for Windows, with another file and a directory."""
    packed = file or io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("docs/", b"")
        for name in ("README", *WINDOWS.executables):
            member = zipfile.ZipInfo(name)
            member.compress_type, member.create_system = method, 3  # Unix
            with archive.open(member, "w", force_zip64=zip64) as opened:
                opened.write(CONTENT)
    return packed.getvalue()


def pieces(body: bytes, size: int, end: Exception | None = None) -> Iterator[bytes]:
    """Yield a body in pieces, and an error at its end."""
    for start in range(0, len(body), size):
        yield body[start : start + size]
    if end is not None:
        raise end


def extract(body: bytes, folder: Path, *, size: int = 1000) -> set[str]:
    """Unpack an archive, and return the names of the executables that are whole."""
    platform = WINDOWS if body.startswith(b"PK") else UNIX
    taken = unpack(pieces(body, size), platform, folder, name=platform.archive, source="the mirror")
    assert taken == len(body)
    return {file.name for file in folder.iterdir() if file.read_bytes() == CONTENT}


def refusal(body: bytes, folder: Path) -> str:
    """Unpack an archive that cannot be used, and return why."""
    with pytest.raises(UnusableArchive) as caught:
        extract(body, folder)
    assert list(folder.iterdir()) == [], "of an archive that is refused, nothing is left"
    return str(caught.value).partition("can't be used: ")[2]


@pytest.mark.parametrize("size", [1, 7, 512, 1 << 20])
@pytest.mark.parametrize("make", [tarball, zipball])
def test_pieces_of_any_size(make: Callable[[], bytes], size: int, tmp_path: Path) -> None:
    """How an archive arrives does not matter."""
    body = make()
    expected = set(WINDOWS.executables if body.startswith(b"PK") else UNIX.executables)
    assert extract(body, tmp_path, size=size) == expected


@pytest.mark.parametrize("make", [tarball, zipball])
def test_nothing_may_be_run_before_the_end(make: Callable[[], bytes], tmp_path: Path) -> None:
    """The last bytes come when the digest holds, and only then executables are executable."""
    body = make()
    modes: list[int] = []

    def watched() -> Iterator[bytes]:
        for piece in pieces(body, 100):
            modes.extend(file.stat().st_mode & 0o111 for file in tmp_path.iterdir())
            yield piece
        modes.extend(file.stat().st_mode & 0o111 for file in tmp_path.iterdir())

    platform = WINDOWS if body.startswith(b"PK") else UNIX
    unpack(watched(), platform, tmp_path, name=platform.archive, source="the mirror")
    assert set(modes) == {0}
    assert {file.stat().st_mode & 0o111 for file in tmp_path.iterdir()} == {0o111}


@pytest.mark.parametrize(
    "error",
    [
        DigestMismatch("uv", "the mirror", expected="0", got="1", pinned=""),
        Interrupted("https://h/", 5, 10, "reset"),
    ],
)
@pytest.mark.parametrize("make", [tarball, zipball])
@pytest.mark.parametrize("damaged", [False, True])
def test_error_at_the_end(
    make: Callable[[], bytes], error: Exception, tmp_path: Path, *, damaged: bool
) -> None:
    """A wrong digest, or a broken connection, is the reason, whatever is wrong with the content."""
    body = bytearray(make())
    if damaged:
        body[len(body) // 2] ^= 0xFF
    platform = WINDOWS if body.startswith(b"PK") else UNIX
    with pytest.raises(type(error)) as caught:
        unpack(
            pieces(bytes(body), 100, error),
            platform,
            tmp_path,
            name=platform.archive,
            source="the mirror",
        )
    assert caught.value is error
    if os.name != "nt":  # there, a name decides
        assert not any(file.stat().st_mode & 0o111 for file in tmp_path.iterdir())


def descriptors(body: bytes, form: Callable[[bytes, int, int, int], bytes]) -> bytes:
    """Return a zip with other descriptors behind its members, and its directory moved."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        entries = archive.infolist()
    made, directory = io.BytesIO(), b""
    begin = 0
    for entry in entries:
        at = made.tell()
        name = entry.filename.encode()
        follow = form(b"PK\7\10", entry.CRC, entry.compress_size, entry.file_size)
        made.write(
            struct.pack(
                "<4s5H3I2H", b"PK\3\4", 20, 8, entry.compress_type, 0, 33, 0, 0, 0, len(name), 0
            )
        )
        made.write(name)
        begin = entry.header_offset + 30 + len(name)
        made.write(body[begin : begin + entry.compress_size])
        made.write(follow)
        directory += (
            struct.pack(
                "<4s6H3I5H2I",
                b"PK\1\2",
                20,
                20,
                8,
                entry.compress_type,
                0,
                33,
                entry.CRC,
                entry.compress_size,
                entry.file_size,
                len(name),
                0,
                0,
                0,
                0,
                0,
                at,
            )
            + name
        )
    at = made.tell()
    made.write(directory)
    made.write(
        struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), at, 0)
    )
    return made.getvalue()


@pytest.mark.parametrize(
    "form",
    [
        lambda magic, *numbers: magic + struct.pack("<3I", *numbers),
        lambda _, *numbers: struct.pack("<3I", *numbers),
        lambda magic, *numbers: magic + struct.pack("<I2Q", *numbers),
        lambda _, *numbers: struct.pack("<I2Q", *numbers),
    ],
    ids=["signed", "bare", "signed, zip64", "bare, zip64"],
)
def test_sizes_behind_the_content(
    form: Callable[[bytes, int, int, int], bytes], tmp_path: Path
) -> None:
    """Programs that write a zip as a stream write the sizes of a member behind it."""
    body = descriptors(zipball(), form)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
    assert extract(body, tmp_path) == set(WINDOWS.executables)


def test_wrong_sizes_behind_the_content(tmp_path: Path) -> None:
    """Sizes behind the content that are not those of the content are damage."""
    body = descriptors(zipball(), lambda magic, *_: magic + struct.pack("<3I", 1, 2, 3))
    assert refusal(body, tmp_path) == DIFFERS


@pytest.mark.parametrize(
    "make",
    [
        lambda: zipball(method=STORED),
        lambda: zipball(file=Unseekable()),
        lambda: zipball(zip64=True),
        lambda: zipball(method=STORED, zip64=True),
        lambda: zipball()[:-2] + b"\x05\x00hello",
    ],
    ids=["stored", "unseekable", "zip64", "stored, zip64", "comment"],
)
def test_zips_of_other_programs(make: Callable[[], bytes], tmp_path: Path) -> None:
    """Every common form of a zip is unpacked."""
    assert extract(make(), tmp_path) == set(WINDOWS.executables)


def test_stored_without_a_size(tmp_path: Path) -> None:
    """Of a member that is not compressed, the end can only be known by its size."""
    body = zipball(method=STORED, file=Unseekable())
    assert refusal(body, tmp_path) == "`README` in it has no size before its content"


def with_directory(body: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """Return a zip whose directory is another one."""
    start = struct.unpack("<I", body[-6:-2])[0]
    directory = change(body[start:-22])
    end = bytearray(body[-22:])
    count = directory.count(b"PK\1\2")
    struct.pack_into("<2HI", end, 8, count, count, len(directory))
    return body[:start] + directory + bytes(end)


def first_entry(directory: bytes) -> int:
    """Return the length of the first entry of a directory."""
    return directory.index(b"PK\1\2", 4)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[first_entry(text) :],
        lambda text: text[: text.rindex(b"PK\1\2")],
        lambda text: text + text[: first_entry(text)],
        lambda text: text.replace(b"uvx.exe", b"uvy.exe"),
        lambda text: text.replace(b"README", b"uv.exe"),
        lambda text: text.replace(struct.pack("<I", zlib.crc32(CONTENT)), bytes(4)),
        lambda text: text.replace(struct.pack("<I", len(CONTENT)), struct.pack("<I", 5)),
        lambda text: text.replace(
            b"PK\1\2\x14\x03\x14\0\0\0\x08\0", b"PK\1\2\x14\x03\x14\0\0\0\0\0"
        ),
        lambda text: text.replace(
            b"PK\1\2\x14\x03\x14\0\0\0\x08\0", b"PK\1\2\x14\x03\x14\0\1\0\x08\0"
        ),
        lambda text: text[:42] + struct.pack("<I", 1) + text[46:],
    ],
    ids=[
        "first is missing",
        "last is missing",
        "one occurs twice",
        "other name",
        "other executable",
        "checksum",
        "size",
        "method",
        "encrypted",
        "place",
    ],
)
def test_directory_that_does_not_match(change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    """A zip is refused if its members and its directory do not say the same."""
    body = zipball()
    changed = with_directory(body, change)
    assert changed != body
    assert with_directory(body, bytes) == body
    assert refusal(changed, tmp_path) == DIFFERS


def test_gap_between_members(tmp_path: Path) -> None:
    """What is between two members, and in no directory, is refused."""
    body = zipball()
    second = body.index(b"PK\3\4", 4)
    assert refusal(body[:second] + bytes(9) + body[second:], tmp_path).startswith("it is damaged")


def test_member_that_is_only_in_front(tmp_path: Path) -> None:
    """A whole archive in front of another is not part of it."""
    assert refusal(zipball() + zipball(), tmp_path).startswith("it is damaged")


def test_encrypted(tmp_path: Path) -> None:
    """A member that is encrypted is refused by its name."""
    body = zipball().replace(b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0")
    assert refusal(body, tmp_path) == "`docs/` in it is encrypted"
