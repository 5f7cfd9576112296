"""A complete real update of a temporary copy of uv.

1. The source resolves the version to update to, which the policy must allow.
2. A copy of uv is made in a temporary directory, with a receipt of its own: of the user's
   standalone uv if that is older; else an older version from the source; else of the user's uv, if
   its version differs; else the requested version from the source, which is thereby downloaded,
   verified and run. If programs cannot be run from there, it is another directory.
3. The copy is updated by the same code as a real uv, with a home of its own. uv's output is shown
   only if that fails: it reads as if the user's own uv had been updated.
4. The copy reports its version.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import (
    NoLatest,
    NoSourceAnswered,
    NoSuchVersion,
    RehearsalError,
    UvSelfUpdateError,
)
from uv_self_update.files import persist
from uv_self_update.installer.stage import stage
from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.releases.target import NEWEST, Wanted, newest_first, parse_target
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.order import find_in_order
from uv_self_update.uv import receipt
from uv_self_update.uv.arguments import Arguments, level
from uv_self_update.uv.executable import current_path, version_of
from uv_self_update.uv.process import SignalReceived, Signals
from uv_self_update.values import frozen, replace
from uv_self_update.versions import without_local
from uv_self_update.workflow.update import run
from uv_self_update.workflow.update_job import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.config.settings import Settings
    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.sources.order import Found
    from uv_self_update.uv.installation import Installation


@frozen
class Rehearsal:
    """A successful rehearsal."""

    source: str
    start: str
    """The version before."""

    end: str
    """The version after."""

    size: int
    """Bytes of uv that were downloaded."""

    seconds: float

    def __str__(self) -> str:
        if self.start == self.end:
            title = f"A temporary copy of uv {self.end} from the source runs, and is up to date."
            versions = f"  version  {self.end}\n"
        else:
            title = "A temporary copy of uv was updated, and runs."
            versions = f"  from     {self.start}\n  to       {self.end}\n"
        return (
            f"{title}\n  source   {self.source}\n{versions}"
            f"  bytes    {self.size:,}\n  seconds  {self.seconds:.1f}"
        )


def hold(
    settings: Settings,
    installation: Installation,
    *,
    target: str | None,
    start: str | None,
    options: tuple[str, ...] = (),
    progress: Progress = SILENT,
) -> Rehearsal:
    """Update a temporary copy of uv.

    Args:
        settings: The configuration.
        installation: The user's uv: an index is asked through it, and perhaps it is copied.
        target: The version to update to, or a specifier; None for the newest.
        start: The version to update from, or a specifier; None for any older one.
        options: Further options for uv.
        progress: Is told of each download.

    Raises:
        RehearsalError: No version to update from is available, or the copy was not updated.
        UvSelfUpdateError: The real update would fail for the same reason.
        SignalReceived: A signal came.
    """
    wanted = NEWEST if target is None else parse_target(target)
    before = None if start is None else parse_target(start)
    uv, environ = installation.uv, installation.environ
    try:
        with (
            # A signal must not leave the directory behind.
            Signals(),
            closing(OpenSources(settings, uv=uv, environ=environ, progress=progress)) as sources,
            _directory(installation.directory) as directory,
        ):
            copy = _Copy(directory, installation, settings, progress)
            return _held(copy, sources, wanted, before, options)
    except SignalReceived as error:
        error.add_note("the temporary copy of uv was removed, and your own uv was not changed")
        raise


def _held(
    copy: _Copy,
    sources: OpenSources,
    wanted: Wanted,
    before: Wanted | None,
    options: tuple[str, ...],
) -> Rehearsal:
    began = time.monotonic()
    found = sources.find(wanted)
    end = found.release.version
    version = copy.make(found, sources, before=before)
    began = began if version == end else time.monotonic()
    # Without a version, uv only goes upwards.
    named = wanted != NEWEST or newest_first([version, end])[0] != end
    with copy.output.open("w+b") as output:
        outcome = run(
            Job(
                installation=copy.installation,
                arguments=Arguments(target=end if named else None, after=options),
                settings=copy.settings,
                user=copy.user,
                output=None if level(options, "verbose") else output,
                progress=copy.progress,
            )
        )
    if outcome.received is not None:
        raise SignalReceived(outcome.received)
    seconds = time.monotonic() - began
    _check(copy, end, outcome.exit_code, outcome.failures)
    return Rehearsal(
        source=found.source.name,
        start=version,
        end=end,
        size=outcome.transferred + (copy.downloaded if version == end else 0),
        seconds=seconds,
    )


@contextmanager
def _directory(of_uv: Path) -> Iterator[Path]:
    """Make a directory that programs can be run from: the system's temporary one, or elsewhere.

    Args:
        of_uv: The directory of uv, and so one that a program can be run from.

    Raises:
        RehearsalError: No such directory can be made.
    """
    home = os.path.expanduser("~")  # noqa: PTH111 # not every user has one, which is no error here
    for parent in (None, home, of_uv):
        try:
            made = tempfile.TemporaryDirectory(prefix=".uv-self-update-rehearsal-", dir=parent)
        except OSError:
            continue
        try:
            directory = Path(made.name).resolve()
            if os.name == "nt" or _runs_programs(directory):
                yield directory
                return
        finally:
            persist(made.cleanup)  # a uv that has just ended may still be open on Windows
    message = f"no temporary directory allows programs to be run, and neither does {of_uv}"
    raise RehearsalError(message, hint="Set TMPDIR to a directory that programs can be run from.")


def _runs_programs(directory: Path) -> bool:
    """Run a program in a directory: more than the options of a mount can forbid it."""
    program = directory / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    try:
        return subprocess.run([program], check=False).returncode == 0  # noqa: S603 # our own
    except OSError:
        return False
    finally:
        program.unlink()


class _Copy:
    """A directory that looks like the home of a user who has a standalone uv."""

    def __init__(
        self, directory: Path, user: Installation, settings: Settings, progress: Progress
    ) -> None:
        self._directory = directory
        self.progress = progress
        self.settings = settings
        self.user = user
        """The user's own uv."""

        self._receipt = directory / "config" / "uv" / receipt.NAME
        own = {
            "AXOUPDATER_CONFIG_PATH": str(self._receipt.parent),
            # uv's installer writes its receipt to the standard path in any case.
            "HOME": str(directory),
            "LOCALAPPDATA": str(directory / "config"),
            "USERPROFILE": str(directory),
            "XDG_CONFIG_HOME": str(directory / "config"),
        }
        self.installation = replace(
            user, uv=directory / "bin" / user.platform.uv, environ={**user.environ, **own}
        )
        self.output = directory / "output"
        """uv's output about the copy."""

        self.downloaded = 0
        """Bytes of uv that the copy itself was made of."""

    def make(self, found: Found, sources: OpenSources, *, before: Wanted | None) -> str:
        """Write the copy and its receipt, and return the copy's version."""
        uv = self.installation.uv
        uv.parent.mkdir()
        self._receipt.parent.mkdir(parents=True)
        version = self._write(found, sources, before)
        document = receipt.new_receipt(
            prefix=uv.parent, version=version, executables=self.user.platform.executables
        )
        self._receipt.write_text(json.dumps(document))
        return version

    def receipt_version(self) -> object:
        """Return the version that the copy's receipt names."""
        return receipt.read(self._receipt).document.get("version")

    def _write(self, found: Found, sources: OpenSources, before: Wanted | None) -> str:
        user, end = self.user, found.release.version
        installed = version_of(user.uv, user.environ)
        other = None if installed == end else installed
        older = other if other and newest_first([other, end])[0] == end else None
        if before is None and older is not None and user.standalone:
            return self._copy(older)
        try:
            # Even if the policy hides it.
            first = find_in_order(sources.all, before or Wanted(specifier=f"<{end}"))
        except (NoLatest, NoSourceAnswered, NoSuchVersion):
            if before is not None:
                raise
            # The source has one version only.
            begin = other if user.standalone else older
            return self._copy(begin) if begin else self._download(found, self.settings.digests)
        if first.release.version == end:
            message = f"an update from uv {end} to uv {end} changes nothing"
            raise RehearsalError(message, hint="Name an older one: `--from VERSION`.")
        # A temporary uv needs no digest; but a pinned version is run only with that digest.
        return self._download(first, replace(self.settings.digests, required=False))

    def _copy(self, version: str) -> str:
        shutil.copy2(current_path(self.user.uv).resolve(), self.installation.uv)
        return version

    def _download(self, found: Found, digests: DigestRules) -> str:
        directory = self._directory / "download"
        directory.mkdir()
        staged = stage(found, self.installation, directory, digests=digests)
        for file in staged.folder.iterdir():
            if file.name in self.user.platform.executables:
                shutil.move(file, self.installation.directory / file.name)
        shutil.rmtree(directory)
        self.downloaded = staged.size
        return staged.version


def _check(copy: _Copy, end: str, exit_code: int, failures: tuple[UvSelfUpdateError, ...]) -> None:
    """Check the updated copy.

    Raises:
        RehearsalError: It has another version, does not run, or its receipt is wrong.
    """
    output = copy.output.read_text(errors="replace").split("\n")
    said = [str(failure) for failure in failures] or output
    reasons = "".join(f"\n  {line}" for line in said if line.strip())
    hint = next((failure.hint for failure in failures if failure.hint), None)
    if exit_code != 0:
        message = f"`uv self update` ended with code {exit_code} on the copy{reasons}"
        raise RehearsalError(message, hint=hint)
    version = version_of(copy.installation.uv, copy.installation.bare_environ)
    if version is None or without_local(version) != end:
        message = f"expected the copy to be uv {end}, but it is {version or 'broken'}{reasons}"
        raise RehearsalError(message, hint=hint)
    if copy.receipt_version() != end:
        message = f"the copy's receipt names uv {copy.receipt_version()}: expected {end}"
        raise RehearsalError(message)
