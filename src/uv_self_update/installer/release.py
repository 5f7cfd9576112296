"""A release's own installer: what it replaces is kept, and put back unless the new uv runs.

It is a program of others, so that nothing is known of how it writes, nor whether it succeeds when
it says so. What it leaves when it is killed is what plain `uv self update` leaves.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import NotReplaced, NotRestored, StagedUvBroken
from uv_self_update.installer.staging import confirm
from uv_self_update.receipt import locate, read
from uv_self_update.writing import identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uv_self_update.installer.workplace import Workplace
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.order import Found

__all__ = ("ReleaseInstaller",)


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """One executable as it was."""

    named: Path
    link: str | None
    """Where it leads, if it is a link."""

    place: Path
    """The file that it leads to, or itself."""

    copy: Path | None
    """A copy of that; None where there was none."""

    identity: tuple[int, ...]

    @property
    def changed(self) -> bool:
        """Whether it is another file now, or was written anew."""
        return identity(self.named) != self.identity

    def put_back(self) -> None:
        """Make it what it was; raises NotRestored."""
        try:
            if self.link is not None and not self.named.is_symlink():
                self.named.unlink(missing_ok=True)
                self.named.symlink_to(self.link)
            if self.copy is None:
                self.place.unlink(missing_ok=True)
            else:
                self.copy.replace(self.place)
        except OSError as error:
            raise NotRestored(self.place, self.copy, error.strerror or str(error)) from error


class ReleaseInstaller:
    """Watches over the installer of one release."""

    def __init__(
        self,
        platform: Platform,
        work: Workplace | NotReplaced,
        *,
        environ: Mapping[str, str],
        restore: Callable[[], None],
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            platform: Where uv runs.
            work: Where to keep what is replaced, or why that is not possible.
            environ: The environment of the uv that is updated: its receipt is found by it.
            restore: Puts receipts back, which an installer writes as well.
        """
        self._platform = platform
        self._work = work
        self._environ = environ
        self._restore = restore
        self._kept: list[_Kept] = []
        self._found: Found | None = None

    def begin(self, found: Found) -> None:
        """Keep what the installer of a release is going to replace.

        Raises:
            NotReplaced: It cannot be kept.
            ReceiptError: uv's receipt does not say where it is.
        """
        if isinstance(self._work, NotReplaced):
            raise self._work
        folder = read(locate(self._environ, windows=self._platform.windows)).folder(
            self._platform.uv
        )
        try:
            self._kept = list(self._keep(folder, self._work.path / "old"))
        except OSError as error:
            raise NotReplaced(folder, error.strerror or str(error)) from error
        self._found = found

    def conclude(self) -> None:
        """Make sure that uv, if it was replaced, runs and is what was asked for.

        Raises:
            StagedUvBroken: It is not, and everything was put back.
            NotRestored: It is not, and something could not be put back.
        """
        found, changed = self._found, [kept for kept in self._kept if kept.changed]
        if found is None:
            return
        if not changed:
            self._restore()
            return
        uv, version = self._kept[-1].named, found.release.version
        try:
            confirm(uv, version, source=found.source.name, environ=self._environ)
        except StagedUvBroken:
            for kept in changed:
                kept.put_back()
            self._restore()
            raise

    def _keep(self, folder: Path, store: Path) -> Iterator[_Kept]:
        store.mkdir(exist_ok=True)
        for name in self._platform.executables:
            named = folder / name
            place = Path(os.path.realpath(named))
            # A copy: an installer may write into the file, which a link would be as well.
            copy = Path(shutil.copy2(place, store / name)) if place.exists() else None
            yield _Kept(
                named=named,
                link=os.readlink(named) if named.is_symlink() else None,  # noqa: PTH115 # as it is
                place=place,
                copy=copy,
                identity=identity(named),
            )
