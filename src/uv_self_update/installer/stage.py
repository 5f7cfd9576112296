"""Fetch, verify, unpack and try a release's executables, next to those that they replace."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.errors import NotReplaced, StagedUvBroken
from uv_self_update.files import flush, strerror
from uv_self_update.releases.release import Asset
from uv_self_update.sources.formats.documents import checked
from uv_self_update.sources.interface import ArchiveSource, WheelSource
from uv_self_update.uv.executable import ask_version
from uv_self_update.values import frozen
from uv_self_update.versions import without_local

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from uv_self_update.platforms import Platform
    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.sources.order import Found
    from uv_self_update.uv.installation import Installation


@frozen
class Staged:
    """Executables ready to be put in place: uv has run there, and all are flushed to the disk."""

    folder: Path
    version: str
    size: int
    """Bytes: of the archive, or of a wheel's files."""

    others: tuple[str, ...] = ()
    """The names of executables that a later release has in addition to the known ones."""


def stage(
    found: Found,
    installation: Installation,
    directory: Path,
    *,
    digests: DigestRules,
    opened: Callable[[Found, int | None], None] | None = None,
) -> Staged:
    """Write a release's executables into a directory, and try them.

    Args:
        found: The release and its source.
        installation: The uv that they will replace.
        directory: An empty one.
        digests: The digests that an archive must have; an index verifies its wheels by itself.
        opened: Called when the download begins, with its bytes if known.

    Raises:
        SourceError: The source cannot be used.
        InstallError: The file is not uv, does not run here, or cannot be written.
    """
    platform = installation.platform
    try:
        match found.source:
            case ArchiveSource() as source:
                executables, size = _from_archive(
                    source, found, platform, directory, digests, opened
                )
            case WheelSource() as source:
                if opened is not None:
                    opened(found, None)
                executables = source.unpack(found.release, directory)
                size = sum(file.stat().st_size for file in executables.iterdir())
            case source:
                raise AssertionError(source)
    except OSError as error:
        raise NotReplaced(installation.directory, strerror(error)) from error
    version = found.release.version
    try_out(executables, version, source=found.source.name, installation=installation)
    return Staged(folder=executables, version=version, size=size)


def _from_archive(
    source: ArchiveSource,
    found: Found,
    platform: Platform,
    directory: Path,
    digests: DigestRules,
    opened: Callable[[Found, int | None], None] | None,
) -> tuple[Path, int]:
    from uv_self_update.installer.archive import unpack  # noqa: PLC0415 # no other way needs it

    name = platform.archive
    # An asset may exist without being listed; if not, opening it fails.
    asset = found.release.asset(name) or Asset(name=name)
    executables = directory / "bin"
    executables.mkdir()
    with source.open(found.release, asset) as download:
        if opened is not None:
            opened(found, download.size)
        chunks = checked(download, asset, version=found.release.version, rules=digests)
        size = unpack(chunks, platform, executables, name=name, source=download.url)
    return executables, size


def try_out(directory: Path, version: str, *, source: str, installation: Installation) -> None:
    """Run `uv --version` with the uv in a directory, and flush all files there meanwhile.

    Raises:
        StagedUvBroken: uv does not run, or is another version.
        NotReplaced: The files cannot be flushed.
    """
    platform = installation.platform
    flushing = Background(lambda: _flush_all(directory))
    if platform.windows:
        flushing.wait()  # a file that is open for writing cannot be run
    try:
        confirm(directory / platform.uv, version, source=source, installation=installation)
    finally:
        flushing.wait()
    try:
        flushing.result()
    except OSError as error:
        raise NotReplaced(directory, strerror(error)) from error


def _flush_all(directory: Path) -> None:
    for file in sorted(directory.iterdir()):
        if file.is_file():
            flush(file)


def confirm(uv: Path, version: str, *, source: str, installation: Installation) -> None:
    """Run `uv --version` with a new uv.

    Args:
        uv: The file.
        version: The expected version.
        source: Where the file is from, for messages.
        installation: The uv that it replaces; the new one gets its bare environment.

    Raises:
        StagedUvBroken: It does not run, or is another version.
    """
    try:
        done = ask_version(uv, installation.bare_environ)
    except subprocess.TimeoutExpired as error:
        reason = f"it did not answer within {error.timeout:g} seconds"
        raise StagedUvBroken(version, source, reason) from error
    except OSError as error:
        raise StagedUvBroken(version, source, strerror(error)) from error
    answer = done.stdout.decode(errors="replace").strip()
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise StagedUvBroken(version, source, f"it exited with code {done.returncode}: {said}")
    if not _is(answer, version):
        raise StagedUvBroken(version, source, f"it reports its version as `{answer}`")


def _is(answer: str, version: str) -> bool:
    """Return whether the output of `uv --version` means a version: also normalized or local."""
    program, *words = answer.split(" ")
    said = words[0] if words else ""
    if program != "uv" or said == version:
        return program == "uv"
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 # slow to import

    try:
        return without_local(str(Version(said))) == str(Version(version))
    except InvalidVersion:
        return False
