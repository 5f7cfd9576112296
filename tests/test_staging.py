"""Executables: fetched, checked, tried, and laid ready."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shlex
import shutil
import tarfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import (
    DigestMismatch,
    Interrupted,
    NotReplaced,
    StagedUvBroken,
    StatusRefused,
    UnexpectedBody,
    UnusableArchive,
    UvSelfUpdateError,
)
from uv_self_update.installer import stage as module
from uv_self_update.installer.stage import confirm, stage
from uv_self_update.network.responses import Download
from uv_self_update.platforms import Platform
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.release import Asset, Release
from uv_self_update.sources.interface import ArchiveSource, Source, WheelSource
from uv_self_update.sources.order import Found
from uv_self_update.uv import executable
from uv_self_update.uv.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from uv_self_update.releases.target import Wanted

PLATFORM = Platform(triple="x86_64-unknown-linux-gnu")
NAME = PLATFORM.archive
VERSION = "0.12.3"
GOOD = f"echo 'uv {VERSION} (x86_64-unknown-linux-gnu)'"


class Mirror(ArchiveSource):
    """A source with one archive."""

    name = "the mirror"

    def __init__(self, body: bytes, error: UvSelfUpdateError | None = None) -> None:
        """Keep the body, and what comes after it."""
        self._body = body
        self._error = error
        self.opened: list[Asset] = []
        self.closed = 0

    def find(self, wanted: Wanted) -> Release:
        """Is not asked."""
        raise NotImplementedError

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Is not asked."""
        raise NotImplementedError

    @contextmanager
    def open(self, release: Release, asset: Asset) -> Iterator[Download]:
        """Send the body in pieces."""
        self.opened.append(asset)
        url = f"https://mirror.example/{release.tag}/{asset.name}"
        yield Download(url=url, size=len(self._body), chunks=self._chunks())
        self.closed += 1

    def _chunks(self) -> Iterator[bytes]:
        for start in range(0, len(self._body), 100):
            yield self._body[start : start + 100]
        if self._error is not None:
            raise self._error


class Index(WheelSource):
    """A source with one wheel."""

    name = "the index"

    def __init__(self, script: str) -> None:
        """Keep what its uv does."""
        self._script = script

    def find(self, wanted: Wanted) -> Release:
        """Is not asked."""
        raise NotImplementedError

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Is not asked."""
        raise NotImplementedError

    def unpack(self, release: Release, folder: Path) -> Path:
        """Lay two executables."""
        target = folder / release.version
        target.mkdir()
        (target / "uv").write_text(f"#!/bin/sh\n{self._script}\n")
        (target / "uv").chmod(0o755)
        (target / "uvx").write_bytes(b"x" * 1000)
        return target

    def unpack_for(self, release: Release, platform: Platform, folder: Path) -> Path:
        """Is not asked."""
        raise NotImplementedError

    def digest_algorithm(self, release: Release) -> str | None:
        """Is not asked."""
        raise NotImplementedError

    def dated(self, release: Release) -> bool:
        """Is not asked."""
        raise NotImplementedError


class Other(Source):
    """A source of a kind that nobody knows."""

    name = "other"

    def find(self, wanted: Wanted) -> Release:
        """Is not asked."""
        raise NotImplementedError

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Is not asked."""
        raise NotImplementedError


