"""A release's own installer, which fills a directory; we put its executables in place.

The scripts of cargo-dist install into the prefix of a receipt, which is not always the directory of
the uv to update; they write a receipt, edit profiles, and move the executables one by one. So a
script gets an empty directory to install into, and writes no receipt. Its executables are tried,
and replace uv all at once, whatever is killed.

A script is a foreign program all the same: it may write elsewhere, or report success without
having done anything. So the files that it could replace are kept, and restored unless the new uv
runs. It may even go on after uv was killed: then they stay for the next run.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import threading
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import (
    ChangedMeanwhile,
    InstallationInterrupted,
    NothingInstalled,
    NotReplaced,
    PartiallyInstalled,
    ReceiptError,
    ReleaseInstallerFailed,
    StagedUvBroken,
)
from uv_self_update.files import strerror, write_atomically
from uv_self_update.installer.native import suits
from uv_self_update.uv.executable import version_of
from uv_self_update.values import replace as with_changes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from uv_self_update.installer.journal import Journal
    from uv_self_update.installer.stage import Staged
    from uv_self_update.installer.workspace import Workspace
    from uv_self_update.sources.order import Found
    from uv_self_update.uv.adoption import Adoption
    from uv_self_update.uv.installation import Installation
    from uv_self_update.uv.receipt import Receipt


_DOWNLOADERS = ("curl", "wget")
_PROGRAMS = (
    *("awk", "cat", "chmod", "grep", "gzip", "ldd", "mkdir", "mktemp", "mv", "rm", "sed", "tar"),
    "uname",
)
"""The programs that cargo-dist's script needs on Linux; its messages often hide that (0.33.0)."""

_PLAIN = re.compile(r"[\w@%+=:./-]+")
"""A path without characters that the script's `sed` commands interpret."""


def is_complete(plan: Journal, installation: Installation) -> bool:
    """Return whether the installer has finished, or another program has installed a uv since.

    It writes the receipt last (`cargo-dist` 0.33.0): uv finds one that is about it, was written
    since, and names the version that uv reports.
    """
    uv = plan.steps[-1].named
    try:
        receipt = installation.read_receipt()
        path, own = receipt.path.resolve(), receipt.is_about(uv)
    except (ReceiptError, OSError):
        return False
    if not own or any(one.path == path and one.untouched for one in plan.rewrites):
        return False
    version = version_of(uv, installation.bare_environ)
    return version is not None and receipt.document.get("version") == version


