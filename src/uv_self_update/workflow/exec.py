"""One command with packages from private releases, for as long as it runs.

1. What would let uv take packages past us is refused: a proxy key in one of its files, an index
   strategy or `--index` that takes a public package of the same name.
2. A proxy listens on loopback. The command is started so that uv asks http URLs through it, and
   knows the index of each repository, first and at a name that never changes. A uv that has the
   keys is told by a system-level uv.toml of this run, so that no proxy variable changes; any other
   program is told by variables.
3. The index answers from the releases. Every other request is passed on as uv would have sent it.
   https does not come here, unless the project has direct URLs of a configured repository.
4. The command ends. A lock file that takes one of our names from another registry is an error, and
   so is a page that uv was refused and has done without. A lock file with an index that the
   project does not name is warned of: without this command, uv would lock again.
5. The command's exit code is ours, and the reasons of what was refused are returned.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.errors import IndexNotNamed, NotConfigured, UsageError
from uv_self_update.releases.release_urls import OF_KIND, page_of
from uv_self_update.temporary import remove_abandoned
from uv_self_update.uv import configuration, lock, system_file, workspace
from uv_self_update.uv.arguments import values_of
from uv_self_update.uv.command import Child
from uv_self_update.uv.executable import version_of, which
from uv_self_update.uv.proxies import UvProxies, environment_through
from uv_self_update.uv.requirements import names_release
from uv_self_update.values import frozen
from uv_self_update.versions import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.errors import DirectUrlsNotServed, UvSelfUpdateError
    from uv_self_update.uv.command import WrappedCommand
    from uv_self_update.workflow.direct_urls import DirectServing
    from uv_self_update.workflow.packages_job import PackagesJob
    from uv_self_update.workflow.serving import Serving

_WINDOWS = os.name == "nt"


@frozen
class ExecOutcome:
    """How the command has ended."""

    exit_code: int
    """Its exit code; -N if signal N has ended it."""

    errors: Sequence[UvSelfUpdateError] = ()
    """Why it has failed, as far as uv cannot say; the last one's exit code counts after success."""

    warnings: Sequence[UvSelfUpdateError] = ()
    """What was refused, and did no harm."""


def run(job: PackagesJob, command: WrappedCommand) -> ExecOutcome:
    """Run the command.

    Raises:
        NotConfigured: No releases are configured.
        UsageError: An option would let others' packages win.
        ProxyKeys: uv takes its proxies from a file.
        ProxyUnusable: An index of the user's is behind a proxy that cannot be used.
        CommandNotRunnable: The command cannot be started.
        SignalReceived: A signal came before it was started.
    """
    if not job.releases:
        raise NotConfigured
    # uv starts while the rest is imported.
    asked = Background(lambda: _numbers(job, command))
    from uv_self_update.workflow.serving import serving  # noqa: PLC0415 # see above

    numbers = asked.result()
    proxies = UvProxies.of(job.environ, numbers=numbers)
    _refuse(job, command, proxies)
    https, obstacle = _direct(job, command, numbers, proxies)
    tunnels = None if https is None else https.tunnels
    with (
        Child() as child,
        # What secures https may fail, so it is made before the command is started.
        serving(job, proxies=proxies, tunnels=tunnels, started=https is not None) as active,
    ):
        begin = partial(_begin, job, command, active, started=https is not None)
        with _environment(job, command, active, numbers, https) as environ:
            code = child.run(command.words, environ, meanwhile=begin)
        failures = active.index.failures
        directory = command.directory(job.directory)
        strangers = active.strangers(lock.files(directory, command.scripts(job.directory)))
        unnamed = [*_unnamed(job, active, directory)]
    if code != 0:
        unserved = [] if obstacle is None else [obstacle]
        errors = [*(failure.error for failure in failures), *strangers, *unserved]
        return ExecOutcome(exit_code=code, errors=errors)
    errors = [*(failure.error for failure in failures if failure.page), *strangers]
    return ExecOutcome(
        exit_code=errors[-1].exit_code if errors else 0,
        errors=errors,
        warnings=[*(failure.error for failure in failures if not failure.page), *unnamed],
    )


def _begin(job: PackagesJob, command: WrappedCommand, active: Serving, *, started: bool) -> None:
    """Begin what requests need, once the command was started."""
    # Any other command may need nothing of ours, and would only be slowed down.
    resolves = command.resolves(job.directory)
    if resolves:
        active.sources.connect(job.releases[0].source)
    if not started:
        active.start()
    if resolves:
        Background(active.sources.import_client)
    if command.is_uv:
        remove_abandoned()


