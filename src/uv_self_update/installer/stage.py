"""Executables, fetched, checked, tried, and laid ready beside the ones that they replace."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors import NotReplaced, StagedUvBroken
from uv_self_update.installer.archive import unpack
from uv_self_update.releases.release import Asset
from uv_self_update.sources.formats.documents import checked
from uv_self_update.sources.interface import ArchiveSource, WheelSource
from uv_self_update.uv.environment import bare_environment
from uv_self_update.uv.executable import ask_version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uv_self_update.platforms import Platform
    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.sources.order import Found


@dataclass(frozen=True, kw_only=True)
class Staged:
    """Executables that run, laid ready."""

    folder: Path
    version: str
    size: int
    """Bytes: of the archive, or for a wheel of what was in it."""


def stage(
    found: Found,
    platform: Platform,
    folder: Path,
    *,
    place: Path,
    environ: Mapping[str, str],
    digests: DigestRules,
) -> Staged:
    """Lay a release's executables into `folder`, and make sure that they run.

    Args:
        found: The release and its source.
        platform: Where uv runs.
        folder: A new folder of our own.
        place: Where they will go, for messages.
        environ: The environment to try uv in.
        digests: Which digests an archive has to have; an index knows them by itself.

    Raises:
        SourceError: The source cannot be used.
        InstallError: What it sent is not uv, does not run here, or cannot be written.
    """
    try:
        match found.source:
            case ArchiveSource() as source:
                executables, size = _from_archive(source, found, platform, folder, digests)
            case WheelSource() as source:
                executables = source.unpack(found.release, folder)
                size = sum(file.stat().st_size for file in executables.iterdir())
            case source:
                raise AssertionError(source)
    except OSError as error:
        raise NotReplaced(place, error.strerror or str(error)) from error
    version = found.release.version
    confirm(executables / platform.uv, version, source=found.source.name, environ=environ)
    return Staged(folder=executables, version=version, size=size)


def _from_archive(
    source: ArchiveSource,
    found: Found,
    platform: Platform,
    folder: Path,
    digests: DigestRules,
) -> tuple[Path, int]:
    name = platform.archive
    # Perhaps it is there and only not listed: if not, the source says so itself.
    asset = found.release.asset(name) or Asset(name=name)
    archive, executables = folder / name, folder / "bin"
    executables.mkdir()
    with source.open(found.release, asset) as download, archive.open("xb") as file:
        for chunk in checked(download, asset, version=found.release.version, rules=digests):
            file.write(chunk)
    unpack(archive, platform, executables, name=name, source=download.url)
    size = archive.stat().st_size
    archive.unlink()
    return executables, size


def confirm(uv: Path, version: str, *, source: str, environ: Mapping[str, str]) -> None:
    """Run a new uv once, where it lies.

    Args:
        uv: The file.
        version: What it has to be.
        source: Where it is from, for messages.
        environ: The environment to run it in, of which it gets what it needs to start.

    Raises:
        StagedUvBroken: It does not run, or is another version.
    """
    try:
        done = ask_version(uv, bare_environment(environ))
    except subprocess.TimeoutExpired as error:
        reason = f"it did not answer for {error.timeout:g} seconds"
        raise StagedUvBroken(version, source, reason) from error
    except OSError as error:
        raise StagedUvBroken(version, source, error.strerror or str(error)) from error
    answer = done.stdout.decode(errors="replace").strip()
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise StagedUvBroken(
            version, source, f"it ends with code {done.returncode} and says: {said}"
        )
    if not _is(answer, version):
        raise StagedUvBroken(version, source, f"it calls itself `{answer}`")


def _is(answer: str, version: str) -> bool:
    """Return whether `uv --version` names a version, which may be written in another way."""
    program, *words = answer.split(" ")
    said = words[0] if words else ""
    if program != "uv" or said == version:
        return program == "uv"
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 # slow to import

    try:
        return Version(said) == Version(version)
    except InvalidVersion:
        return False