class ReleaseInstaller:
    """Runs the installer of one release."""

    def __init__(
        self, adoption: Adoption, work: Workspace, *, run_by: Callable[..., bytes]
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            adoption: The uv to update, and its receipts.
            work: Where to work.
            run_by: Returns the script that runs an installer: `gateway.scripts.staged`.
        """
        self._run_by = run_by
        self._adoption = adoption
        self._installation = adoption.installation
        self._platform = adoption.installation.platform
        self._work = work
        self._lock = threading.Lock()
        self._closed = False
        self._found: Found | None = None
        self._plan: Journal | None = None
        self._changed: Path | None = None
        self._scripts: Path | None = None
        self.token: str | None = None
        """What the script authenticates with, and no argument shows; None without a script."""

        self.installed: Staged | None = None

    def begin(self, found: Found, script: bytes, *, noted: Callable[[], None]) -> bytes:
        """Keep the files that a release's installer could replace, and return the script to run it.

        Args:
            found: The release.
            script: Its installer.
            noted: Called once later changes of those files are noticed, before they are copied.

        Raises:
            NotReplaced: A file cannot be kept, or the installer cannot be written.
        """
        directory = self._work.path / "release"
        try:
            self._keep(found, noted)
            script_file = self._written(script)
            environ = self._prepared(directory)
        except OSError as error:
            raise NotReplaced(self._installation.directory, strerror(error)) from error
        self.token = secrets.token_urlsafe(16)
        return self._run_by(
            f"install/{found.release.version}",
            token=self.token,
            directory=directory,
            script=script_file,
            environ=environ,
            windows=self._platform.windows,
        )

    def finish(self) -> None:
        """Put the installer's executables in place.

        Raises:
            InstallError: They are not uv, or cannot be put in place; uv was not changed.
        """
        from uv_self_update.installer.replace import replace  # noqa: PLC0415
        from uv_self_update.installer.restore import put_back  # noqa: PLC0415
        from uv_self_update.installer.stage import Staged, confirm, try_out  # noqa: PLC0415

        installation, platform = self._installation, self._platform
        with self._lock:
            found, plan = self._found, self._plan
            if found is None or plan is None:
                raise AssertionError
            version, work = found.release.version, self._work.path
            if self._closed:
                raise InstallationInterrupted(version)
            check = partial(confirm, source=found.source.name, installation=installation)
            made = work / "release" / "bin"
            if not (made / platform.uv).exists():
                if not any(step.changed for step in plan.steps):
                    raise NothingInstalled(version, installation.directory / platform.uv)
                # It has installed elsewhere: `conclude` keeps that if it is uv.
                try:
                    check(plan.steps[-1].named, version)
                except StagedUvBroken:
                    put_back(plan, work, windows=platform.windows)
                    self._plan = None
                    raise
                return
            put_back(plan, work, windows=platform.windows)
            self._plan = None
            try_out(made, version, source=found.source.name, installation=installation)
            names = sorted(file.name for file in made.iterdir() if file.is_file())
            others = tuple(name for name in names if name not in platform.executables)
            size = sum((made / name).stat().st_size for name in names)
            staged = Staged(folder=made, version=version, size=size, others=others)
            receipt = installation.receipt or installation.read_receipt()
            replace(
                staged,
                installation.directory,
                platform,
                rewrites=tuple(self._adoption.rewrites(_naming(receipt, others), version)),
                work=work,
                check=check,
            )
            self.installed = staged

    def close(self) -> None:
        """Wait for a replacement that is under way, and refuse any other."""
        with self._lock:
            self._closed = True
        if self._scripts is not None:
            shutil.rmtree(self._scripts, ignore_errors=True)

    def refuse_changed(self) -> None:
        """Refuse to install if another program has changed uv or a receipt since `begin`.

        For as long as the installer lacks the archive: later, it may write those itself.

        Raises:
            ChangedMeanwhile: A file has changed.
        """
        if self._plan is None:
            return
        receipts = (one.path for one in self._plan.rewrites if not one.untouched)
        executables = (step.place for step in self._plan.steps if step.foreign)
        self._changed = next(chain(receipts, executables), None)
        if self._changed is not None:
            raise ChangedMeanwhile(self._changed, self._plan.version)

    def conclude(self, *, at_work: Callable[[], bool]) -> bool:
        """Return whether uv has the requested version now, and runs.

        Args:
            at_work: Returns whether the installer may still be running, because uv was killed.

        Raises:
            StagedUvBroken: It does not run; the old files were restored.
            PartiallyInstalled: The installer has replaced only a part; the old files were restored.
            NotRestored: An old file could not be restored.
            NotReplaced: A receipt that is about another uv cannot be kept.
        """
        if self.installed is not None:
            return True
        found, plan = self._found, self._plan
        if found is None or plan is None:
            return False
        from uv_self_update.installer.replace import settle  # noqa: PLC0415
        from uv_self_update.installer.restore import drop, put_back  # noqa: PLC0415
        from uv_self_update.installer.stage import confirm  # noqa: PLC0415

        version, windows, work = found.release.version, self._platform.windows, self._work.path
        if self._changed is not None:
            drop(plan, work)  # what another program has written stays
            return False
        goes_on = at_work()
        if not any(step.changed for step in plan.steps):
            if not goes_on:
                put_back(plan, work, windows=windows)
            return False
        uv = plan.steps[-1].named
        try:
            confirm(uv, version, source=found.source.name, installation=self._installation)
        except StagedUvBroken:
            put_back(plan, work, windows=windows)
            if goes_on:
                self._keep(found, lambda: None)
            raise
        old = next((step.named for step in plan.steps if step.old and not step.changed), None)
        if old is not None and not is_complete(plan, self._installation):
            if goes_on:
                return False  # the next run sees the result
            put_back(plan, work, windows=windows)
            raise PartiallyInstalled(version, old)
        self._correct(version)
        settle(plan, work)
        return True

    def diagnose(self) -> ReleaseInstallerFailed | None:
        """Return what an installer that has failed may lack; None if none was run."""
        if self._found is None:
            return None
        missing = [] if self._platform.windows else list(self._missing())
        receipt = self._installation.receipt
        able = receipt is None or suits(receipt, self._platform)
        return ReleaseInstallerFailed(self._found.release.version, missing, native=able)

    def _missing(self) -> Iterable[str]:
        which = partial(shutil.which, path=self._installation.environ.get("PATH"))
        if not any(map(which, _DOWNLOADERS)):
            yield " or ".join(_DOWNLOADERS)
        if "-linux-" in self._platform.triple:
            yield from (name for name in _PROGRAMS if which(name) is None)

    def _keep(self, found: Found, noted: Callable[[], None]) -> None:
        from uv_self_update.installer import replace as replacing  # noqa: PLC0415 # few use this one

        self._plan = replacing.noted(
            self._installation.directory,
            self._platform,
            version=found.release.version,
            rewrites=tuple(self._adoption.receipts()),
            work=self._work.path,
        )
        noted()
        replacing.keep(self._plan, self._work.path)
        self._found = found

    def _written(self, script: bytes) -> Path:
        """Write the script into a file; on Windows next to uv's own, see `Workspace.environ`."""
        directory = self._work.path
        if self._platform.windows:
            import tempfile  # noqa: PLC0415 # slow, and there only

            directory = self._scripts = Path(tempfile.mkdtemp(prefix="uv-self-update-"))
        file = directory / self._platform.installer
        file.write_bytes(script)
        file.chmod(0o700)
        return file

    def _prepared(self, directory: Path) -> dict[str, str]:
        """Create the directory that the script is run in, and return the variables for it.

        Paths are relative to it where possible: its own path may contain characters that the
        scripts do not expect.
        """
        directory.mkdir(mode=0o700)
        made = directory / "bin"
        made.mkdir()
        if self._platform.windows:
            target = str(made)
            # Its script asks this proxy for loopback too, whatever NO_PROXY says (0.33.0, read).
            others = {"ALL_PROXY": "", "HTTPS_PROXY": ""}
        else:
            target = made.name
            temporary = directory / "tmp"
            temporary.mkdir()
            # `sha256sum` writes a digest in another way if the path contains a backslash.
            others = _downloaders_without_configuration(directory) | {"TMPDIR": temporary.name}
            if not _PLAIN.fullmatch(self._installation.environ.get("HOME", "")):
                (directory / "home").mkdir()
                others["HOME"] = "home"
        return {
            "CARGO_DIST_FORCE_INSTALL_DIR": target,
            "UV_DISABLE_UPDATE": "1",  # no receipt
            "UV_INSTALL_DIR": target,
            "UV_UNMANAGED_INSTALL": target,
            **others,
        }

    def _correct(self, version: str) -> None:
        """Write the version into the receipt, if the installer failed before it did."""
        with contextlib.suppress(OSError, ReceiptError):
            receipt = self._installation.read_receipt()
            if receipt.document.get("version") != version:
                write_atomically(receipt.path, receipt.updated(version))


def _naming(receipt: Receipt, others: tuple[str, ...]) -> Receipt:
    known = receipt.document.get("binaries", [])
    more = [name for name in others if name not in known]
    if not more:
        return receipt
    return with_changes(receipt, document={**receipt.document, "binaries": [*known, *more]})


def _downloaders_without_configuration(directory: Path) -> dict[str, str]:
    """Return variables that keep curl and wget from the user's and the system's configuration.

    A proxy in those would be sent the gateway's URL, and with it its secret. curl looks elsewhere
    unless `CURL_HOME` contains a `.curlrc`; wget accepts no device as a file.
    """
    curl, wget = directory / "curl", directory / "wgetrc"
    curl.mkdir()
    (curl / ".curlrc").touch()
    wget.touch()
    names = ("SYSTEM_WGETRC", "SYSTEM_WGET2RC", "WGETRC", "WGET2RC")
    return {"CURL_HOME": curl.name, **dict.fromkeys(names, wget.name)}
