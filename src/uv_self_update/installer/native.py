"""The native installer: stages a release while uv starts, puts it in place when uv asks for it."""

from __future__ import annotations

import os
import shutil
import threading
from functools import partial
from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.errors import (
    ChangedMeanwhile,
    InstallationInterrupted,
    NotReplaced,
    NotRestored,
)
from uv_self_update.files import strerror
from uv_self_update.installer.journal import mark
from uv_self_update.installer.workspace import KEPT
from uv_self_update.uv.executable import current_path
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from uv_self_update.config.installers import InstallerChoice
    from uv_self_update.installer.journal import Mark
    from uv_self_update.installer.stage import Staged
    from uv_self_update.installer.workspace import Workspace
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.sources.order import Found
    from uv_self_update.uv.adoption import Adoption
    from uv_self_update.uv.installation import Installation
    from uv_self_update.uv.receipt import Receipt, Rewrite


_NEW = "new"  # the directory of the staged release, in a workspace
_LAST_WAIT = 10.0  # seconds for a staging that was told to end
_EXECUTABLES = frozenset({"before", _NEW, KEPT})
"""The directories of a workspace that contain executables."""

_LAYOUTS = frozenset({None, "cargo-home", "flat", "hierarchical", "unspecified"})


def suits(receipt: Receipt, platform: Platform) -> bool:
    """Return whether this installer preserves the layout of an installation.

    The installers of later releases may make others.
    """
    document = receipt.document
    extra = any(document.get(key) for key in ("binary_aliases", "cdylibs", "cstaticlibs"))
    binaries = document.get("binaries", [])
    known = {name.removesuffix(".exe") for name in platform.executables}
    return (
        document.get("install_layout") in _LAYOUTS
        and not extra
        and isinstance(binaries, list)
        and all(str(name).removesuffix(".exe") in known for name in binaries)
    )


def chosen(choice: InstallerChoice, installation: Installation) -> InstallerChoice:
    """Return the installer to use: ours, which can be killed at any instant, if the layout allows.

    A release's own knows the layout of later uvs, and needs curl or wget, except on Windows.
    """
    if choice != "auto":
        return choice
    receipt, platform = installation.receipt, installation.platform
    if receipt is None:
        return "native"
    path = installation.environ.get("PATH", os.defpath)
    able = platform.windows or any(shutil.which(name, path=path) for name in ("curl", "wget"))
    return "auto" if able and not suits(receipt, platform) else "native"


@frozen
class _Ready:
    """A staged release, and the files that it replaces as they were when staging began."""

    receipt: Receipt
    rewrites: tuple[Rewrite, ...]
    uv: Path
    """With links resolved."""

    old: Mark | None
    found: Found
    staged: Staged

    def refuse_changed(self, installation: Installation) -> None:
        """Refuse to replace files that another program has changed since.

        Raises:
            ChangedMeanwhile: uv or a receipt has changed.
            ReceiptError: The user has no home directory any more.
        """
        version = self.staged.version
        if (
            installation.locate_receipt() != self.receipt.path
            or not self.receipt.rewrite(version).untouched
        ):
            raise ChangedMeanwhile(self.receipt.path, version)
        for rewrite in self.rewrites:
            if not rewrite.untouched:
                raise ChangedMeanwhile(rewrite.path, version)
        # On Windows uv has another name while it is updated.
        if mark(self.uv) not in {None, self.old}:
            raise ChangedMeanwhile(self.uv, version)


