"""A release's own installer: it lays uv ready, and we put it in place as our own installer does.

cargo-dist's scripts install into the prefix of a receipt, which is not always where the uv lies
that is updated; they write a receipt of their own, edit profiles, and move the executables one by
one. So a script is given an empty directory to install into, and no receipt to write. What it
leaves there is tried, and replaces uv all at once, whatever is killed.

It is a program of others all the same: it may write elsewhere, and it may report success without
having done anything. So what it could replace is kept, and put back unless the new uv runs. It may
even go on when uv has been ended: what is kept stays then for the next run.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import threading
from dataclasses import replace
from functools import partial
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
from uv_self_update.uv.environment import bare_environment
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.receipt import locate, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from uv_self_update.installer.journal import Journal
    from uv_self_update.installer.stage import Staged
    from uv_self_update.installer.workspace import Workspace
    from uv_self_update.platforms import Platform
    from uv_self_update.sources.order import Found
    from uv_self_update.uv.receipt import Receipt, Rewrite


_DOWNLOADERS = ("curl", "wget")
_PROGRAMS = (
    *("awk", "cat", "chmod", "grep", "gzip", "ldd", "mkdir", "mktemp", "mv", "rm", "sed", "tar"),
    "uname",
)
"""Without any of these cargo-dist's script for sh fails on Linux, often in other words (0.33.0)."""

