"""One update, from the command line's wishes to uv's exit code.

1. A TARGET that the policy forbids by its name is refused before anything is begun.
2. A folder beside uv is claimed to work in; another update that has it is waited for, and what one
   that was killed has left is finished. A TARGET that is a prefix or a specifier is resolved
   against the sources: uv is always handed an exact version.
3. The listening socket is bound and uv is started. Only then comes what takes time (the HTTP
   client alone is tens of milliseconds of imports), while uv starts up and connects.
4. The gateway answers uv's requests from the sources.
5. uv ends; the gateway ends with it, and the folder is removed. A uv that was adopted gets a
   receipt of its own.
6. Uv's exit code is ours, and what went wrong behind the gateway is handed on to be explained.
"""

# The slow imports stand where they are needed, see step 3.
# ruff: noqa: PLC0415

from __future__ import annotations

import logging
import os
import re
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uv_self_update.errors import HiddenByPolicy, NotReplaced
from uv_self_update.gateway.address import listen
from uv_self_update.releases.target import parse_target
from uv_self_update.sources.opened import OpenSources
from uv_self_update.uv.adoption import adopting
from uv_self_update.uv.environment import bare_environment, environment
from uv_self_update.uv.executable import version_of
from uv_self_update.uv.leftovers import mend
from uv_self_update.uv.process import Signals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from uv_self_update.config.settings import InstallerChoice, Settings
    from uv_self_update.errors import InstallError, UvSelfUpdateError
    from uv_self_update.gateway.address import Address
    from uv_self_update.gateway.service import Service
    from uv_self_update.installer.native import NativeInstaller
    from uv_self_update.installer.release import ReleaseInstaller
    from uv_self_update.installer.workspace import Workspace
    from uv_self_update.uv.adoption import Adoption
    from uv_self_update.uv.arguments import Arguments


_log = logging.getLogger(__name__)

