"""One update, from the command line to uv's exit code.

1. A version that the policy forbids by its number is refused before anything is started. The
   connection to the first source is begun, and takes its round trips during the next steps.
2. A directory next to uv is claimed to work in, after a wait if another update has claimed it. An
   update that was killed there is finished or undone. A prefix or a specifier is resolved against
   the sources: uv always gets an exact version.
3. The HTTP client is imported, which takes tens of milliseconds, and the list of the first source
   is requested; an index downloads what is newer than the receipt's version instead. Then the
   listening socket is bound and uv is started, which starts up while the gateway is imported.
4. The gateway answers uv's requests from the sources.
5. uv ends, the gateway ends with it, and the directory is removed. A uv that was adopted gets a
   receipt.
6. uv's exit code is ours; errors behind the gateway are returned to be explained.
"""

# Imports are made where they are needed: the connection is begun before them, see step 1.
# ruff: noqa: PLC0415

from __future__ import annotations

import logging
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from uv_self_update.errors import NotReplaced
from uv_self_update.network.access import Access
from uv_self_update.releases.target import NEWEST, parse_target
from uv_self_update.sources.addresses import preconnect
from uv_self_update.uv.process import Signals
from uv_self_update.values import frozen
from uv_self_update.versions import TOO_OLD, without_local
from uv_self_update.workflow.update_job import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from uv_self_update.config.installers import InstallerChoice
    from uv_self_update.config.settings import Settings
    from uv_self_update.errors import InstallError, ReleaseInstallerFailed, UvSelfUpdateError
    from uv_self_update.gateway.address import Address
    from uv_self_update.gateway.announcement import Announcement
    from uv_self_update.gateway.service import Service
    from uv_self_update.installer.native import NativeInstaller
    from uv_self_update.installer.release import ReleaseInstaller
    from uv_self_update.installer.workspace import Workspace
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.opened import OpenSources
    from uv_self_update.uv.adoption import Adoption
    from uv_self_update.uv.installation import Installation
    from uv_self_update.workflow.update_job import Job


_log = logging.getLogger(__name__)

_NO_RETURN = (
    "uv %s cannot be updated by uv-self-update again: only 0.5.0 and later can be updated from "
    "another source than GitHub"
)


def run(job: Job) -> Outcome:
    """Run `uv self update` through a gateway.

    Raises:
        UvSelfUpdateError: It could not be started.
        SignalReceived: A signal came before uv was started.
    """
    arguments, user = job.arguments, job.user or job.installation
    wanted = _wanted(job)
    with (
        Signals() as signals,
        closing(_access(job, user, wanted)) as access,
        _workspace(job) as work,
        closing(_sources(job, user, work, access)) as sources,
        _adopting(job, work) as adoption,
    ):
        installation = adoption.installation
        _refuse_too_old(installation)
        if not arguments.dry_run and job.settings.installer != "release":
            sources.prepare(wanted or NEWEST, _receipt_version(installation))
        version = _version(wanted, sources, offline=arguments.offline)
        from uv_self_update.gateway.address import listen

        with closing(listen()) as address:
            environ = _child_environment(installation, work, address, dry_run=arguments.dry_run)
            if job.output is None:
                job.progress.hold()  # uv writes to the same terminal
            signals.run(
                installation.uv,
                arguments.for_uv(version),
                environ,
                kept=address.kept,
                output=job.output,
            )
            announcement = _announcement(job, adoption)
            installers = _installers(job, work, adoption, announcement)
            with _gateway(job, address, sources, installers, announcement, environ) as service:
                code = signals.wait()
                if job.output is None:
                    job.progress.hold()
            replaced, broken = _concluded(installers, signals)
        installed = installers.native.installed or installers.release.installed
        updated = installed is not None or replaced
        # A uv that is up to date is adopted as well, so that it updates itself from then on.
        adoption.settled = updated or (code == 0 and service.asked and not arguments.dry_run)
    failed = not updated and signals.received is None
    if failed and broken is None:
        broken = _unrun(service, installers, code, windows=installation.windows)
    diagnosed = installers.release.diagnose() if failed and code != 0 else None
    return Outcome(
        exit_code=code if broken is None else code or broken.exit_code,
        received=signals.received,
        failures=tuple(_failures(service.failures, diagnosed, broken)),
        told=tuple(service.told),
        asked=service.asked,
        updated=updated,
        replaced=None if installed is None else installed.version,
        ours=installers.choice == "native",
        transferred=service.transferred if installed is None else installed.size,
    )