def archive(script: str = GOOD, *, name: str = "uv") -> bytes:
    """Return an archive whose uv is a script."""
    packed = io.BytesIO()
    content = f"#!/bin/sh\n{script}\n".encode()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        member = tarfile.TarInfo(f"uv-x/{name}")
        member.size = len(content)
        file.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def found(source: Source, *assets: Asset, listed: bool = True) -> Found:
    """Return a release at a source."""
    release = Release(version=VERSION, tag=f"v{VERSION}", assets=assets if listed else None)
    return Found(source=source, release=release)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a new folder of our own."""
    path = tmp_path / "staging"
    path.mkdir()
    return path


def installation(folder: Path, environ: Mapping[str, str] | None = None) -> Installation:
    """Return the uv that is replaced."""
    return Installation(uv=folder.parent / "uv", environ=environ or {}, platform=PLATFORM)


def failure(found: Found, folder: Path) -> UvSelfUpdateError:
    """Stage what cannot be staged, and return why."""
    with pytest.raises(UvSelfUpdateError) as caught:
        stage(found, installation(folder), folder, digests=DigestRules())
    return caught.value


@pytest.mark.parametrize("known", ["digest", "name", "other files", "nothing"])
def test_archive(folder: Path, known: str) -> None:
    """The archive is fetched, with its digest if that is known, unpacked, tried and removed."""
    body = archive()
    digest = hashlib.sha256(body).hexdigest()
    assets = {
        "digest": [Asset(name="uv-installer.sh"), Asset(name=NAME, sha256=digest)],
        "name": [Asset(name=NAME)],
        "other files": [Asset(name="uv-installer.sh")],
        "nothing": [],
    }[known]
    source = Mirror(body)
    staged = stage(
        found(source, *assets, listed=known != "nothing"),
        installation(folder),
        folder,
        digests=DigestRules(),
    )
    assert source.opened == [Asset(name=NAME, sha256=digest if known == "digest" else None)]
    assert source.closed == 1
    assert (staged.version, staged.size) == (VERSION, len(body))
    assert [file.name for file in staged.folder.iterdir()] == ["uv"]
    assert list(folder.iterdir()) == [staged.folder]


def test_wheel(folder: Path) -> None:
    """A wheel is unpacked by its source, and tried."""
    staged = stage(found(Index(GOOD)), installation(folder), folder, digests=DigestRules())
    assert staged.folder == folder / VERSION
    assert staged.size == 1000 + (staged.folder / "uv").stat().st_size


def test_unknown_source(folder: Path) -> None:
    """A source that is neither is a mistake in the program."""
    with pytest.raises(AssertionError):
        stage(found(Other()), installation(folder), folder, digests=DigestRules())


def test_wrong_digest(folder: Path) -> None:
    """An archive with another digest is refused before anything of it is run."""
    marker = folder / "was run"
    source = Mirror(archive(f"touch {shlex.quote(str(marker))}\n{GOOD}"))
    error = failure(found(source, Asset(name=NAME, sha256="0" * 64)), folder)
    assert isinstance(error, DigestMismatch)
    assert f"{NAME} from https://mirror.example/v{VERSION}/{NAME}" in str(error)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"<!DOCTYPE html><title>Sign in", UnexpectedBody, "got a web page"),
        (b"", UnusableArchive, "it is an empty file"),
        (archive()[:-30], UnusableArchive, "it is damaged"),
        (archive(name="uvx"), UnusableArchive, "it contains no uv"),
    ],
)
def test_no_uv(folder: Path, body: bytes, kind: type[Exception], said: str) -> None:
    """What is no archive with uv in it is refused, and its address is named."""
    error = failure(found(Mirror(body), Asset(name=NAME)), folder)
    assert isinstance(error, kind)
    assert f"https://mirror.example/v{VERSION}/{NAME}" in str(error)
    assert said in str(error)


@pytest.mark.parametrize(
    "error",
    [Interrupted("https://h/", 5, 10, "reset"), StatusRefused("https://h/", 404, "Not Found")],
)
def test_source_that_fails(folder: Path, error: UvSelfUpdateError) -> None:
    """A failure of the source is handed on as what it is."""
    assert failure(found(Mirror(b"x" * 250, error), Asset(name=NAME)), folder) is error


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo uv 0.12.4", "it reports its version as `uv 0.12.4`"),
        ("echo uv 0.12.30", "it reports its version as `uv 0.12.30`"),
        ("echo uv 0.12.3rc1", "it reports its version as `uv 0.12.3rc1`"),
        ("echo uv newest", "it reports its version as `uv newest`"),
        (f"echo uvx {VERSION}", f"it reports its version as `uvx {VERSION}`"),
        (":", "it reports its version as ``"),
        ("echo no such library >&2; exit 127", "it exited with code 127: no such library"),
        ("kill -9 $$", "it exited with code -9: "),
        ("printf '\\377'", "it reports its version as `\ufffd`"),
    ],
)
@pytest.mark.parametrize("source", ["mirror", "index"])
def test_uv_that_does_not_work(folder: Path, source: str, script: str, said: str) -> None:
    """A uv that does not run here, or is another one, is refused before it replaces anything."""
    where = Mirror(archive(script)) if source == "mirror" else Index(script)
    error = failure(found(where, Asset(name=NAME)), folder)
    assert isinstance(error, StagedUvBroken)
    assert str(error) == (f"uv {VERSION} from {where.name} does not work on this machine: {said}")


def test_uv_that_the_system_refuses(folder: Path) -> None:
    """A uv for another machine is refused in the system's words."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as file:
        member = tarfile.TarInfo("uv")
        member.size = 4
        file.addfile(member, io.BytesIO(b"\x7fELF"))
    error = failure(found(Mirror(packed.getvalue()), Asset(name=NAME)), folder)
    assert str(error).endswith("does not work on this machine: Exec format error")