_TOO_OLD = re.compile(r"0\.[0-4]\.")
_NO_RETURN = (
    "uv %s cannot be updated by uv-self-update again, since only 0.5.0 and later can be updated "
    "from elsewhere"
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One update to be done."""

    uv: Path
    """The uv to update."""

    arguments: Arguments
    settings: Settings
    environ: Mapping[str, str] = field(repr=False)
    """The user's environment, which the sources work in."""

    child_environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the updated uv's environment has beside that: a rehearsal's own folders."""

    index_uv: Path | None = None
    """The uv that is asked for the index; None for the one that is updated."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an update has ended."""

    exit_code: int
    """uv's own."""

    received: int | None = None
    """The signal that this process was sent meanwhile."""

    failures: tuple[UvSelfUpdateError, ...] = ()
    """What went wrong behind the gateway, in order."""

    told: tuple[UvSelfUpdateError, ...] = ()
    """Those of the failures that uv has printed itself, as an installer's output."""

    asked: bool = False
    """Whether uv got as far as asking the gateway."""

    updated: bool = False
    """Whether uv is another one now, rather than there being nothing to do."""

    replaced: str | None = None
    """The version that our own installer has put in place, whatever became of uv then."""

    ours: bool = True
    """Whether no other installer was to be used, which may go on when uv has ended."""

    transferred: int = 0
    """Bytes of uv that came from the source."""


def run(job: Job) -> Outcome:
    """Run `uv self update` through a gateway.

    Raises:
        UvSelfUpdateError: It could not even be started.
        SignalReceived: A signal came before uv was started.
    """
    arguments = job.arguments
    wanted = None if arguments.target is None else parse_target(arguments.target)
    if wanted is not None and wanted.exact is not None:
        job.settings.policy.refuse(wanted.exact)
    own_environ = {**job.environ, **job.child_environ}
    with (
        Signals() as signals,
        _workplace(job) as work,
        closing(
            OpenSources(
                job.settings,
                uv=job.index_uv or job.uv,
                environ=job.environ,
                folder=_folder_of(work),
            )
        ) as sources,
        adopting(
            job.uv, own_environ, wanted=job.settings.adopt, folder=_folder_of(work)
        ) as adoption,
    ):
        _refuse_too_old(job, adoption.environ)
        version = None if wanted is None else wanted.exact
        if wanted is not None and version is None:
            version = sources.find(wanted).release.version
        if version is not None and _TOO_OLD.match(version):
            _log.warning(_NO_RETURN, version)
        address = listen()
        environ = environment({**adoption.environ, **_temporary(work)}, address.base)
        with closing(address):
            signals.run(job.uv, arguments.for_uv(version), environ, kept=address.kept)
            installers = _installers(job, sources, work, environ, adoption)
            with _gateway(job, address, sources, installers, environ) as service:
                code = signals.wait()
            replaced, broken = _concluded(installers.release, signals)
        installed = installers.native.installed
        updated = installed is not None or replaced
        # One that is the newest already is adopted as well, so that it is updated from then on.
        adoption.settled = updated or (code == 0 and service.asked and not arguments.dry_run)
    failures = [*service.failures]
    if broken is not None:
        failures.append(broken)
        code = code or broken.exit_code
    return Outcome(
        exit_code=code,
        received=signals.received,
        failures=tuple(failures),
        told=tuple(service.told),
        asked=service.asked,
        updated=updated,
        replaced=None if installed is None else installed.version,
        ours=installers.choice == "native",
        transferred=service.transferred if installed is None else installed.size,
    )


@contextmanager
def _workplace(job: Job) -> Iterator[Workspace | NotReplaced]:
    """Claim a folder beside uv; finish what an update that was killed has begun there.

    Where nothing can be written, that may do no harm: often there is nothing to be updated.

    Raises:
        UpdateUnderWay: Another update does not end.
        NotReplaced: What was begun can neither be finished nor undone.
    """
    from uv_self_update.installer.workspace import claim

    folder = job.uv.resolve().parent
    try:
        work = claim(folder)
    except OSError as error:
        yield NotReplaced(folder, error.strerror or str(error))
        return
    with closing(work):
        if not job.arguments.dry_run:
            if not work.empty:
                _recover(work, job)
            mend(job.uv, job.environ)
        yield work


def _concluded(release: ReleaseInstaller, signals: Signals) -> tuple[bool, InstallError | None]:
    """Return whether a release's own installer has updated uv, and what is wrong if it has not."""
    from uv_self_update.errors import InstallError

    try:
        return release.conclude(
            at_work=lambda: signals.received is not None and not signals.all_ended()
        ), None
    except InstallError as error:
        return False, error


def _folder_of(work: Workspace | NotReplaced) -> Path | None:
    """Return where to put what is temporary; None where that has to be elsewhere."""
    return None if isinstance(work, NotReplaced) else work.path


def _doubt(settings: Settings, version: str) -> str | None:
    """Return why what was begun must not be finished without asking anew; None if it may be."""
    policy = settings.policy
    try:
        policy.refuse(version)
    except HiddenByPolicy as error:
        return str(error)
    lists = any(rule.list_place for rule in policy.rules)
    digests = settings.digests.required or settings.digests.places(version)
    if lists or digests or policy.longest_age is not None:
        return f"whether uv {version} may be installed has to be asked anew"
    return None


def _temporary(work: Workspace | NotReplaced) -> dict[str, str]:
    """Return what tells uv where to put its temporary files; raises NotReplaced."""
    if isinstance(work, NotReplaced):
        return {}
    try:
        return work.environ(windows=os.name == "nt")
    except OSError as error:
        raise NotReplaced(work.path.parent, error.strerror or str(error)) from error


def _recover(work: Workspace, job: Job) -> None:
    from functools import partial

    from uv_self_update.installer.replace import recover
    from uv_self_update.installer.stage import confirm

    version = recover(
        work.path,
        partial(confirm, source="an update that was interrupted", environ=job.environ),
        doubt=partial(_doubt, job.settings),
        runs=lambda uv: version_of(uv, bare_environment(job.environ)) is not None,
        windows=os.name == "nt",
    )
    if version is not None:
        _log.warning("an update to uv %s that was interrupted is finished now", version)
    work.clear()


@dataclass(frozen=True, kw_only=True)
class _Installers:
    """Both installers, and which of them is used."""

    native: NativeInstaller
    release: ReleaseInstaller
    choice: InstallerChoice


def _installers(
    job: Job,
    sources: OpenSources,
    work: Workspace | NotReplaced,
    environ: Mapping[str, str],
    adoption: Adoption,
) -> _Installers:
    from uv_self_update.installer.native import NativeInstaller, chosen
    from uv_self_update.installer.release import ReleaseInstaller

    return _Installers(
        native=NativeInstaller(
            sources.platform,
            work,
            environ=environ,
            digests=job.settings.digests,
            rewrites=adoption.rewrites,
        ),
        release=ReleaseInstaller(
            sources.platform, work, environ=environ, receipts=adoption.receipts
        ),
        choice=chosen(job.settings.installer, environ, sources.platform),
    )


@contextmanager
def _gateway(
    job: Job,
    address: Address,
    sources: OpenSources,
    installers: _Installers,
    environ: Mapping[str, str],
) -> Iterator[Service]:
    """Serve the address; in the end stop what is under way."""
    from uv_self_update.gateway import script_policy
    from uv_self_update.gateway.loopback import Loopback
    from uv_self_update.gateway.service import Installing, Service

    service = Service(
        address,
        sources.all,
        Installing(
            native=installers.native,
            release=installers.release,
            choice=installers.choice,
            barred=lambda script: script_policy.barred(script, environ),
            digests=job.settings.digests,
        ),
        platform=sources.platform,
        policy=lambda: sources.policy,
    )
    loopback = Loopback(address, service.answer)
    try:
        yield service
    finally:
        loopback.close()
        # First the sources, so that a staging that waits for one of them ends too.
        sources.close()
        installers.native.close()


def _refuse_too_old(job: Job, environ: Mapping[str, str]) -> None:
    """Make sure that uv can be led to the gateway.

    The receipt tells at no cost; only if it names a version that is too old is uv itself asked,
    which takes its time.

    Raises:
        UvTooOld: It is a uv that would ask GitHub.
    """
    from uv_self_update.errors import ReceiptError, UvTooOld
    from uv_self_update.uv.receipt import locate, read

    try:
        said = str(read(locate(environ, windows=os.name == "nt")).document.get("version"))
    except ReceiptError:
        return  # uv refuses by itself, before it asks anybody
    if _TOO_OLD.match(said):
        version = version_of(job.uv, job.environ)
        if version is not None and _TOO_OLD.match(version):
            raise UvTooOld(job.uv, version)
