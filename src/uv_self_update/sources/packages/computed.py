"""The sha256 of files that were published without one: read once, and kept in the cache directory.

uv locks a file without a hash as soon as an index names none, so every file needs one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.files import content_of, write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from uv_self_update.releases.distribution import Distribution
    from uv_self_update.sources.packages.interface import PackageRepository

_AT_ONCE = 4  # downloads
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ComputedDigests:
    """The digests of files, by what identifies a file on its server."""

    def __init__(self, *, directory: Path | None) -> None:
        """Keep them in a directory, a file each; None for this run only."""
        self.directory = directory
        self._found: dict[tuple[str, str], str] = {}
        """Those of this run, by repository and file."""

    def of(self, repository: PackageRepository, files: Sequence[Distribution]) -> list[str]:
        """Return the sha256 of each file: as published, as kept, or computed from the file.

        Raises:
            SourceError: A file cannot be read.
        """
        turn = threading.Semaphore(_AT_ONCE)

        def one(file: Distribution) -> str:
            with turn:
                return self._computed(repository, file)

        calls = {
            file.where: Background(lambda file=file: one(file))  # type: ignore[misc] # bound early
            for file in files
            if file.sha256 is None
        }
        return [file.sha256 or calls[file.where].result() for file in files]

    def _computed(self, repository: PackageRepository, file: Distribution) -> str:
        key = repository.name, file.where
        if key not in self._found:
            kept = self._kept(repository, file, file.uploaded)
            self._found[key] = kept or self._read(repository, file)
        return self._found[key]

    def _read(self, repository: PackageRepository, file: Distribution) -> str:
        with repository.open(file) as download:
            if download.sha256 is not None:
                return download.sha256
            # A list without dates does not say whether a file has changed; its server may.
            version = file.uploaded or download.validator
            if file.uploaded is None and (kept := self._kept(repository, file, version)):
                return kept
            digest = hashlib.sha256()
            for chunk in download.chunks:
                digest.update(chunk)
        if version is not None and self.directory is not None:
            path = _path(self.directory, repository, file, version)
            # Where it cannot be kept, it is computed again.
            with contextlib.suppress(OSError):
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_atomically(path, digest.hexdigest().encode())
        return digest.hexdigest()

    def _kept(
        self, repository: PackageRepository, file: Distribution, version: str | None
    ) -> str | None:
        """Return the digest of an earlier run; None without one, or if the version is unknown."""
        if version is None or self.directory is None:
            return None
        content = content_of(_path(self.directory, repository, file, version)) or b""
        known = content.decode("ascii", "replace")
        return known if _SHA256.fullmatch(known) else None


def _path(directory: Path, repository: PackageRepository, file: Distribution, version: str) -> Path:
    identity = [repository.name, file.where, file.filename, file.size, version]
    return directory / hashlib.sha256(json.dumps(identity).encode()).hexdigest()