def test_uv_that_hangs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A uv that does not answer is given up."""
    monkeypatch.setattr(executable, "_ANSWER", 0.2)
    error = failure(found(Mirror(archive("exec sleep 60")), Asset(name=NAME)), folder)
    said = "does not work on this machine: it did not answer within 0.2 seconds"
    assert str(error).endswith(said)


def test_flushed_while_it_is_tried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All executables are flushed before they count as staged, and uv is tried meanwhile."""
    flushed: set[str] = set()
    tried = threading.Event()

    def flush(file: Path) -> None:
        assert tried.wait(60), "it waits for the disk before it runs uv"
        flushed.add(file.name)

    def confirm(*_: object, **__: object) -> None:
        tried.set()

    monkeypatch.setattr(module, "flush", flush)
    monkeypatch.setattr(module, "confirm", confirm)
    stage(found(Index(GOOD)), installation(folder), folder, digests=DigestRules())
    assert flushed == {"uv", "uvx"}


@pytest.mark.parametrize("works", [False, True])
def test_disk_that_breaks(folder: Path, monkeypatch: pytest.MonkeyPatch, *, works: bool) -> None:
    """Executables that cannot be flushed are refused; that uv does not run is the better reason."""

    def flush(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module, "flush", flush)
    error = failure(found(Index(GOOD if works else "exit 1")), folder)
    assert isinstance(error, NotReplaced if works else StagedUvBroken)
    assert ("Input/output error" in str(error)) == works


def test_environment(folder: Path) -> None:
    """The new uv is tried with what it needs to start, and finds no login among the variables."""
    said = folder.parent / "environment"
    environ = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "UV_INDEX_CORP_PASSWORD": "hidden",
        "GITHUB_TOKEN": "hidden",
        "UV_SELF_UPDATE_SOURCE": "index",
    }
    script = f'env >"{said}" && {GOOD}'
    staged = stage(
        found(Index(script)),
        installation(folder, environ),
        folder,
        digests=DigestRules(),
    )
    assert staged.version == VERSION
    names = {line.partition("=")[0] for line in said.read_text().splitlines()}
    # A shell sets some by itself.
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "LC_ALL", "UV_NO_CONFIG"}


@pytest.mark.parametrize("said", ["1.0.0-rc.1", "1.0.0rc1"])
def test_version_that_is_written_in_another_way(folder: Path, said: str) -> None:
    """A pre-release may call itself by the name that its tag has."""
    uv = folder / "uv"
    uv.write_text(f"#!/bin/sh\necho 'uv {said} (0123456 2026-01-01)'\n")
    uv.chmod(0o755)
    confirm(
        uv,
        "1.0.0rc1",
        source="the mirror",
        installation=Installation(uv=uv, environ={"PATH": os.environ["PATH"]}),
    )


def test_folder_that_cannot_be_written(folder: Path) -> None:
    """That the folder cannot be written is an error that names where uv was to be put."""
    shutil.rmtree(folder)
    error = failure(found(Mirror(archive()), Asset(name=NAME)), folder)
    assert isinstance(error, NotReplaced)
    assert str(error) == (
        f"failed to write the new version to {folder.parent}: No such file or directory"
    )
