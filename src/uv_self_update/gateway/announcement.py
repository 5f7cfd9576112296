"""What is said about the release that uv takes: version, source, date, size.

uv's own lines must stay whole, so it is said only while uv waits for an answer: of the release in a
dry run, of our installer in an update, of the archive if the release's own installer runs: that
may fail before, and then uv says so. From then on uv prints nothing until the installer has ended,
and progress may be drawn.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from uv_self_update.messages import human_bytes
from uv_self_update.network.progress import SILENT, Progress

if TYPE_CHECKING:
    from uv_self_update.sources.order import Found


_log = logging.getLogger(__name__)

_DATE = len("2026-01-29")


class Announcement:
    """Says once which release is installed, or would be."""

    def __init__(
        self,
        progress: Progress = SILENT,
        *,
        installed: str = "",
        archive: str = "",
        dry_run: bool = False,
        silent: bool = False,
    ) -> None:
        """Prepare.

        Args:
            progress: Is released when uv waits for the installer, or that for the archive.
            installed: The version in the receipt.
            archive: The name of the archive for this platform.
            dry_run: Whether uv installs nothing.
            silent: Whether nothing is said.
        """
        self._progress = progress
        self._installed = installed
        self._archive = archive
        self.dry_run = dry_run
        self._said = silent
        self._requested = False
        self._opened: tuple[Found, int | None] | None = None
        self._lock = threading.Lock()

    def offered(self, found: Found, *, taken: bool) -> None:
        """Note that uv is told of a release; a dry run ends with that.

        Args:
            found: The release.
            taken: Whether uv would install it, as far as its receipt tells.
        """
        if self.dry_run and taken and found.release.version != self._installed:
            asset = found.release.asset(self._archive)
            with self._lock:
                self._requested, self._opened = True, (found, asset.size if asset else None)
                self._say()

    def opened(self, found: Found, size: int | None) -> None:
        """Note that the file of a release is being downloaded, and its bytes if known."""
        with self._lock:
            self._opened = found, size
            self._say()

    def requested(self) -> None:
        """Note that uv waits for our installer, or the release's own for the archive."""
        with self._lock:
            self._requested = True
            self._say()
        self._progress.release()

    def _say(self) -> None:
        if self._said or not self._requested or self._opened is None:
            return
        self._said = True
        (found, size), parts = self._opened, []
        if found.release.published is not None:
            parts.append(f"published {found.release.published[:_DATE]}")
        if size is not None:
            parts.append(human_bytes(size, digits=1))
        details = "".join(f", {part}" for part in parts)
        _log.info("uv %s from %s%s", found.release.version, found.source.name, details)
