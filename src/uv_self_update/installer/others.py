"""A release's own installer: what it replaces is kept, and put back unless the new uv runs.

It is a program of others, so that nothing is known of how it writes, nor whether it succeeds when
it says so. It may even go on when uv has been ended: what is kept stays then for the next run.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from uv_self_update.child import bare_environment, version_of
from uv_self_update.errors import (
    ChangedMeanwhile,
    HalfInstalled,
    NotReplaced,
    ReceiptError,
    StagedUvBroken,
)
from uv_self_update.receipt import locate, read
from uv_self_update.writing import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from uv_self_update.installer.journal import Journal
    from uv_self_update.installer.workplace import Workplace
    from uv_self_update.platforms import Platform
    from uv_self_update.receipt import Receipt, Rewrite
    from uv_self_update.sources.order import Found

__all__ = ("ReleaseInstaller", "is_complete")


def is_complete(plan: Journal, environ: Mapping[str, str], *, windows: bool) -> bool:
    """Return whether an installer has done all that it does, or somebody has installed a uv since.

    The receipt is the last that it writes (`cargo-dist` 0.33.0): uv finds one that is about it, was
    written since, and names the version that uv says it has.

    Args:
        plan: What was kept of what it replaces.
        environ: The environment of the uv that is updated.
        windows: Whether this is Windows.
    """
    uv = plan.steps[-1].named
    try:
        receipt = read(locate(environ, windows=windows))
        path, mine = receipt.path.resolve(), receipt.is_about(uv)
    except (ReceiptError, OSError):
        return False
    if not mine or any(one.path == path and one.untouched for one in plan.rewrites):
        return False
    version = version_of(uv, bare_environment(environ))
    return version is not None and receipt.document.get("version") == version


class ReleaseInstaller:
    """Watches over the installer of one release."""

    def __init__(
        self,
        platform: Platform,
        work: Workplace | NotReplaced,
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
        self._changed: Path | None = None

    def begin(self, found: Found) -> None:
        """Keep what the installer of a release is going to replace.

        Raises:
            NotReplaced: It cannot be kept.
            ReceiptError: uv's receipt does not say where it is.
        """
        from uv_self_update.installer.replacing import keep  # noqa: PLC0415 # few use this one

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

    def refuse_changed(self) -> None:
        """Make sure that nobody has written a receipt since this began.

        That is for as long as the installer still lacks what it installs: later, it writes one.

        Raises:
            ChangedMeanwhile: Somebody has.
        """
        if self._plan is None:
            return
        self._changed = next((one.path for one in self._plan.rewrites if not one.untouched), None)
        if self._changed is not None:
            raise ChangedMeanwhile(self._changed, self._plan.version)

    def conclude(self, *, at_work: Callable[[], bool]) -> bool:
        """Return whether uv is what was asked for now, and runs.

        Args:
            at_work: Says whether the installer may still be at work, since uv was ended.

        Raises:
            StagedUvBroken: It is not, and everything was put back.
            HalfInstalled: The installer has replaced only a part; that was put back.
            NotRestored: It is not, and something could not be put back.
            NotReplaced: A receipt that is about another uv cannot be kept.
        """
        found, plan, work = self._found, self._plan, self._work
        if found is None or plan is None or isinstance(work, NotReplaced):
            return False
        from uv_self_update.installer.replacing import drop, put_back, settle  # noqa: PLC0415
        from uv_self_update.installer.staging import confirm  # noqa: PLC0415

        version, windows = found.release.version, self._platform.windows
        goes_on = at_work()
        if not any(step.changed for step in plan.steps):
            if self._changed is not None:
                drop(plan, work.path)  # what somebody else has written stays
            elif not goes_on:
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
        old = next((step.named for step in plan.steps if step.old and not step.changed), None)
        if old is not None and not is_complete(plan, self._environ, windows=windows):
            if goes_on:
                return False  # the next run sees what has become of it
            put_back(plan, work.path, windows=windows)
            raise HalfInstalled(version, old)
        self._correct(version)
        settle(plan, work.path)
        return True

    def _receipt(self) -> Receipt:
        return read(locate(self._environ, windows=self._platform.windows))

    def _correct(self, version: str) -> None:
        """Have the receipt name the version, which an installer that failed late has not done."""
        with contextlib.suppress(OSError, ReceiptError):
            receipt = self._receipt()
            if receipt.document.get("version") != version:
                write_atomically(receipt.path, receipt.updated(version))
