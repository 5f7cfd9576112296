"""uv's release archives, and what else may come in their place."""

from __future__ import annotations

import gzip
import io
import os
import random
import stat
import tarfile
import tracemalloc
import zipfile
import zlib
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import UnusableArchive
from uv_self_update.installer import archive as module
from uv_self_update.installer import stream
from uv_self_update.installer.archive import unpack
from uv_self_update.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

UNIX = Platform(triple="x86_64-unknown-linux-gnu")
WINDOWS = Platform(triple="x86_64-pc-windows-msvc")
SOURCE = "the mirror"
PIECE = 16_000
INSIDE = UNIX.archive.removesuffix(".tar.gz")


def tar(files: Mapping[str, bytes | tarfile.TarInfo], *, mode: str = "w:gz") -> bytes:
    """Pack files, or members of any kind, into a tar archive."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as file:  # type: ignore[call-overload] # a table of modes
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                file.addfile(content)
            else:
                member = tarfile.TarInfo(name)
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def member(kind: bytes, target: str = "") -> tarfile.TarInfo:
    """Return a member that is no file."""
    info = tarfile.TarInfo()
    info.type = kind
    info.linkname = target
    return info


def zipped(files: Mapping[str, bytes], *, mode: int = 0, compression: int = 8) -> bytes:
    """Pack files into a zip archive; `mode` is Unix's, 0 as Windows writes it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as file:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = compression
            file.writestr(info, content)
    return packed.getvalue()


def pieces_of(body: bytes, size: int) -> Iterator[bytes]:
    """Return the pieces that a body arrives in."""
    return (body[start : start + size] for start in range(0, len(body), size))


class Place:
    """A folder to unpack into, and what lies around it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.piece = PIECE
        self.folder = root / "staging" / "bin"
        self.folder.mkdir(parents=True)

    def unpack(self, body: bytes, platform: Platform = UNIX, name: str | None = None) -> None:
        """Unpack an archive with this content, which arrives in pieces."""
        pieces = pieces_of(body, self.piece)
        size = unpack(pieces, platform, self.folder, name=name or platform.archive, source=SOURCE)
        assert size == len(body)
        assert next(pieces, None) is None

    def refused(self, body: bytes, platform: Platform = UNIX) -> str:
        """Unpack an archive that cannot be used, and return why."""
        with pytest.raises(UnusableArchive) as caught:
            self.unpack(body, platform)
        start = f"{platform.archive} from {SOURCE} can't be used: "
        assert str(caught.value).startswith(start)
        return str(caught.value).removeprefix(start)

    def files(self) -> dict[str, bytes]:
        """Return every file and link there is."""
        return {
            path.as_posix().removeprefix(f"{self.folder.as_posix()}/"): path.read_bytes()
            for path in self.root.rglob("*")
            if path.is_file() or path.is_symlink()
        }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a folder to unpack into."""
    return Place(tmp_path)


@pytest.mark.parametrize("folder", ["", f"{INSIDE}/", "./", f"./{INSIDE}/", "a/b/c/"])
@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_tar(place: Place, folder: str, mode: str) -> None:
    """The executables are taken out, nested or not, however the tar is packed."""
    files = {f"{folder}uv": b"uv", f"{folder}uvx": b"uvx", f"{folder}README": b"no"}
    place.unpack(tar(files, mode=mode))
    assert place.files() == {"uv": b"uv", "uvx": b"uvx"}
    assert {file.stat().st_mode & 0o777 for file in place.folder.iterdir()} == {0o755}


@pytest.mark.parametrize("folder", ["", "uv/"])
@pytest.mark.parametrize("mode", [0, stat.S_IFREG | 0o755])
def test_zip(place: Place, folder: str, mode: int) -> None:
    """The executables are taken out of a zip, with whatever it says of them."""
    files = {f"{folder}{name}": name.encode() for name in ("uv.exe", "uvx.exe", "uvw.exe", "x.txt")}
    place.unpack(zipped(files, mode=mode), WINDOWS)
    assert place.files() == {name: name.encode() for name in WINDOWS.executables}


