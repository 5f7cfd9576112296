"""Get all files of one release, each verified: archives, installers, wheels."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import (
    DigestMismatch,
    NoArchive,
    NoFilesListed,
    StatusRefused,
    UnusableArchive,
)
from uv_self_update.files import flush
from uv_self_update.gateway.scripts import looks_like_script
from uv_self_update.installer import archive
from uv_self_update.platforms import Platform, triple_of
from uv_self_update.releases.release import INSTALLER_NAMES, Asset, utc
from uv_self_update.sources.formats.documents import describe
from uv_self_update.sources.interface import ArchiveSource, WheelSource
from uv_self_update.values import frozen, replace
from uv_self_update.workflow.mirror import wheels
from uv_self_update.workflow.mirror.layout import DOWNLOADS
from uv_self_update.workflow.mirror.record import File, Held
from uv_self_update.workflow.mirror.scripts import installers
from uv_self_update.workflow.mirror.store import measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.releases.release import Release
    from uv_self_update.sources.interface import Source
    from uv_self_update.sources.opened import OpenSources
    from uv_self_update.workflow.mirror.record import Selection
    from uv_self_update.workflow.mirror.store import Store
    from uv_self_update.workflow.mirror.together import Together

_log = logging.getLogger(__name__)

_AT_ONCE = 4  # downloads
_READ = 1 << 20  # bytes at a time
_GZIP, _ZIP = b"\x1f\x8b", b"PK"


@frozen
class Turn:
    """A release that is to be gathered."""

    release: Release
    """The release, as the source lists it."""

    before: Held | None
    """What the mirror has of it already."""

    title: str
    """Its name in the progress: `2/30 uv 0.13.9`."""


class Gathering:
    """Gets releases of one source for one run.

    Args:
        store: Where files wait.
        source: The source.
        opened: The source belongs to these; they know the digests that files must have.
        selection: The wanted platforms, and whether wheels are made.
        url: The URL of the mirror, for small installers.
        progress: Is told of each download.
    """

    def __init__(
        self,
        store: Store,
        source: Source,
        *,
        opened: OpenSources,
        selection: Selection,
        url: str | None,
        progress: Together,
    ) -> None:
        self.store = store
        self.source = source
        self.triples = selection.triples
        self.wheels = selection.wheels
        self.fetched = 0
        """Bytes that came from the source."""
        self._opened = opened
        self._digests = opened.context.digests
        self._url = url
        self._progress = progress
        self._missing: set[tuple[str, str]] = set()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._background = ThreadPoolExecutor(1, thread_name_prefix="mirror-ahead")
        self._begun: dict[str, Future[dict[str, File]]] = {}

    def close(self) -> None:
        """Stop the download that was begun, if any; nothing is written afterwards."""
        if self._begun:
            self._stopping.set()
            self._opened.close()  # a server may take its time
        self._background.shutdown(cancel_futures=True)

    def release(self, turn: Turn, after: Turn | None) -> Held | None:
        """Return a release with its files, which wait in the store; None if it has no archive.

        Args:
            turn: The release.
            after: The next one: its files arrive while the wheels of this one are packed.

        Raises:
            SourceError: A file cannot be fetched.
            InstallError: A file is not what its digest says, or no archive of uv.
            NoFilesListed: The source lists no files, and no platform is named.
            OSError: The directory cannot be written.
        """
        release, before, title = turn.release, turn.before, turn.title
        found = {} if before is None else dict(before.files)
        if isinstance(self.source, WheelSource):
            with self._progress.whole(title, None):
                found |= self._repacked(self.source, release, found)
        else:
            begun = self._begun.get(release.version)
            found |= self._downloaded(turn) if begun is None else begun.result()
            self._begun.pop(release.version, None)
            if after is not None:
                begun = self._background.submit(self._downloaded, after)
                self._begun[after.release.version] = begun
        archives = {name: file for name, file in found.items() if triple_of(name)}
        if not archives:
            wanted = ", ".join(sorted(self.triples)) or "any platform"
            _log.warning("Skipping uv %s: no archive for %s", release.version, wanted)
            return None
        own = [name for name in INSTALLER_NAMES if name not in found]
        own += [] if before is None else [name for name in before.own if name in found]
        scripts = installers(release.version, archives, self._url)
        for name in sorted({*own} & {*scripts}):
            found[name] = self._written(release.version, name, scripts[name])
        asked = self._asked(before)
        held = Held(
            version=release.version,
            published=release.published or (before.published if before else _now()),
            source=self.source.name,
            listed=release.published,
            complete=all(version != release.version for version, _ in self._missing),
            asked=asked,
            own=tuple(sorted({*own} & {*found})),
            files=found,
            wheels={} if before is None else dict(before.wheels),
        )
        if not self.wheels:
            return held
        with self._progress.task(f"Packing the wheels of {title}"):
            return replace(held, wheels={**held.wheels, **self._wheels(held, before)})

    def lacks(self, release: Release, held: Held) -> bool:
        """Return whether a list names a wanted file that the mirror lacks, or has otherwise."""
        if release.assets is None or not isinstance(self.source, ArchiveSource):
            return False
        files = held.files
        return any(
            asset.sha256 not in {None, files[asset.name].sha256}
            if asset.name in files and asset.name not in held.own
            else bool(triple_of(asset.name))
            for asset in self._wanted(release)
        )

    def _asked(self, before: Held | None) -> tuple[str, ...]:
        if not self.triples or (before is not None and not before.asked):
            return ()
        return tuple(sorted(self.triples | {*(before.asked if before else ())}))

    def _downloaded(self, turn: Turn) -> dict[str, File]:
        """Fetch what the source has of the wanted files, several at once."""
        assert isinstance(self.source, ArchiveSource), "there are two sorts"  # noqa: S101 # for the type checker
        release, before = turn.release, turn.before
        full = self.source.with_files(release)
        assets = [*self._wanted(full)]
        if before is not None and before.listed == release.published:
            assets = [asset for asset in assets if not self._same(asset, before)]
        sizes = [asset.size for asset in assets]
        known = [size for size in sizes if size is not None]
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="mirror")
        with self._progress.whole(turn.title, sum(known) if len(known) == len(sizes) else None):
            try:
                files = [pool.submit(self._fetched, full, asset) for asset in assets]
                return {
                    asset.name: file
                    for asset, result in zip(assets, files, strict=True)
                    if (file := result.result()) is not None
                }
            except BaseException:
                self._opened.close()  # a server may take its time
                raise
            finally:
                # Nothing is written after the lock is released.
                self._stopping.set()
                pool.shutdown(cancel_futures=True)
                self._stopping.clear()

    def _wanted(self, release: Release) -> Iterator[Asset]:
        assets = release.assets
        if assets is None:
            if not self.triples:
                raise NoFilesListed(self.source.name, release.version)
            archives = [Platform(triple=triple).archive for triple in sorted(self.triples)]
            assets = tuple(Asset(name=name) for name in [*archives, *INSTALLER_NAMES])
        for asset in assets:
            triple = triple_of(asset.name)
            wanted = triple is not None and (not self.triples or triple in self.triples)
            if wanted or asset.name in INSTALLER_NAMES:
                yield asset

    def _same(self, asset: Asset, before: Held) -> bool:
        """Return whether the mirror has a file already, as far as the list tells."""
        file = before.files.get(asset.name)
        path = f"{DOWNLOADS}/{before.version}/{asset.name}"
        return (
            file is not None
            and asset.name not in before.own
            and asset.sha256 in {None, file.sha256}
            and self.store.has(path, file)
        )

    def _fetched(self, release: Release, asset: Asset) -> File | None:
        """Fetch one file, unless it waits from an earlier run; None if the source lacks it."""
        assert isinstance(self.source, ArchiveSource), "there are two sorts"  # noqa: S101 # for the type checker
        name, source = asset.name, self.source.name
        place = self.store.waiting(release.version, name)
        waiting = measured(place)
        if waiting is not None and waiting.sha256 == asset.sha256:
            return waiting
        part = self.store.parts / f"{release.version}-{name}"
        try:
            with self.source.open(release, asset) as download:
                published = asset.sha256 or download.sha256
                expected = self._digests.expected(release.version, name, published, source=source)
                if expected is not None:
                    download.verify()
                    if waiting is not None and waiting.sha256 == expected.sha256:
                        return waiting
                with part.open("wb") as file:
                    for chunk in download.chunks:
                        file.write(chunk)
                        if self._stopping.is_set():
                            return None
        except StatusRefused as error:
            if not error.gone:
                raise
            if triple_of(name):
                _log.warning("uv %s has no %s at %s", release.version, name, source)
                self._missing.add((release.version, name))
            return None
        flush(part)
        found = measured(part)
        assert found is not None, "it was just written"  # noqa: S101 # for the type checker
        if expected is not None and found.sha256 != expected.sha256:
            raise DigestMismatch(
                name,
                source,
                expected=expected.sha256,
                got=found.sha256,
                pinned=expected.pinned,
            )
        _refuse_other(part, name, source)
        part.replace(place)
        with self._lock:
            self.fetched += found.size
        return found

    def _repacked(
        self, source: WheelSource, release: Release, known: dict[str, File]
    ) -> dict[str, File]:
        """Make archives of the wheels of an index."""
        found = {}
        for triple in sorted(self.triples or wheels.TAGS):
            platform = Platform(triple=triple)
            if platform.archive in known:
                continue
            with tempfile.TemporaryDirectory(dir=self.store.parts) as work:
                try:
                    executables = source.unpack_for(release, platform, Path(work))
                except NoArchive as error:
                    _log.debug("%s", error)
                    continue
                part = Path(work, "archive")
                wheels.write_archive(executables, platform, part)
                found[platform.archive] = self._moved(part, release.version, platform.archive)
                self.fetched += found[platform.archive].size
        return found

    def _wheels(self, held: Held, before: Held | None) -> dict[str, File]:
        """Make the wheels that the index lacks; the archives wait, or are in their places."""
        found = {}
        for name, file in held.files.items():
            triple = triple_of(name)
            platform = None if triple is None else Platform(triple=triple)
            wheel = None if platform is None else wheels.wheel_name(held.version, platform)
            if platform is None or wheel is None:
                continue
            unchanged = before is not None and before.files.get(name) == file
            if unchanged and before is not None and wheel in before.wheels:
                continue
            packed = self.store.waiting(held.version, name)
            if not packed.exists():
                packed = self.store.root / DOWNLOADS / held.version / name
            with tempfile.TemporaryDirectory(dir=self.store.parts) as work:
                executables = Path(work, "bin")
                executables.mkdir()
                archive.unpack(
                    _chunks(packed), platform, executables, name=name, source=self.source.name
                )
                part = Path(work, "wheel")
                wheels.write_wheel(executables, held.version, platform, part)
                found[wheel] = self._moved(part, held.version, wheel)
        return found

    def _written(self, version: str, name: str, content: bytes) -> File:
        part = self.store.parts / name
        part.write_bytes(content)
        return self._moved(part, version, name)

    def _moved(self, part: Path, version: str, name: str) -> File:
        found = measured(part)
        assert found is not None, "it was just written"  # noqa: S101 # for the type checker
        shutil.move(part, self.store.waiting(version, name))
        return found


def _refuse_other(path: Path, name: str, source: str) -> None:
    """Refuse a file that is something else, such as a web page; raises UnusableArchive."""
    with path.open("rb") as file:
        start = file.read(_READ)
    if triple_of(name):
        fits = start.startswith(_ZIP if name.endswith(".zip") else _GZIP)
    else:
        fits = looks_like_script(start, windows=name.endswith(".ps1"))
    if not fits:
        kind = describe(start)
        reason = "it has another format" if kind == "something else" else f"it is {kind}"
        raise UnusableArchive(name, source, reason)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_READ):
            yield chunk


def _now() -> str:
    return utc(time.time()) or ""