class NativeInstaller:
    """Installs one release over the uv that is updated."""

    def __init__(
        self,
        adoption: Adoption,
        work: Workspace,
        *,
        digests: DigestRules,
        eager: bool = False,
        opened: Callable[[Found, int | None], None] | None = None,
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            adoption: The uv to update, and its receipts.
            work: Where to work.
            digests: The digests that an archive must have.
            eager: Whether to begin with a release that uv is expected to take.
            opened: Called when the download of a release begins, with its bytes if known.
        """
        self._eager = eager
        self._opened = opened
        self._installation = adoption.installation
        self._adoption = adoption
        self._work = work
        self._digests = digests
        self._lock = threading.Lock()
        self._closed = False
        self._staging: Background[_Ready] | None = None
        self._version: str | None = None
        self._clearing: Background[None] | None = None
        self._kept: Path | None = None
        self.installed: Staged | None = None

    def expect(self, found: Found) -> bool:
        """Begin with a release that uv will take, and return whether it will, by its receipt.

        uv trusts its own version rather than its receipt's. If they differ, uv may not ask for the
        release, which is not used then; or for one that was not expected, which `begin` begins.

        Args:
            found: What uv is told to be available: newer than itself, or a version that it named.
        """
        taken = self._would_be_taken(found.release.version)
        if taken and self._eager:
            self.begin(found)
        return taken

    def begin(self, found: Found) -> None:
        """Begin to fetch and stage a release; a second call changes nothing.

        Raises:
            NotReplaced: The workspace cannot be written.
        """
        with self._lock:
            if self._staging is None and not self._closed:
                self._keep_uv()
                self._version = found.release.version
                self._staging = Background(lambda: self._stage(found))

    def finish(self, version: str) -> None:
        """Wait for the staging to end, and put the release in place.

        Raises:
            SourceError: The release could not be fetched.
            ChangedMeanwhile: Another program has changed uv or its receipt since `begin`.
            InstallError: The release could not be put in place; uv was not changed.
        """
        staging = self._staging
        if staging is None or self._version != version:
            raise InstallationInterrupted(version)
        # Slow to import: during the download, and not where nothing is installed.
        from uv_self_update.installer.replace import replace  # noqa: PLC0415
        from uv_self_update.installer.stage import confirm  # noqa: PLC0415

        ready = staging.result()
        installation = self._installation
        with self._lock:
            if self._closed:
                raise InstallationInterrupted(version)
            ready.refuse_changed(installation)
            replace(
                ready.staged,
                installation.directory,
                installation.platform,
                rewrites=ready.rewrites,
                work=self._work.path,
                check=partial(confirm, source=ready.found.source.name, installation=installation),
            )
            self.installed = ready.staged
            if installation.windows:
                return  # its old file is that of the program that runs, and uv removes it now
            # While uv ends, which uses its temporary directory and its receipt until then.
            self._clearing = Background(lambda: self._work.clear(only=_EXECUTABLES))

    def restore(self) -> None:
        """Restore a uv that has removed itself, after PowerShell has ended with 0.

        uv for Windows moves itself aside, and believes that exit code.

        Raises:
            NotRestored: It cannot be restored; it is kept.
        """
        if self._kept is None or os.path.lexists(current_path(self._uv)):
            return
        try:
            self._kept.replace(self._uv)
        except OSError as error:
            raise NotRestored(self._uv, self._kept, strerror(error)) from error

    def close(self) -> None:
        """Wait for a replacement that is under way, and refuse any other."""
        with self._lock:
            self._closed = True
            running = self._staging, self._clearing
        for work in running:
            if work is not None:
                work.wait(_LAST_WAIT)

    @property
    def _uv(self) -> Path:
        return (self._installation.directory / self._installation.platform.uv).resolve()

    def _keep_uv(self) -> None:
        """Keep uv for Windows, see `restore`; it is not running under another name yet."""
        if not self._installation.windows or not self._uv.exists():
            return
        from uv_self_update.installer.moves import keep_file  # noqa: PLC0415 # as in `finish`

        kept = self._work.path / "before" / self._uv.name
        try:
            keep_file(self._uv, kept)
        except OSError as error:
            raise NotReplaced(self._installation.directory, strerror(error)) from error
        self._kept = kept

    def _would_be_taken(self, version: str) -> bool:
        stated = self._installation.stated_version
        if stated is None or version == stated:
            return False
        from packaging.version import Version  # noqa: PLC0415 # slow to import

        return Version(version) > Version(stated)

    def _stage(self, found: Found) -> _Ready:
        from uv_self_update.installer.stage import stage  # noqa: PLC0415 # as in `finish`

        installation = self._installation
        # On the same file system as uv, so that a rename is enough.
        directory = self._work.path / _NEW
        receipt = installation.receipt or installation.read_receipt()
        rewrites = tuple(self._adoption.rewrites(receipt, found.release.version))
        try:
            directory.mkdir()
        except OSError as error:
            raise NotReplaced(installation.directory, strerror(error)) from error
        uv = self._uv
        old = mark(uv)
        return _Ready(
            receipt=receipt,
            rewrites=rewrites,
            uv=uv,
            old=old,
            found=found,
            staged=stage(
                found, installation, directory, digests=self._digests, opened=self._opened
            ),
        )