_PLAIN = re.compile(r"[\w@%+=:./-]+")
"""A path that the script's `sed` commands take for what it is."""


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
    """Runs and watches over the installer of one release."""

    def __init__(  # noqa: PLR0913 # all that it works with, each by its name
        self,
        platform: Platform,
        work: Workspace | NotReplaced,
        *,
        folder: Path,
        environ: Mapping[str, str],
        receipts: Callable[[], Iterable[Rewrite]],
        rewrites: Callable[[Receipt, str], Iterable[Rewrite]],
        run_by: Callable[..., bytes],
    ) -> None:
        """Prepare; nothing is written yet.

        Args:
            platform: Where uv runs.
            work: Where to work, or why that is not possible.
            folder: Of the executables to replace.
            environ: The environment of the uv that is updated: its receipt is found by it.
            receipts: Says which receipts it may write, and what is in them.
            rewrites: Says what changes with the receipt's uv when that becomes a version.
            run_by: Writes the script that runs an installer: `gateway.scripts.staged`.
        """
        self._run_by = run_by
        self._platform = platform
        self._work = work
        self._folder = folder
        self._environ = environ
        self._receipts = receipts
        self._rewrites = rewrites
        self._lock = threading.Lock()
        self._closed = False
        self._found: Found | None = None
        self._plan: Journal | None = None
        self._changed: Path | None = None
        self._scripts: Path | None = None
        self.token: str | None = None
        """What the script is known by, which no argument shows; None where there is no script."""

        self.installed: Staged | None = None

    def begin(self, found: Found, script: bytes) -> bytes:
        """Keep what a release's installer could replace, and return what runs it.

        Args:
            found: The release.
            script: Its installer.

        Raises:
            NotReplaced: It cannot be kept, or the installer cannot be written.
        """
        if isinstance(self._work, NotReplaced):
            raise self._work
        try:
            self._keep(found, self._work.path)
            script_file = self._written(script, self._work.path)
            environ = self._lay_out(self._work.path / "release")
        except OSError as error:
            raise NotReplaced(self._folder, strerror(error)) from error
        self.token = secrets.token_urlsafe(16)
        return self._run_by(
            f"install/{found.release.version}",
            token=self.token,
            folder=self._work.path / "release",
            script=script_file,
            environ=environ,
            windows=self._platform.windows,
        )

    def finish(self) -> None:
        """Put in place what the installer has laid ready.

        Raises:
            InstallError: It is not uv, or cannot be put in place, and everything is as it was.
        """
        from uv_self_update.installer import replace as replacing  # noqa: PLC0415
        from uv_self_update.installer.stage import Staged, confirm  # noqa: PLC0415

        with self._lock:
            found, plan, work = self._found, self._plan, self._work
            if found is None or plan is None or isinstance(work, NotReplaced):
                raise AssertionError
            version = found.release.version
            if self._closed:
                raise InstallationInterrupted(version)
            check = partial(confirm, source=found.source.name, environ=self._environ)
            made = work.path / "release" / "bin"
            if not (made / self._platform.uv).exists():
                if not any(step.changed for step in plan.steps):
                    raise NothingInstalled(version, self._folder / self._platform.uv)
                # It knows a place of its own: what is there now is kept by `conclude`, if it is uv.
                try:
                    check(plan.steps[-1].named, version)
                except StagedUvBroken:
                    replacing.put_back(plan, work.path, windows=self._platform.windows)
                    self._plan = None
                    raise
                return
            replacing.put_back(plan, work.path, windows=self._platform.windows)
            self._plan = None
            check(made / self._platform.uv, version)
            names = sorted(file.name for file in made.iterdir() if file.is_file())
            others = tuple(name for name in names if name not in self._platform.executables)
            size = sum((made / name).stat().st_size for name in names)
            staged = Staged(folder=made, version=version, size=size, others=others)
            receipt = self._receipt()
            try:
                rewrites = tuple(self._rewrites(_naming(receipt, others), version))
            except OSError as error:
                raise NotReplaced(receipt.path, strerror(error)) from error
            replacing.replace(
                staged,
                self._folder,
                self._platform,
                rewrites=rewrites,
                work=work.path,
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
            PartiallyInstalled: The installer has replaced only a part; that was put back.
            NotRestored: It is not, and something could not be put back.
            NotReplaced: A receipt that is about another uv cannot be kept.
        """
        if self.installed is not None:
            return True
        found, plan, work = self._found, self._plan, self._work
        if found is None or plan is None or isinstance(work, NotReplaced):
            return False
        from uv_self_update.installer.replace import drop, put_back, settle  # noqa: PLC0415
        from uv_self_update.installer.stage import confirm  # noqa: PLC0415

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
                self._keep(found, work.path)
            raise
        old = next((step.named for step in plan.steps if step.old and not step.changed), None)
        if old is not None and not is_complete(plan, self._environ, windows=windows):
            if goes_on:
                return False  # the next run sees what has become of it
            put_back(plan, work.path, windows=windows)
            raise PartiallyInstalled(version, old)
        self._correct(version)
        settle(plan, work.path)
        return True

    def diagnose(self) -> ReleaseInstallerFailed | None:
        """Say what an installer that has failed may lack; None where none was run."""
        if self._found is None:
            return None
        missing = [] if self._platform.windows else list(self._missing())
        try:
            able = suits(self._receipt(), self._platform)
        except ReceiptError:
            able = True
        return ReleaseInstallerFailed(self._found.release.version, missing, native=able)

    def _missing(self) -> Iterable[str]:
        which = partial(shutil.which, path=self._environ.get("PATH"))
        if not any(map(which, _DOWNLOADERS)):
            yield " or ".join(_DOWNLOADERS)
        if "-linux-" in self._platform.triple:
            yield from (name for name in _PROGRAMS if which(name) is None)

    def _keep(self, found: Found, work: Path) -> None:
        from uv_self_update.installer.replace import keep  # noqa: PLC0415 # few use this one

        self._plan = keep(
            self._folder,
            self._platform,
            version=found.release.version,
            rewrites=tuple(self._receipts()),
            work=work,
        )
        self._found = found

    def _written(self, script: bytes, work: Path) -> Path:
        """Write the script into a file.

        On Windows it lies where uv puts its scripts as well: see `Workplace.environ`.
        """
        folder = work
        if self._platform.windows:
            import tempfile  # noqa: PLC0415 # slow, and there only

            folder = self._scripts = Path(tempfile.mkdtemp(prefix="uv-self-update-"))
        file = folder / self._platform.installer
        file.write_bytes(script)
        file.chmod(0o700)
        return file

    def _lay_out(self, folder: Path) -> dict[str, str]:
        """Make the directory that the script is run in, and return the variables that it gets.

        Paths are relative to it, where possible: its own path may hold what the scripts do not
        expect in one.
        """
        folder.mkdir(mode=0o700)
        made = folder / "bin"
        made.mkdir()
        if self._platform.windows:
            place = str(made)
            # Its script asks this proxy for loopback too, whatever NO_PROXY says (0.33.0, read).
            others = {"ALL_PROXY": "", "HTTPS_PROXY": ""}
        else:
            place = made.name
            temporary = folder / "tmp"
            temporary.mkdir()
            # `sha256sum` writes a digest in another way if there is a backslash in the path.
            others = _downloaders_without_configuration(folder) | {"TMPDIR": temporary.name}
            home = self._environ.get("HOME", "")
            if not _PLAIN.fullmatch(home):
                (folder / "home").mkdir()
                others["HOME"] = "home"
        return {
            "CARGO_DIST_FORCE_INSTALL_DIR": place,
            "UV_DISABLE_UPDATE": "1",  # no receipt
            "UV_INSTALL_DIR": place,
            "UV_UNMANAGED_INSTALL": place,
            **others,
        }

    def _receipt(self) -> Receipt:
        return read(locate(self._environ, windows=self._platform.windows))

    def _correct(self, version: str) -> None:
        """Have the receipt name the version, which an installer that failed late has not done."""
        with contextlib.suppress(OSError, ReceiptError):
            receipt = self._receipt()
            if receipt.document.get("version") != version:
                write_atomically(receipt.path, receipt.updated(version))


def _naming(receipt: Receipt, others: tuple[str, ...]) -> Receipt:
    """Return a receipt that names more executables."""
    known = receipt.document.get("binaries", [])
    more = [name for name in others if name not in known]
    if not more:
        return receipt
    return replace(receipt, document={**receipt.document, "binaries": [*known, *more]})


def _downloaders_without_configuration(folder: Path) -> dict[str, str]:
    """Keep curl and wget from a user's or a system's files, and return the variables that do.

    A proxy in those would be sent the gateway's URL, and with it its secret. curl looks into the
    next place unless `CURL_HOME` holds a `.curlrc`; wget takes no device for a file.
    """
    curl, wget = folder / "curl", folder / "wgetrc"
    curl.mkdir()
    (curl / ".curlrc").touch()
    wget.touch()
    names = ("SYSTEM_WGETRC", "SYSTEM_WGET2RC", "WGETRC", "WGET2RC")
    return {"CURL_HOME": curl.name, **dict.fromkeys(names, wget.name)}
