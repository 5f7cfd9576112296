"""The releases that every simulated server holds: tiny archives, made up, each with its digest."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal

from packaging.version import Version

from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Sidecar = Literal["beside", "sum"]
"""How digests are published beside the archives: `NAME.sha256` for each, or one `sha256.sum`."""

INSTALLERS = ("uv-installer.sh", "uv-installer.ps1")
SUM = "sha256.sum"

_OTHERS = ("aarch64-apple-darwin", "x86_64-pc-windows-msvc", "riscv64gc-unknown-linux-gnu")
_FIRST = datetime(2026, 1, 29, 20, 24, 46, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a release."""

    name: str
    content: bytes
    """What a server hands out."""

    sha256: str
    """What was published; another than that of the content, if that was changed afterwards."""

    date: datetime

    @property
    def archive(self) -> bool:
        """Whether it holds uv for some platform."""
        return self.name.endswith((".tar.gz", ".zip"))

    @property
    def triple(self) -> str:
        """The platform of an archive."""
        return self.name.removeprefix("uv-").removesuffix(".tar.gz").removesuffix(".zip")


@dataclass(frozen=True, kw_only=True)
class Published:
    """One release."""

    version: str
    date: datetime
    files: tuple[File, ...]
    pending: bool = False
    """Whether it is announced already, while its files are still on their way."""

    @property
    def prerelease(self) -> bool:
        """Whether it is one."""
        return Version(self.version).is_prerelease

    def __getitem__(self, name: str) -> File:
        """Return the file of that name."""
        return next(file for file in self.files if file.name == name)


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Releases, in the order in which they were published."""

    releases: tuple[Published, ...]

    def __getitem__(self, version: str) -> Published:
        """Return one release."""
        return next(release for release in self.releases if release.version == version)

    def __iter__(self) -> Iterator[Published]:
        """Walk through the releases, the last published first, as most servers list them."""
        return iter(reversed(self.releases))

    @property
    def stored(self) -> tuple[Published, ...]:
        """The releases whose files are there."""
        return tuple(release for release in self.releases if not release.pending)


def catalogue(
    *versions: str,
    incomplete: Collection[str] = (),
    changed: Collection[str] = (),
    pending: Collection[str] = (),
    sidecars: Collection[Sidecar] = ("beside", "sum"),
) -> Catalogue:
    """Make releases.

    Args:
        versions: In the order in which they were published, a day apart.
        incomplete: Those that lack the archive for this machine.
        changed: Those whose archive for this machine is another than the one that was published.
        pending: Those that are announced and not there yet.
        sidecars: How their digests are published.
    """
    here = platforms.current().triple
    found = []
    for number, version in enumerate(versions):
        date = _FIRST + timedelta(days=number)
        triples = (*_OTHERS,) if version in incomplete else (here, *_OTHERS)
        files = [_archive_file(version, triple, date) for triple in dict.fromkeys(triples)]
        if version in changed:
            files[0] = replace(files[0], content=_archive(f"{version} changed", here))
        files += [_file(name, _installer(name, version), date) for name in INSTALLERS]
        found.append(
            Published(
                version=version,
                date=date,
                files=(*files, *_sidecars(files, sidecars)),
                pending=version in pending,
            )
        )
    return Catalogue(releases=tuple(found))


def script(version: str) -> bytes:
    """Return a program that says its version, in place of uv, which is large."""
    return f"#!/bin/sh\necho uv {version}\n".encode()


def _installer(name: str, version: str) -> bytes:
    """Return what a mirror can tell the version of a lone release from."""
    sign = "$" if name.endswith(".ps1") else ""
    return f'#!/bin/sh\n{sign}APP_VERSION="{version}"\n'.encode()


def _sidecars(files: list[File], kinds: Collection[Sidecar]) -> Iterator[File]:
    # In sha256sum's binary mode, as uv's releases have them.
    lines = {file.name: f"{file.sha256} *{file.name}\n" for file in files if file.archive}
    date = files[0].date
    if "beside" in kinds:
        yield from (_file(f"{name}.sha256", line.encode(), date) for name, line in lines.items())
    if "sum" in kinds:
        yield _file(SUM, "".join(lines.values()).encode(), date)


def _archive_file(version: str, triple: str, date: datetime) -> File:
    ending = ".zip" if "-windows-" in triple else ".tar.gz"
    return _file(f"uv-{triple}{ending}", _archive(version, triple), date)


def _file(name: str, content: bytes, date: datetime) -> File:
    digest = hashlib.sha256(content).hexdigest()
    return File(name=name, content=content, sha256=digest, date=date)


@cache
def _archive(version: str, triple: str) -> bytes:
    """Return an archive as uv's releases have it: a folder in a tarball, none in a zip."""
    made = io.BytesIO()
    content = script(version)
    if "-windows-" in triple:
        with zipfile.ZipFile(made, "w") as packed:
            for name in ("uv.exe", "uvx.exe"):
                packed.writestr(zipfile.ZipInfo(name), content)
        return made.getvalue()
    with tarfile.open(fileobj=made, mode="w") as file:
        for name in ("uv", "uvx"):
            member = tarfile.TarInfo(f"uv-{triple}/{name}")
            member.size, member.mode = len(content), 0o755
            file.addfile(member, io.BytesIO(content))
    return gzip.compress(made.getvalue(), mtime=0)