@pytest.mark.parametrize("pack", [tar, zipped])
def test_uv_alone(place: Place, pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    """A release that brings uv alone, as very old ones do, is enough."""
    platform = UNIX if pack is tar else WINDOWS
    place.unpack(pack({f"a/{platform.uv}": b"x"}), platform)
    assert place.files() == {platform.uv: b"x"}


@pytest.mark.parametrize("pack", [tar, zipped])
@pytest.mark.parametrize(
    "path",
    [
        "../../{}",
        "/{}",
        "//{}",
        "/etc/{}",
        "a/../../../{}",
        "a/..",
        "..\\{}",
        "\\{}",
        "C:\\{}",
        "C:{}",
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_path_that_leads_out(
    place: Place, pack: Callable[[Mapping[str, bytes]], bytes], path: str, *, first: bool
) -> None:
    """An archive with a path that leads out of it is refused, whatever else is in it."""
    platform = UNIX if pack is tar else WINDOWS
    odd, good = {path.format("passwd"): b"odd"}, {f"a/{platform.uv}": b"uv"}
    body = pack({**odd, **good} if first else {**good, **odd})
    # Python's zipfile keeps the backslashes of a name, except on Windows.
    shown = path.format("passwd").replace(os.sep if pack is zipped else "/", "/")
    assert place.refused(body, platform) == f"`{shown}` in it leads out of it"
    assert place.files().keys() <= {platform.uv}


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.CONTTYPE,
        b"?",
    ],
)
@pytest.mark.parametrize("name", ["b/uv", "b/uvx", "b/other"])
def test_what_is_no_file(place: Place, kind: bytes, name: str) -> None:
    """An archive with links, devices or pipes is refused, whatever they are called."""
    odd = member(kind, "/etc/passwd")
    assert place.refused(tar({name: odd, "a/uv": b"uv"})) == (
        f"`{name}` in it is neither a file nor a directory"
    )
    assert place.files() == {}


def test_folders(place: Place) -> None:
    """Folders are no harm, whatever they are called."""
    place.unpack(tar({"uv": member(tarfile.DIRTYPE), "uv/uv": b"uv"}))
    assert place.files() == {"uv": b"uv"}


def test_link_in_zip(place: Place) -> None:
    """A zip with a link is refused."""
    body = zipped({"uv.exe": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777)
    assert place.refused(body, WINDOWS) == "`uv.exe` in it is neither a file nor a directory"
    assert place.files() == {}


def test_link_to_write_through(place: Place) -> None:
    """Nothing is written through a link that comes first."""
    outside = place.root / "outside"
    outside.write_bytes(b"as it was")
    place.refused(tar({"uv": member(tarfile.SYMTYPE, str(outside)), "a/uv": b"uv"}))
    assert place.files() == {str(outside): b"as it was"}


@pytest.mark.parametrize("pack", [tar, zipped])
def test_two_of_a_name(place: Place, pack: Callable[[Mapping[str, bytes]], bytes]) -> None:
    """Of two files with the same name nobody knows which is meant."""
    platform = UNIX if pack is tar else WINDOWS
    body = pack({f"{folder}/{platform.uv}": folder.encode() for folder in "ab"})
    assert place.refused(body, platform) == f"`b/{platform.uv}` in it occurs twice"


def test_long_path_in_a_message(place: Place) -> None:
    """A path in a message is short, and cannot do anything to a terminal."""
    said = place.refused(tar({f"../\x1b[2J{'x' * 500}": b"", "uv": b"uv"}))
    assert said == f"`../_[2J{'x' * 73}…` in it leads out of it"


def block(name: str, kind: bytes, size: int = 0) -> bytes:
    """Return the head of one member, as tar archives have it."""
    head = tarfile.TarInfo(name)
    head.type, head.size = kind, size
    return head.tobuf(tarfile.GNU_FORMAT)


def said(kind: bytes, body: bytes) -> bytes:
    """Return what is said of the next member."""
    return block("said", kind, len(body)) + body + bytes(-len(body) % 512)


def pax(**records: str) -> bytes:
    """Return what is said of the next member, as POSIX has it."""
    body = b""
    for key, value in records.items():
        rest = f" {key.replace('_', '.')}={value}\n"
        length = len(rest) + 1
        while len(f"{length}{rest}") > length:
            length += 1
        body += f"{length}{rest}".encode()
    return said(tarfile.XHDTYPE, body)


def sparse_without_end() -> bytes:
    """Return a file with holes, the list of which goes on and on."""
    head = bytearray(block("uv", tarfile.GNUTYPE_SPARSE))
    head[482] = 1  # the list goes on in the next block
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + (b"00000000001\0" * 42 + b"\1" + bytes(7)) * 100_000


def many(of: bytes, count: int) -> bytes:
    """Return the same many times, and a uv behind it."""
    return of * count + UV


UV = block("uv", tarfile.REGTYPE)
TOO_MUCH = "its metadata exceeds the size limit"

HOSTILE: Mapping[str, tuple[Callable[[], bytes], str | tuple[str, ...]]] = {
    "900 MB of pax": (
        lambda: block("x", tarfile.XHDTYPE, 900_000_000) + bytes(5_000_000),
        TOO_MUCH,
    ),
    "900 MB of name": (lambda: block("x", tarfile.GNUTYPE_LONGNAME, 900_000_000), TOO_MUCH),
    "900 MB of link": (lambda: block("x", tarfile.GNUTYPE_LONGLINK, 900_000_000), TOO_MUCH),
    "long names": (lambda: many(said(b"L", b"a" * 4000) + block("x", b"0"), 20_000), TOO_MUCH),
    "long name": (lambda: many(said(b"L", b"a" * 5000) + block("x", b"0"), 1), TOO_MUCH),
    "names of names": (lambda: many(said(b"L", b"a"), 20_000), TOO_MUCH),
    "pax of pax": (lambda: many(pax(path="a"), 20_000), TOO_MUCH),
    "pax for all": (lambda: many(said(b"g", b"4000 a=" + b"x" * 3992 + b"\n"), 20_000), TOO_MUCH),
    # Python below 3.11.10 looks for the end of these once for each of them (CVE-2024-6232); later
    # ones refuse the first.
    "digits": (
        lambda: many(said(b"x", b"1" * 4096), 20_000),
        (TOO_MUCH, "it is damaged (invalid header)"),
    ),
    "folders": (lambda: many(block("a/", tarfile.DIRTYPE), 100_000), TOO_MUCH),
    "files": (lambda: many(block("a", tarfile.REGTYPE), 100_000), TOO_MUCH),
    "less than nothing": (
        lambda: many(block("a", b"0", -1024), 1),
        "`a` in it has a negative size",
    ),
    "less by pax": (
        lambda: many(pax(size="-1024") + block("a", b"0"), 1),
        "`a` in it has a negative",
    ),
    "less than no pax": (lambda: block("a", b"x", -1024) + UV, ""),
    "less than no name": (lambda: block("a", b"L", -1024) + UV, ""),
    "exabytes": (
        lambda: many(block("a", b"0", 1 << 60), 1),
        "it contains more than 1,073,741,824 bytes",
    ),
    "exabytes by pax": (
        lambda: many(pax(size="9" * 3000) + block("a", b"0"), 1),
        "it contains more than 1,073,741,824 bytes",
    ),
    "holes without end": (sparse_without_end, TOO_MUCH),
    "holes": (lambda: block("uv", tarfile.GNUTYPE_SPARSE), "`uv` in it is a sparse file"),
    "holes by pax 0.1": (
        lambda: pax(GNU_sparse_map="0,1", GNU_sparse_size="9") + UV,
        "`uv` in it is a sparse file",
    ),
    "holes by pax 1.0": (
        lambda: (
            pax(GNU_sparse_major="1", GNU_sparse_minor="0")
            + block("uv", b"0", 99_000_000)
            + b"9999999\n"
            + b"1\n" * 9_000_000
        ),
        TOO_MUCH,
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_said_of_members(place: Place, what: str) -> None:
    """An archive cannot take memory, or time, by what it says of what is in it."""
    make, why = HOSTILE[what]
    packed = gzip.compress(make() + bytes(1024), compresslevel=1)
    tracemalloc.start()
    try:
        assert place.refused(packed).startswith(why)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert set(place.files()) <= {"uv"}


@pytest.mark.parametrize("name", ["a/", "a", "a" * 60_000])
def test_zip_with_a_long_directory(place: Place, name: str) -> None:
    """A zip with more members than uv's can have, or long names, is refused before it is read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for number in range(10 if len(name) > 99 else 10_000):
            file.writestr(f"{number}{name}", b"")
        file.writestr("uv.exe", b"uv")
    tracemalloc.start()
    try:
        assert place.refused(packed.getvalue(), WINDOWS) == TOO_MUCH
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert place.files() == {}


def test_zip_with_long_headers(place: Place) -> None:
    """What precedes the members of a zip is limited as well, even if its directory is short."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for name in [*map(str, range(9)), "uv.exe"]:
            info = zipfile.ZipInfo(name)
            info.extra = bytes(60_000)
            file.writestr(info, b"uv")
            info.extra = b""  # in the directory
    assert place.refused(packed.getvalue(), WINDOWS) == TOO_MUCH


def spoilt(body: bytes, chance: random.Random) -> bytes:
    """Return an archive with some bytes changed, removed or put in between."""
    changed = bytearray(body)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(changed))
        new = bytes(chance.choice(b"\0\1-09\x7f\x80\xff") for _ in range(chance.randint(1, 12)))
        changed[place : place + chance.choice((0, 1, len(new)))] = new
    return bytes(changed)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("platform", [UNIX, WINDOWS], ids=["tar", "zip"])
def test_whatever_was_changed(place: Place, platform: Platform, seed: int) -> None:
    """Whatever is changed in an archive, it is unpacked, or refused for its own fault."""
    chance = random.Random(seed)  # noqa: S311 # no secret
    file = {f"a/{platform.uv}": b"uv" * 999}
    tars = [gzip.decompress(tar(file)), sparse_without_end()[:9000], pax(path="a") + UV]
    refused = 0
    for _ in range(250):
        body = zipped(file) if platform.windows else chance.choice(tars)
        try:
            place.unpack(spoilt(body, chance), platform)
        except UnusableArchive:
            refused += 1
        for left in place.folder.iterdir():
            left.unlink()
    assert refused > 100


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, 99])
def test_zip_packed_otherwise(place: Place, method: int) -> None:
    """What uv's archives are not packed with may need memory as it likes."""
    body = zipped({"uv.exe": b"uv"}).replace(b"\x08\x00", bytes([method, 0]))
    assert place.refused(body, WINDOWS) == "`uv.exe` in it has an unsupported compression method"


@pytest.mark.parametrize("pack", [tar, zipped])
def test_together_too_large(
    place: Place,
    pack: Callable[[Mapping[str, bytes]], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is unpacked is bounded as a whole."""
    monkeypatch.setattr(module, "LARGEST_UNPACKED", 100_000)
    platform = UNIX if pack is tar else WINDOWS
    body = pack(dict.fromkeys(platform.executables, bytes(60_000)))
    assert place.refused(body, platform) == "it contains more than 100,000 bytes"


def test_compressed_otherwise(place: Place) -> None:
    """Uv's archives are packed by gzip; what else can be read needs memory as it likes (xz)."""
    assert place.refused(tar({"uv": b"uv"}, mode="w:xz")) == "it is not an archive"


def test_bomb_of_ten_gigabytes(place: Place) -> None:
    """One that would unpack to 10 GiB is stopped at 1 GiB."""
    head = tarfile.TarInfo("a/uv")
    head.size = 10 << 30
    packer = zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16)
    begin, zeros = (
        packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)  # what follows does not refer to it
        for data in (head.tobuf(tarfile.GNU_FORMAT), bytes(8 << 20))
    )
    with pytest.raises(UnusableArchive, match="more than 1,073,741,824 bytes"):
        place.unpack(begin + zeros * (10 << 7))
    assert sum(file.stat().st_size for file in place.folder.iterdir()) <= 1 << 30


@pytest.mark.parametrize(
    ("platform", "body", "said"),
    [
        (UNIX, tar({}), "it contains no uv"),
        (UNIX, tar({"a/uvx": b"x", "a/uv.exe": b"x", "uv/README": b""}), "it contains no uv"),
        (WINDOWS, zipped({}), "it contains no uv.exe"),
        (WINDOWS, zipped({"uvx.exe": b"", "uv": b""}), "it contains no uv.exe"),
        (UNIX, b"", "it is an empty file"),
        (UNIX, b"<!DOCTYPE html>", "it is a web page"),
        (UNIX, b'{"message": "no"}', "it is JSON with other contents"),
        (WINDOWS, b"<html>", "it is a web page"),
        (WINDOWS, b"nonsense", "it is not an archive"),
    ],
    # Archives have the time in them, and the workers have to agree on what a test is called.
    ids=["empty tar", "tar", "empty zip", "zip", "empty", "page", "json", "html", "text"],
)
def test_without_uv(place: Place, platform: Platform, body: bytes, said: str) -> None:
    """An archive without uv, or what is no archive, is refused with what it is."""
    assert place.refused(body, platform) == said


BIG = {f"{INSIDE}/uv": bytes(range(256)) * 400, f"{INSIDE}/uvx": b"x" * 1000}


def _broken_at(body: bytes, position: int) -> bytes:
    return body[:position] + bytes([body[position] ^ 0xFF]) + body[position + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[:1],
        lambda body: body[:20],
        lambda body: body[: len(body) // 2],
        lambda body: body[:-9],
        lambda body: body[:-1],
        lambda body: _broken_at(body, len(body) // 2),
        lambda body: _broken_at(body, len(body) - 6),
        lambda _: gzip.compress(b"not a tar"),
        lambda body: gzip.compress(gzip.decompress(body)[:1000]),
        lambda body: gzip.compress(gzip.decompress(body)[:-12_000]),
    ],
    ids=[
        "1 byte",
        "20 bytes",
        "half",
        "no trailer",
        "no end",
        "bit",
        "crc",
        "no tar",
        "cut",
        "cut 2",
    ],
)
def test_damaged_tar(place: Place, damage: Callable[[bytes], bytes]) -> None:
    """A tar.gz that is cut off or changed anywhere is refused, its checksum included."""
    said = place.refused(damage(tar(BIG)))
    assert said.startswith(("it is damaged (", "it is not an archive", "it contains no uv"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[:20],
        lambda body: body[: len(body) // 2],
        lambda body: body[:-1],
        lambda body: _broken_at(body, 300),
        # The flags of the only entry in the directory at the end.
        lambda body: _broken_at(body, body.index(b"PK\x01\x02") + 8),
    ],
    ids=["20 bytes", "half", "no end", "bit", "encrypted"],
)
def test_damaged_zip(place: Place, damage: Callable[[bytes], bytes]) -> None:
    """A zip that is cut off, changed or encrypted is refused."""
    body = zipped({"uv.exe": bytes(range(256)) * 400})
    changed = damage(body)
    assert changed != body
    assert place.refused(changed, WINDOWS).startswith("it is damaged (")


@pytest.mark.parametrize("name", ["uv", "junk"])
@pytest.mark.parametrize("pack", [tar, zipped])
def test_bomb(
    place: Place,
    pack: Callable[[Mapping[str, bytes]], bytes],
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What unpacks to more than uv can have is stopped; of a tar, also what is passed over."""
    monkeypatch.setattr(module, "LARGEST_UNPACKED", 100_000)
    monkeypatch.setattr(stream, "_PIECE", 1000)
    platform = UNIX if pack is tar else WINDOWS
    suffix = ".exe" if platform.windows else ""
    body = pack({name + suffix: bytes(10_000_000), f"a/{platform.uv}": b"uv"})
    assert len(body) < 100_000
    if pack is zipped and name == "junk":
        place.unpack(body, platform)
        assert place.files() == {"uv.exe": b"uv"}
    else:
        assert place.refused(body, platform) == "it contains more than 100,000 bytes"
        assert sum(map(len, place.files().values())) <= 100_000


def test_bomb_behind_the_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows the end of a tar is not unpacked without limit either."""
    monkeypatch.setattr(module, "LARGEST_UNPACKED", 100_000)
    body = gzip.compress(gzip.decompress(tar({"uv": b"uv"})) + bytes(10_000_000))
    assert place.refused(body) == "it contains more than 100,000 bytes"


@pytest.mark.parametrize("pack", [tar, zipped])
def test_folder_that_cannot_be_written(
    place: Place, pack: Callable[[Mapping[str, bytes]], bytes]
) -> None:
    """That the folder cannot be written is no fault of the archive."""
    platform = UNIX if pack is tar else WINDOWS
    place.folder.rmdir()
    with pytest.raises(FileNotFoundError):
        place.unpack(pack({platform.uv: b"x"}), platform)