def _wanted(job: Job) -> Wanted | None:
    """Parse the requested version, and refuse one that the policy forbids by its number."""
    if job.arguments.target is None:
        return None
    wanted = parse_target(job.arguments.target)
    if wanted.exact is not None:
        job.settings.policy.refuse(wanted.exact)
    return wanted


def _access(job: Job, user: Installation, wanted: Wanted | None) -> Access:
    """Begin the connection to the first source, unless uv is told to make none."""
    if job.arguments.offline:
        return Access(job.settings.network, user.environ)
    exact = wanted is not None and wanted.exact is not None
    return preconnect(job.settings, user.environ, exact=exact)


def _sources(job: Job, user: Installation, work: Workspace, access: Access) -> OpenSources:
    from uv_self_update.sources.opened import OpenSources

    return OpenSources(
        job.settings,
        uv=user.uv,
        environ=user.environ,
        temporary=work.claimed,
        access=access,
        progress=job.progress,
        keeps=job.user is None and not job.arguments.dry_run,
    )


def _adopting(job: Job, work: Workspace) -> AbstractContextManager[Adoption]:
    from uv_self_update.uv.adoption import adopting

    return adopting(job.installation, wanted=job.settings.adopt, directory=work.claimed)


def _version(wanted: Wanted | None, sources: OpenSources, *, offline: bool) -> str | None:
    """Return the exact version that uv is told to install; None for the newest, which uv asks for.

    The list that tells the newest is requested already, while uv starts.
    """
    if wanted is None:
        if not offline:
            sources.list_ahead()
        return None
    version = wanted.exact or sources.find(wanted).release.version
    if TOO_OLD.match(version):
        _log.warning(_NO_RETURN, version)
    return version


@contextmanager
def _workspace(job: Job) -> Iterator[Workspace]:
    """Claim the workspace next to uv, and finish or undo an update that was killed there.

    Raises:
        LockTimeout: Another update does not end.
        NotReplaced: An update that was killed can be neither finished nor undone.
    """
    from uv_self_update.installer.workspace import claim_if_writable

    installation = job.installation
    with closing(claim_if_writable(installation.directory)) as work:
        if work.claimed is not None and not job.arguments.dry_run:
            restore(work, installation, job.settings)
        yield work


def restore(work: Workspace, installation: Installation, settings: Settings) -> None:
    """Finish or undo an update that was killed, and give uv its name back.

    Raises:
        NotReplaced: It can be neither finished nor undone.
    """
    from uv_self_update.uv.executable import restore_name

    if not work.empty:
        from uv_self_update.workflow.interrupted import recover_interrupted

        recover_interrupted(work, installation, settings)
    restore_name(installation)


def _child_environment(
    installation: Installation, work: Workspace, address: Address, *, dry_run: bool
) -> dict[str, str]:
    """Return the environment of uv; raises NotReplaced."""
    from uv_self_update.files import strerror
    from uv_self_update.uv.environment import environment

    try:
        temporary = work.environ(windows=installation.windows)
        if installation.windows and not dry_run:
            from uv_self_update.gateway import script_policy

            temporary |= script_policy.variables(installation.environ, own=work.temporary)
    except OSError as error:
        raise NotReplaced(installation.directory, strerror(error)) from error
    return environment({**installation.environ, **temporary}, address.base)


def _concluded(installers: _Installers, signals: Signals) -> tuple[bool, InstallError | None]:
    """Return whether a release's own installer has updated uv, and the error if it has failed."""
    from uv_self_update.errors import InstallError

    try:
        installers.native.restore()
        return installers.release.conclude(
            at_work=lambda: signals.received is not None and not signals.all_ended()
        ), None
    except InstallError as error:
        return False, error


