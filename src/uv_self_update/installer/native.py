"""The native installer: staged while uv gets ready, put in place when uv says so."""

from __future__ import annotations

import os
import shutil
import threading
from functools import partial
from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.errors import Halted, NotReplaced, ReceiptError
from uv_self_update.uv.receipt import locate, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from uv_self_update.config.settings import InstallerChoice
    from uv_self_update.installer.stage import Staged
    from uv_self_update.installer.workspace import Workspace
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.sources.order import Found
    from uv_self_update.uv.receipt import Receipt, Rewrite


_LAST_WAIT = 10.0  # seconds for a staging that was told to stop
_LAYOUTS = frozenset({None, "cargo-home", "flat", "hierarchical", "unspecified"})


def _suits(receipt: Receipt, platform: Platform) -> bool:
    """Return whether an installation is of a shape that this installer keeps.

    Another may be what a later release's own installer has made.
    """
    said = receipt.document
    extra = any(said.get(key) for key in ("binary_aliases", "cdylibs", "cstaticlibs"))
    binaries = said.get("binaries", [])
    known = {name.removesuffix(".exe") for name in platform.executables}
    return (
        said.get("install_layout") in _LAYOUTS
        and not extra
        and isinstance(binaries, list)
        and all(str(name).removesuffix(".exe") in known for name in binaries)
    )


def chosen(
    choice: InstallerChoice, environ: Mapping[str, str], platform: Platform
) -> InstallerChoice:
    """Return which installer to use: ours, which can be killed at any instant, wherever it can be.

    A release's own knows what a later uv may consist of, and needs curl or wget, except on Windows.

    Args:
        choice: What is configured.
        environ: The environment of the uv that is updated.
        platform: Where it runs.
    """
    if choice != "auto":
        return choice
    try:
        receipt = read(locate(environ, windows=platform.windows))
    except ReceiptError:
        return "native"
    path = environ.get("PATH", os.defpath)
    able = platform.windows or any(shutil.which(name, path=path) for name in ("curl", "wget"))
    return "auto" if able and not _suits(receipt, platform) else "native"


class NativeInstaller:
    """Installs one release over the installation that uv's receipt describes."""

    def __init__(
        self,
        platform: Platform,
        work: Workspace | NotReplaced,
        *,
        environ: Mapping[str, str],
        digests: DigestRules,
        rewrites: Callable[[Receipt, str], Iterable[Rewrite]],
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            platform: Where uv runs.
            work: Where to work, or why that is not possible.
            environ: The environment of the uv that is updated: its receipt is found by it.
            digests: Which digests an archive has to have.
            rewrites: Says what changes with the receipt's uv when that becomes a version.
        """
        self._platform = platform
        self._work = work
        self._environ = environ
        self._digests = digests
        self._rewrites = rewrites
        self._lock = threading.Lock()
        self._closed = False
        self._staging: Background[tuple[Receipt, Found, Staged]] | None = None
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
        receipt, found, staged = staging.result()
        # What it takes takes time to import, and often nothing is installed.
        from uv_self_update.installer.replace import replace  # noqa: PLC0415
        from uv_self_update.installer.stage import confirm  # noqa: PLC0415

        with self._lock:
            if self._closed or isinstance(self._work, NotReplaced):
                raise Halted(version)
            folder = receipt.folder(self._platform.uv)
            try:
                rewrites = tuple(self._rewrites(receipt, staged.version))
            except OSError as error:
                raise NotReplaced(receipt.path, error.strerror or str(error)) from error
            replace(
                staged,
                folder,
                self._platform,
                rewrites=rewrites,
                work=self._work.path,
                check=partial(confirm, source=found.source.name, environ=self._environ),
            )
            self.installed = staged

    def close(self) -> None:
        """Wait for a replacement that is under way, and refuse any other."""
        with self._lock:
            self._closed = True
            staging = self._staging
        if staging is not None:
            staging.wait(_LAST_WAIT)

    def _stage(self, found: Found) -> tuple[Receipt, Found, Staged]:
        from uv_self_update.installer.stage import stage  # noqa: PLC0415 # as in `finish`

        if isinstance(self._work, NotReplaced):
            raise self._work
        receipt = read(locate(self._environ, windows=self._platform.windows))
        # On the same file system as what it will replace, so that a rename is enough.
        folder, place = self._work.path / "new", receipt.folder(self._platform.uv)
        try:
            folder.mkdir()
        except OSError as error:
            raise NotReplaced(place, error.strerror or str(error)) from error
        staged = stage(
            found,
            self._platform,
            folder,
            place=place,
            environ=self._environ,
            digests=self._digests,
        )
        return receipt, found, staged
