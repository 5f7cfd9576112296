"""uv's release archives, and what else may come in their place."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import UnusableArchive
from uv_self_update.installer import archive as module
from uv_self_update.installer.archive import unpack
from uv_self_update.platforms import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

UNIX = Platform(triple="x86_64-unknown-linux-gnu")
WINDOWS = Platform(triple="x86_64-pc-windows-msvc")
SOURCE = "the mirror"
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


class Place:
    """A folder to unpack into, and what lies around it."""

    def __init__(self, root: Path) -> None:
        """Make the folder."""
        self.root = root
        self.folder = root / "staging" / "bin"
        self.folder.mkdir(parents=True)

    def unpack(self, body: bytes, platform: Platform = UNIX, name: str | None = None) -> None:
        """Unpack an archive with this content."""
        file = self.root / "archive"
        file.write_bytes(body)
        unpack(file, platform, self.folder, name=name or platform.archive, source=SOURCE)

    def refused(self, body: bytes, platform: Platform = UNIX) -> str:
        """Unpack an archive that cannot be used, and return why."""
        with pytest.raises(UnusableArchive) as caught:
            self.unpack(body, platform)
        start = f"{platform.archive} from {SOURCE} cannot be used: "
        assert str(caught.value).startswith(start)
        return str(caught.value).removeprefix(start)

    def files(self) -> dict[str, bytes]:
        """Return every file and link there is, but the archive."""
        return {
            str(path).removeprefix(f"{self.folder}/"): path.read_bytes()
            for path in self.root.rglob("*")
            if (path.is_file() or path.is_symlink()) and path != self.root / "archive"
        }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a folder to unpack into."""
    return Place(tmp_path)


@pytest.mark.parametrize("folder", ["", f"{INSIDE}/", "./", f"./{INSIDE}/", "a/b/c/"])
@pytest.mark.parametrize("mode", ["w:gz", "w", "w:xz", "w:bz2"])
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
    # Python's zipfile reads names of Windows on other systems as they are.
    assert place.refused(body, platform) == f"`{path.format('passwd')}` in it leads out of it"
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
        f"`{name}` in it is neither a file nor a folder"
    )
    assert place.files() == {}


def test_folders(place: Place) -> None:
    """Folders are no harm, whatever they are called."""
    place.unpack(tar({"uv": member(tarfile.DIRTYPE), "uv/uv": b"uv"}))
    assert place.files() == {"uv": b"uv"}


def test_link_in_zip(place: Place) -> None:
    """A zip with a link is refused."""
    body = zipped({"uv.exe": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777)
    assert place.refused(body, WINDOWS) == "`uv.exe` in it is neither a file nor a folder"
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
    assert place.refused(body, platform) == f"`b/{platform.uv}` in it is there twice"


def test_long_path_in_a_message(place: Place) -> None:
    """A path in a message is short, and cannot do anything to a terminal."""
    said = place.refused(tar({f"../\x1b[2J{'x' * 500}": b"", "uv": b"uv"}))
    assert said == f"`../_[2J{'x' * 73}…` in it leads out of it"


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]
)
def test_head_that_takes_memory(place: Place, kind: bytes) -> None:
    """What an archive says of a member is not read if it has many bytes."""
    head = tarfile.TarInfo("uv")
    head.type, head.size = kind, 900_000_000
    packed = gzip.compress(head.tobuf(tarfile.USTAR_FORMAT) + bytes(50_000_000), compresslevel=1)
    tracemalloc.start()
    try:
        assert place.refused(packed) == "it holds more than 1,073,741,824 bytes"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert place.files() == {}


@pytest.mark.slow
def test_bomb_of_ten_gigabytes(place: Place) -> None:
    """One that would unpack to 10 GiB is stopped at 1 GiB."""
    packed = place.root / "archive"
    head = tarfile.TarInfo("a/uv")
    head.size = 10 << 30
    with gzip.open(packed, "wb", compresslevel=1) as file:
        file.write(head.tobuf(tarfile.GNU_FORMAT))
        for _ in range(10 << 7):
            file.write(bytes(8 << 20))
    with pytest.raises(UnusableArchive, match="more than 1,073,741,824 bytes"):
        unpack(packed, UNIX, place.folder, name=UNIX.archive, source=SOURCE)
    assert sum(file.stat().st_size for file in place.folder.iterdir()) <= 1 << 30


@pytest.mark.parametrize(
    ("platform", "body", "said"),
    [
        (UNIX, tar({}), "there is no uv in it"),
        (UNIX, tar({"a/uvx": b"x", "a/uv.exe": b"x", "uv/README": b""}), "there is no uv in it"),
        (WINDOWS, zipped({}), "there is no uv.exe in it"),
        (WINDOWS, zipped({"uvx.exe": b"", "uv": b""}), "there is no uv.exe in it"),
        (UNIX, b"", "it is empty"),
        (UNIX, b"<!DOCTYPE html>", "it is a web page"),
        (UNIX, b'{"message": "no"}', "it is JSON of another kind"),
        (WINDOWS, b"<html>", "it is a web page"),
        (WINDOWS, b"nonsense", "it is no archive"),
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
    assert said.startswith(("it is damaged (", "it is no archive", "there is no uv in it"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[:20],
        lambda body: body[: len(body) // 2],
        lambda body: body[:-1],
        lambda body: _broken_at(body, 300),
        lambda body: body.replace(b"\x08\x00", b"\x63\x00"),
        # The flags of the only entry in the directory at the end.
        lambda body: _broken_at(body, body.index(b"PK\x01\x02") + 8),
    ],
    ids=["20 bytes", "half", "no end", "bit", "method", "encrypted"],
)
def test_damaged_zip(place: Place, damage: Callable[[bytes], bytes]) -> None:
    """A zip that is cut off, changed, encrypted or packed in an unknown way is refused."""
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
    monkeypatch.setattr(module, "_LARGEST", 100_000)
    monkeypatch.setattr(module, "_CHUNK", 1000)
    platform = UNIX if pack is tar else WINDOWS
    suffix = ".exe" if platform.windows else ""
    body = pack({name + suffix: bytes(10_000_000), f"a/{platform.uv}": b"uv"})
    assert len(body) < 100_000
    if pack is zipped and name == "junk":
        place.unpack(body, platform)
        assert place.files() == {"uv.exe": b"uv"}
    else:
        assert place.refused(body, platform) == "it holds more than 100,000 bytes"
        assert sum(map(len, place.files().values())) <= 100_000


def test_bomb_behind_the_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows the end of a tar is not unpacked without limit either."""
    monkeypatch.setattr(module, "_LARGEST", 100_000)
    body = gzip.compress(gzip.decompress(tar({"uv": b"uv"})) + bytes(10_000_000))
    assert place.refused(body) == "it holds more than 100,000 bytes"


@pytest.mark.parametrize("pack", [tar, zipped])
def test_folder_that_cannot_be_written(
    place: Place, pack: Callable[[Mapping[str, bytes]], bytes]
) -> None:
    """That the folder cannot be written is no fault of the archive."""
    platform = UNIX if pack is tar else WINDOWS
    place.folder.rmdir()
    with pytest.raises(FileNotFoundError):
        place.unpack(pack({platform.uv: b"x"}), platform)