def _unrun(
    service: Service, installers: _Installers, code: int, *, windows: bool
) -> InstallError | None:
    """Return an error if uv was not updated because no script was run, whatever uv says.

    A release's own installer that fails ends its script before that requests the installation.
    """
    from uv_self_update.errors import ScriptNotRun

    ours = windows and installers.choice == "native"
    if service.unrun is None or not (code == 0 or ours):
        return None
    return ScriptNotRun(service.unrun, windows=windows)


def _failures(
    behind: Sequence[UvSelfUpdateError],
    diagnosed: ReleaseInstallerFailed | None,
    broken: InstallError | None,
) -> Iterator[UvSelfUpdateError]:
    """Yield the errors in order; a diagnosis only if it says more than the others."""
    yield from behind
    if diagnosed is not None and (diagnosed.missing or not (behind or broken)):
        yield diagnosed
    if broken is not None:
        yield broken


def _announcement(job: Job, adoption: Adoption) -> Announcement:
    from uv_self_update.gateway.announcement import Announcement

    return Announcement(
        job.progress,
        installed=_receipt_version(adoption.installation),
        archive=adoption.installation.platform.archive,
        dry_run=job.arguments.dry_run,
        # A rehearsal reports on its copy at the end.
        silent=job.user is not None,
    )


@frozen
class _Installers:
    """Both installers, and which one is used."""

    native: NativeInstaller
    release: ReleaseInstaller
    choice: InstallerChoice
    installed: str | None
    """The version that the receipt names."""


def _installers(
    job: Job, work: Workspace, adoption: Adoption, announcement: Announcement
) -> _Installers:
    from uv_self_update.gateway import scripts
    from uv_self_update.installer.native import NativeInstaller, chosen
    from uv_self_update.installer.release import ReleaseInstaller

    settings, installation = job.settings, adoption.installation
    choice = chosen(settings.installer, installation)
    # On Windows, it is known only later whether uv may run a script.
    eager = choice == "native" and not job.arguments.dry_run and not installation.windows
    return _Installers(
        native=NativeInstaller(
            adoption,
            work,
            digests=settings.digests,
            eager=eager,
            opened=announcement.opened,
        ),
        release=ReleaseInstaller(adoption, work, run_by=scripts.staged),
        choice=choice,
        installed=installation.stated_version,
    )


@contextmanager
def _gateway(
    job: Job,
    address: Address,
    sources: OpenSources,
    installers: _Installers,
    announcement: Announcement,
    environ: Mapping[str, str],
) -> Iterator[Service]:
    """Serve the address, and stop all downloads at the end."""
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
            ahead=True,
            installed=installers.installed,
            announcement=announcement,
        ),
        platform=sources.platform,
        policy=lambda: sources.policy,
    )
    loopback = Loopback(address, service.answer)
    try:
        _import_the_rest(installers, dry_run=job.arguments.dry_run)
        yield service
    finally:
        loopback.close()
        service.close()
        # First the sources, so that a staging that waits for one ends too.
        sources.close()
        installers.native.close()
        installers.release.close()


def _import_the_rest(installers: _Installers, *, dry_run: bool) -> None:
    """Import what the first response leads to, while it is awaited."""
    from importlib import import_module

    import_module("packaging.specifiers")
    if installers.choice == "native" and not dry_run:
        import_module("uv_self_update.installer.replace")
        import_module("uv_self_update.installer.stage")


def _receipt_version(installation: Installation) -> str:
    """Return the version in the receipt, which may be wrong; empty without a receipt."""
    receipt = installation.receipt
    return "" if receipt is None else without_local(str(receipt.document.get("version")))


def _refuse_too_old(installation: Installation) -> None:
    """Refuse a uv that would ask GitHub rather than the gateway.

    The receipt tells at no cost; uv itself is asked only if that names a version that is too old.

    Raises:
        UvTooOld: It is such a uv.
    """
    receipt = installation.receipt
    if receipt is None:
        return  # uv refuses by itself, before it asks for anything
    if TOO_OLD.match(str(receipt.document.get("version"))):
        from uv_self_update.errors import UvTooOld
        from uv_self_update.uv.executable import version_of

        version = version_of(installation.uv, installation.environ)
        if version is not None and TOO_OLD.match(version):
            raise UvTooOld(installation.uv, version)
