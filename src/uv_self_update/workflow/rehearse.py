"""A whole real update on a throwaway copy of uv.

1. The source is asked for the version to update to, which has to be allowed.
2. A copy of uv is made in a temporary folder, with a receipt of its own: of the user's standalone
   uv if that is older; else an older version from the source; else of whatever uv there is. Where
   programs cannot be run from there, it is another folder.
3. The copy is updated by the same code as the real one, with a home of its own.
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
from uv_self_update.uv.arguments import Arguments
from uv_self_update.uv.environment import bare_environment
from uv_self_update.uv.executable import present, version_of
from uv_self_update.uv.process import SignalReceived, Signals
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
    with (
        # A signal must not leave the folder behind.
        Signals(),
        closing(OpenSources(settings, uv=uv, environ=environ)) as sources,
        _folder(uv.resolve().parent) as folder,
    ):
        found = sources.find(wanted)
        end = found.release.version
        stand = _Stand(folder, sources.platform, environ, settings.digests)
        version = stand.furnish(found, sources, uv=uv, before=before)
        began = time.monotonic()
        outcome = run(
            Job(
                uv=stand.uv,
                arguments=Arguments(target=None if wanted == NEWEST else end, after=options),
                settings=settings,
                environ=environ,
                child_environ=stand.own_environ,
                index_uv=uv,
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
            size=outcome.transferred,
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
        digests: DigestRules,
    ) -> None:
        self._folder = folder
        self._platform = platform
        # What is thrown away needs no digest; but what is pinned is run only if it is that.
        self._digests = replace(digests, required=False)
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
        self._users_environ = environ

    def furnish(
        self, found: Found, sources: OpenSources, *, uv: Path, before: Wanted | None
    ) -> str:
        """Lay the copy and its receipt, and return the copy's version."""
        self.uv.parent.mkdir()
        self._receipt.parent.mkdir(parents=True)
        version = self._lay(found.release.version, sources, uv=uv, before=before)
        document = receipt.new_receipt(
            prefix=self.uv.parent, version=version, executables=self._platform.executables
        )
        self._receipt.write_text(json.dumps(document))
        return version

    def receipt_version(self) -> object:
        """Return the version that the copy's receipt names."""
        return receipt.read(self._receipt).document.get("version")

    def _lay(self, end: str, sources: OpenSources, *, uv: Path, before: Wanted | None) -> str:
        older = version_of(uv, self._users_environ)
        if older is None or older == end or newest_first([older, end])[0] != end:
            older = None
        if before is None and older is not None and has_receipt(uv, self._users_environ):
            shutil.copy2(present(uv).resolve(), self.uv)
            return older
        try:
            first = sources.find_any(before or Wanted(specifier=f"<{end}"))
        except (NoLatest, NoSourceAnswered, NoSuchVersion) as error:
            if before is not None:
                raise
            if older is None:
                message = f"there is no version before {end} to begin with: {error}"
                raise RehearsalError(message, hint="Name one: `--from VERSION`.") from error
            # The source knows of one version only, but there is a uv here to begin with.
            shutil.copy2(present(uv).resolve(), self.uv)
            return older
        if first.release.version == end:
            message = f"there is nothing to update from uv {end} to uv {end}"
            raise RehearsalError(message, hint="Name an older one: `--from VERSION`.")
        return self._fetch(first)

    def _fetch(self, found: Found) -> str:
        folder = self._folder / "fetched"
        folder.mkdir()
        staged = stage(
            found,
            self._platform,
            folder,
            place=self._folder,
            environ=self.environ,
            digests=self._digests,
        )
        for file in staged.folder.iterdir():
            if file.name in self._platform.executables:
                shutil.move(file, self.uv.parent / file.name)
        shutil.rmtree(folder)
        return staged.version


def _check(
    stand: _Stand, end: str, exit_code: int, failures: tuple[UvSelfUpdateError, ...]
) -> None:
    """Make sure that the copy is what it should be now.

    Raises:
        RehearsalError: It is not.
    """
    reasons = "".join(f"\n  {failure}" for failure in failures)
    hint = next((failure.hint for failure in failures if failure.hint), None)
    if exit_code != 0:
        message = f"`uv self update` ended with code {exit_code} on the copy{reasons}"
        raise RehearsalError(message, hint=hint)
    version = version_of(stand.uv, bare_environment(stand.environ))
    if version != end:
        message = f"the copy should be uv {end} now, but it is {version or 'broken'}{reasons}"
        raise RehearsalError(message, hint=hint)
    if stand.receipt_version() != end:
        message = f"the copy's receipt does not say {end}: {stand.receipt_version()}"
        raise RehearsalError(message)
