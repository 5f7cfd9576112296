"""A whole real update on a throwaway copy of uv.

1. The source is asked for the version to update to, which has to be allowed.
2. A copy of uv is made in a temporary folder, with a receipt of its own: of the user's standalone
   uv if that is older; else an older version from the source; else of the user's uv, if it is of
   another version; else the very version from the source, which is thereby fetched, checked and
   run. Where programs cannot be run from there, it is another folder.
3. The copy is updated by the same code as the real one, with a home of its own. What uv says of it
   is shown only if that fails: it would read as if the user's own uv had been updated.
4. The copy is asked for its version.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.errors import (
    NoLatest,
    NoSourceAnswered,
    NoSuchVersion,
    RehearsalError,
    UvSelfUpdateError,
)
from uv_self_update.installer.stage import stage
from uv_self_update.releases.target import NEWEST, Wanted, newest_first, parse_target
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv import receipt
from uv_self_update.uv.adoption import has_receipt
from uv_self_update.uv.arguments import Arguments, level
from uv_self_update.uv.environment import bare_environment
from uv_self_update.uv.executable import present, version_of
from uv_self_update.uv.process import SignalReceived, Signals
from uv_self_update.versions import without_local
from uv_self_update.workflow.update import Job, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uv_self_update.config.settings import Settings
    from uv_self_update.platforms import Platform
    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.sources.order import Found


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """A rehearsal that went well."""

    source: str
    start: str
    """The version before."""

    end: str
    """The version after."""

    size: int
    """Bytes of uv that came from the source."""

    seconds: float

    def __str__(self) -> str:
        """Say what was done, a line for each fact."""
        if self.start == self.end:
            return (
                f"A temporary copy of uv {self.end} from the source runs, and is up to date.\n"
                f"  source   {self.source}\n"
                f"  version  {self.end}\n"
                f"  bytes    {self.size:,}\n"
                f"  seconds  {self.seconds:.1f}"
            )
        return (
            f"A throwaway copy of uv was updated, and runs.\n"
            f"  source   {self.source}\n"
            f"  from     {self.start}\n"
            f"  to       {self.end}\n"
            f"  bytes    {self.size:,}\n"
            f"  seconds  {self.seconds:.1f}"
        )


def hold(
    settings: Settings,
    *,
    uv: Path,
    environ: Mapping[str, str],
    target: str | None,
    start: str | None,
    options: tuple[str, ...] = (),
) -> Rehearsal:
    """Hold a rehearsal.

    Args:
        settings: What is configured.
        uv: The user's uv: the index is asked through it, and perhaps it is copied.
        environ: The user's environment.
        target: A TARGET; None for the newest.
        start: The version to update from, as a TARGET; None for any that is older.
        options: What uv is told beside the version.

    Raises:
        RehearsalError: There is nothing to update from, or the copy was not updated.
        UvSelfUpdateError: Whatever would make the real update fail.
        SignalReceived: A signal came.
    """
    wanted = NEWEST if target is None else parse_target(target)
    before = None if start is None else parse_target(start)
    try:
        with (
            # A signal must not leave the folder behind.
            Signals(),
            closing(OpenSources(settings, uv=uv, environ=environ)) as sources,
            _folder(uv.resolve().parent) as folder,
        ):
            stand = _Stand(folder, sources.platform, environ, settings, users_uv=uv)
            return _held(stand, sources, wanted, before, options)
    except SignalReceived as error:
        error.add_note("the temporary copy of uv was removed, and your own uv was not changed")
        raise


def _held(
    stand: _Stand,
    sources: OpenSources,
    wanted: Wanted,
    before: Wanted | None,
    options: tuple[str, ...],
) -> Rehearsal:
    began = time.monotonic()
    found = sources.find(wanted)
    end = found.release.version
    version = stand.furnish(found, sources, before=before)
    began = began if version == end else time.monotonic()
    # Without a version, uv only goes upwards.
    named = wanted != NEWEST or newest_first([version, end])[0] != end
    with stand.output.open("w+b") as output:
        outcome = run(
            Job(
                uv=stand.uv,
                arguments=Arguments(target=end if named else None, after=options),
                settings=stand.settings,
                environ=stand.users_environ,
                child_environ=stand.own_environ,
                index_uv=stand.users_uv,
                output=None if level(options, "verbose") else output,
            )
        )
    if outcome.received is not None:
        raise SignalReceived(outcome.received)
    seconds = time.monotonic() - began
    _check(stand, end, outcome.exit_code, outcome.failures)
    return Rehearsal(
        source=found.source.name,
        start=version,
        end=end,
        size=outcome.transferred + (stand.fetched if version == end else 0),
        seconds=seconds,
    )


@contextmanager
def _folder(beside: Path) -> Iterator[Path]:
    """Make a folder that programs can be run from: where temporary files belong, or elsewhere.

    Args:
        beside: Where uv lies, and so a program can be run.

    Raises:
        RehearsalError: There is none.
    """
    home = os.path.expanduser("~")  # noqa: PTH111 # not every user has one, which is no error here
    for place in (None, home, beside):
        try:
            made = tempfile.TemporaryDirectory(prefix=".uv-self-update-rehearsal-", dir=place)
        except OSError:
            continue
        with made as name:
            folder = Path(name).resolve()
            if os.name == "nt" or _runs_programs(folder):
                yield folder
                return
    message = f"a copy of uv can be run from no folder for temporary files, and not from {beside}"
    raise RehearsalError(message, hint="Name a folder by TMPDIR that programs can be run from.")


def _runs_programs(folder: Path) -> bool:
    """Try it, since the options of a mount are not all that can forbid it."""
    program = folder / "program"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    try:
        return subprocess.run([program], check=False).returncode == 0  # noqa: S603 # our own
    except OSError:
        return False
    finally:
        program.unlink()


class _Stand:
    """A folder that looks like the home of somebody who has a standalone uv."""

    def __init__(
        self,
        folder: Path,
        platform: Platform,
        environ: Mapping[str, str],
        settings: Settings,
        *,
        users_uv: Path,
    ) -> None:
        self._folder = folder
        self._platform = platform
        self.settings = settings
        self.users_uv = users_uv
        self.uv = folder / "bin" / platform.uv
        self._receipt = folder / "config" / "uv" / receipt.NAME
        self.own_environ = {
            "AXOUPDATER_CONFIG_PATH": str(self._receipt.parent),
            # uv's installer writes its receipt to the standard place, whatever is said above.
            "HOME": str(folder),
            "LOCALAPPDATA": str(folder / "config"),
            "USERPROFILE": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
        }
        self.environ = {**environ, **self.own_environ}
        self.users_environ = environ
        self.output = folder / "output"
        """What uv says of the copy."""

        self.fetched = 0
        """Bytes of uv that the copy itself was made of."""

    def furnish(self, found: Found, sources: OpenSources, *, before: Wanted | None) -> str:
        """Lay the copy and its receipt, and return the copy's version."""
        self.uv.parent.mkdir()
        self._receipt.parent.mkdir(parents=True)
        version = self._lay(found, sources, before)
        document = receipt.new_receipt(
            prefix=self.uv.parent, version=version, executables=self._platform.executables
        )
        self._receipt.write_text(json.dumps(document))
        return version

    def receipt_version(self) -> object:
        """Return the version that the copy's receipt names."""
        return receipt.read(self._receipt).document.get("version")

    def _lay(self, found: Found, sources: OpenSources, before: Wanted | None) -> str:
        uv, end = self.users_uv, found.release.version
        installed = version_of(uv, self.users_environ)
        other = None if installed == end else installed
        older = other if other and newest_first([other, end])[0] == end else None
        standalone = has_receipt(uv, self.users_environ)
        if before is None and older is not None and standalone:
            return self._copy(older)
        try:
            first = sources.find_any(before or Wanted(specifier=f"<{end}"))
        except (NoLatest, NoSourceAnswered, NoSuchVersion):
            if before is not None:
                raise
            # The source knows of one version only.
            begin = other if standalone else older
            return self._copy(begin) if begin else self._fetch(found, self.settings.digests)
        if first.release.version == end:
            message = f"there is nothing to update from uv {end} to uv {end}"
            raise RehearsalError(message, hint="Name an older one: `--from VERSION`.")
        # What is thrown away needs no digest; but what is pinned is run only if it is that.
        return self._fetch(first, replace(self.settings.digests, required=False))

    def _copy(self, version: str) -> str:
        shutil.copy2(present(self.users_uv).resolve(), self.uv)
        return version

    def _fetch(self, found: Found, digests: DigestRules) -> str:
        folder = self._folder / "fetched"
        folder.mkdir()
        staged = stage(
            found,
            self._platform,
            folder,
            place=self._folder,
            environ=self.environ,
            digests=digests,
        )
        for file in staged.folder.iterdir():
            if file.name in self._platform.executables:
                shutil.move(file, self.uv.parent / file.name)
        shutil.rmtree(folder)
        self.fetched = staged.size
        return staged.version


def _check(
    stand: _Stand, end: str, exit_code: int, failures: tuple[UvSelfUpdateError, ...]
) -> None:
    """Make sure that the copy is what it should be now.

    Raises:
        RehearsalError: It is not.
    """
    said = [str(failure) for failure in failures] or stand.output.read_text(errors="replace").split(
        "\n"
    )
    reasons = "".join(f"\n  {line}" for line in said if line.strip())
    hint = next((failure.hint for failure in failures if failure.hint), None)
    if exit_code != 0:
        message = f"`uv self update` ended with code {exit_code} on the copy{reasons}"
        raise RehearsalError(message, hint=hint)
    version = version_of(stand.uv, bare_environment(stand.environ))
    if version is None or without_local(version) != end:
        message = f"the copy should be uv {end} now, but it is {version or 'broken'}{reasons}"
        raise RehearsalError(message, hint=hint)
    if stand.receipt_version() != end:
        message = f"the copy's receipt does not say {end}: {stand.receipt_version()}"
        raise RehearsalError(message)