def _direct(
    job: PackagesJob, command: WrappedCommand, numbers: tuple[int, ...], proxies: UvProxies
) -> tuple[DirectServing | None, DirectUrlsNotServed | None]:
    """Return what serves direct URLs, or why they are not served; neither without such URLs."""
    releases = _named_releases(job, command)
    if not releases:
        return None, None
    # Slow to import, and few projects have them.
    from uv_self_update.uv.trust import UvTrust  # noqa: PLC0415
    from uv_self_update.workflow.direct_urls import DirectServing, obstacle  # noqa: PLC0415

    directory = command.directory(job.directory)
    trust = UvTrust.of(job.environ, numbers=numbers, options=command.options, directory=directory)
    if reason := obstacle(trust, proxies):
        return None, reason
    insecure = values_of(command.options, "--allow-insecure-host")
    return DirectServing(job, releases, trust, proxies, insecure), None


def _named_releases(job: PackagesJob, command: WrappedCommand) -> Sequence[ReleasesSettings]:
    """Return the repositories over https whose release files a command names by their URLs."""
    releases = {
        url: one
        for one in job.releases
        if one.source.kind in OF_KIND and (url := one.source.url) and url.scheme == "https"
    }
    directories = list(dict.fromkeys([job.directory, command.directory(job.directory)]))
    urls = {page_of(url): OF_KIND[one.source.kind].mark for url, one in releases.items()}
    named = urls and names_release(urls, command.words, directories, job.environ)
    return [*releases.values()] if named else []


def _unnamed(job: PackagesJob, active: Serving, directory: Path) -> Iterator[IndexNotNamed]:
    """Yield a warning for each index of ours that a project's lock has, and its files do not."""
    for path in lock.files(directory):
        urls = workspace.index_urls(job.environ, path.parent, windows=_WINDOWS)
        named = {url.rstrip("/") for url in (*urls, *job.environ.get("UV_INDEX", "").split())}
        locked = {url.rstrip("/") for url in lock.registries(path)}
        for index in (served.index for served in active.served):
            if index.rstrip("/") in locked - named:
                yield IndexNotNamed(path, index, configuration.PYPROJECT)


@contextmanager
def _environment(
    job: PackagesJob,
    command: WrappedCommand,
    active: Serving,
    numbers: tuple[int, ...],
    https: DirectServing | None,
) -> Iterator[dict[str, str]]:
    given = active.variables(job.environ)
    hosts = [*active.hosts, *(() if https is None else https.hosts)]
    secure = https is not None
    with ExitStack() as stack:
        if https is not None:
            from uv_self_update.workflow.direct_urls import trusting  # noqa: PLC0415 # as above

            given = stack.enter_context(trusting(given, https.authorities))
        environ = environment_through(given, active.proxy, hosts, https=secure)
        if (
            command.is_uv
            and not command.reads_no_files
            and system_file.usable(numbers, job.environ, command.directory(job.directory))
        ):
            # Without a place for the file, the variables do.
            with suppress(OSError):
                environ = stack.enter_context(
                    system_file.system_file(given, active.proxy, hosts, https=secure)
                )
        yield environ


def _numbers(job: PackagesJob, command: WrappedCommand) -> tuple[int, ...]:
    """Return the numbers of the version of the uv that is run, directly or by another program."""
    name = command.words[0] if command.is_uv else "uv"
    program = which(name, job.environ, windows=_WINDOWS)
    return numbers_of(None if program is None else version_of(program, job.environ))


def _refuse(job: PackagesJob, command: WrappedCommand, proxies: UvProxies) -> None:
    if strategy := command.unsafe_strategy:
        message = f"`--index-strategy {strategy}` cannot be used with `exec`"
        raise UsageError(
            message, hint="A public package of the same name could be taken for yours."
        )
    if command.names_index:
        message = "`--index` cannot be used with `exec`, because uv ignores UV_INDEX for it"
        raise UsageError(
            message,
            hint="Put the URL into UV_INDEX. If it is an option of a program that `uv run` starts, "
            "put `--` before that program.",
        )
    from uv_self_update.workflow.serving import refuse_unreachable  # noqa: PLC0415 # as above

    refuse_unreachable(job, command.directory(job.directory), proxies)
