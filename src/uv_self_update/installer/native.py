"""The native installer: staged while uv gets ready, put in place when uv says so."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.errors import Halted, NotReplaced
from uv_self_update.installer.replacing import replace
from uv_self_update.receipt import locate, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.installer.staging import Staged
    from uv_self_update.platforms import Platform
    from uv_self_update.receipt import Receipt
    from uv_self_update.sources.order import Found

__all__ = ("NativeInstaller",)

_LAST_WAIT = 10.0  # seconds for a staging that was told to stop


class NativeInstaller:
    """Installs one release over the installation that uv's receipt describes."""

    def __init__(self, platform: Platform, *, environ: Mapping[str, str]) -> None:
        """Prepare; nothing is written yet.

        Args:
            platform: Where uv runs.
            environ: The environment of the uv that is updated: its receipt is found by it.
        """
        self._platform = platform
        self._environ = environ
        self._lock = threading.Lock()
        self._closed = False
        self._folder: Path | None = None
        self._staging: Background[tuple[Receipt, Staged]] | None = None
        self.installed: Staged | None = None

    def begin(self, found: Found) -> None:
        """Begin to fetch and stage a release; a second call changes nothing."""
        with self._lock:
            if self._staging is None and not self._closed:
                self._staging = Background(lambda: self._stage(found))

    def finish(self, version: str) -> None:
        """Wait for the staging to end, and put the release in place.

        Raises:
            SourceError: It could not be fetched.
            InstallError: It could not be put in place, and everything is as it was.
        """
        staging = self._staging
        if staging is None:
            raise Halted(version)
        receipt, staged = staging.result()
        with self._lock:
            if self._closed or self._folder is None:
                raise Halted(version)
            aside = self._folder / "replaced"
            try:
                aside.mkdir(exist_ok=True)
            except OSError as error:
                raise NotReplaced(self._folder.parent, error.strerror or str(error)) from error
            replace(staged, receipt, self._platform, aside=aside)
            self.installed = staged

    def close(self) -> None:
        """Wait for a replacement that is under way, refuse any other, remove what was staged."""
        with self._lock:
            self._closed = True
            staging, folder = self._staging, self._folder
        if staging is not None:
            staging.wait(_LAST_WAIT)
            folder = self._folder
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _stage(self, found: Found) -> tuple[Receipt, Staged]:
        # What it takes to unpack takes time to import, and often nothing is staged.
        import tempfile  # noqa: PLC0415

        from uv_self_update.installer.staging import stage  # noqa: PLC0415

        receipt = read(locate(self._environ, windows=self._platform.windows))
        beside = receipt.folder(self._platform.uv)
        try:
            # On the same file system as what it will replace, so that a rename is enough.
            self._folder = Path(tempfile.mkdtemp(prefix=".uv-self-update-", dir=beside))
        except OSError as error:
            raise NotReplaced(beside, error.strerror or str(error)) from error
        return receipt, stage(found, self._platform, self._folder, environ=self._environ)
