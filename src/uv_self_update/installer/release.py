"""A release's own installer: what it replaces is kept, and put back unless the new uv runs.

It is a program of others, so that nothing is known of how it writes, nor whether it succeeds when
it says so. It may even go on when uv has been ended: what is kept stays then for the next run.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from uv_self_update.errors import NotReplaced, ReceiptError, StagedUvBroken
from uv_self_update.files import write_atomically
from uv_self_update.uv.receipt import locate, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from uv_self_update.installer.journal import Journal
    from uv_self_update.installer.workspace import Workspace
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.order import Found
    from uv_self_update.uv.receipt import Receipt, Rewrite


class ReleaseInstaller:
    """Watches over the installer of one release."""

    def __init__(
        self,
        platform: Platform,
        work: Workspace | NotReplaced,
        *,
        environ: Mapping[str, str],
        receipts: Callable[[], Iterable[Rewrite]],
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            platform: Where uv runs.
            work: Where to keep what is replaced, or why that is not possible.
            environ: The environment of the uv that is updated: its receipt is found by it.
            receipts: Says which receipts it may write, and what is in them.
        """
        self._platform = platform
        self._work = work
        self._environ = environ
        self._receipts = receipts
        self._found: Found | None = None
        self._plan: Journal | None = None

    def begin(self, found: Found) -> None:
        """Keep what the installer of a release is going to replace.

        Raises:
            NotReplaced: It cannot be kept.
            ReceiptError: uv's receipt does not say where it is.
        """
        from uv_self_update.installer.replace import keep  # noqa: PLC0415 # few use this one

        if isinstance(self._work, NotReplaced):
            raise self._work
        folder = self._receipt().folder(self._platform.uv)
        try:
            self._plan = keep(
                folder,
                self._platform,
                version=found.release.version,
                rewrites=tuple(self._receipts()),
                work=self._work.path,
            )
        except OSError as error:
            raise NotReplaced(folder, error.strerror or str(error)) from error
        self._found = found

    def conclude(self, *, at_work: Callable[[], bool]) -> bool:
        """Return whether uv is what was asked for now, and runs.

        Args:
            at_work: Says whether the installer may still be at work, since uv was ended.

        Raises:
            StagedUvBroken: It is not, and everything was put back.
            NotRestored: It is not, and something could not be put back.
        """
        found, plan, work = self._found, self._plan, self._work
        if found is None or plan is None or isinstance(work, NotReplaced):
            return False
        from uv_self_update.installer.replace import drop, put_back  # noqa: PLC0415
        from uv_self_update.installer.stage import confirm  # noqa: PLC0415

        version, windows = found.release.version, self._platform.windows
        goes_on = at_work()
        if not any(step.changed for step in plan.steps):
            if not goes_on:
                put_back(plan, work.path, windows=windows)
            return False
        uv = plan.steps[-1].named
        try:
            confirm(uv, version, source=found.source.name, environ=self._environ)
        except StagedUvBroken:
            put_back(plan, work.path, windows=windows)
            if goes_on:
                self.begin(found)
            raise
        self._correct(version)
        drop(plan, work.path)
        return True

    def _receipt(self) -> Receipt:
        return read(locate(self._environ, windows=self._platform.windows))

    def _correct(self, version: str) -> None:
        """Have the receipt name the version, which an installer that failed late has not done."""
        with contextlib.suppress(OSError, ReceiptError):
            receipt = self._receipt()
            if receipt.document.get("version") != version:
                write_atomically(receipt.path, receipt.updated(version))
