"""One command with packages from private releases, for as long as it runs.

1. What would let uv take packages past us is refused: a proxy key in one of its files, an index
   strategy or `--index` that takes a public package of the same name.
2. A proxy listens on loopback. The command is started so that uv asks http URLs through it, and
   knows the index of each repository, first and at a name that never changes. A uv that has the
   keys is told by a system-level uv.toml of this run, so that no proxy variable changes; any other
   program is told by variables.
3. The index answers from the releases. Every other request is passed on as uv would have sent it.
   https never comes here.
4. The command ends. A lock file that takes one of our names from another registry is an error, and
   so is a page that uv was refused and has done without.
5. The command's exit code is ours, and the reasons of what was refused are returned.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from uv_self_update.errors import (
    NotConfigured,
    ProxyKeys,
    ProxyUnusable,
    StrangePackage,
    UsageError,
)
from uv_self_update.gateway.package_index import PackageIndex, Served
from uv_self_update.gateway.proxy import Proxy, listen
from uv_self_update.network.forward import unusable
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.packages.computed import ComputedDigests
from uv_self_update.sources.packages.registry import build
from uv_self_update.uv import configuration, lock, system_file
from uv_self_update.uv.child import Child
from uv_self_update.uv.executable import version_of, which
from uv_self_update.uv.proxies import UvProxies, environment_through, plain_hosts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.config.settings import Settings
    from uv_self_update.errors import UvSelfUpdateError
    from uv_self_update.uv.command import WrappedCommand

_WINDOWS = os.name == "nt"


@dataclass(frozen=True, kw_only=True)
class ExecJob:
    """One command to be run."""

    command: WrappedCommand
    directory: Path
    settings: Settings
    releases: Sequence[ReleasesSettings]
    uv: Path
    """The uv whose credential store is asked."""

    environ: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ExecOutcome:
    """How the command has ended."""

    exit_code: int
    """Its exit code; -N if signal N has ended it."""

    errors: Sequence[UvSelfUpdateError] = ()
    """Why it has failed, as far as uv cannot say; the last one's exit code counts after success."""

    warnings: Sequence[UvSelfUpdateError] = ()
    """What was refused, and did no harm."""


def run(job: ExecJob) -> ExecOutcome:
    """Run the command.

    Raises:
        NotConfigured: No releases are configured.
        UsageError: An option would let others' packages win.
        ProxyKeys: uv takes its proxies from a file.
        ProxyUnusable: An index of the user's is behind a proxy that cannot be used.
        CommandNotRunnable: The command cannot be started.
        SignalReceived: A signal came before it was started.
    """
    _refuse(job)
    with ExitStack() as stack:
        child = stack.enter_context(Child())
        sources = OpenSources(job.settings, uv=job.uv, environ=job.environ)
        stack.enter_context(closing(sources))
        served = [
            Served(
                repository=build(releases, sources.around.upstream(releases.source)),
                claim=releases.claim,
            )
            for releases in job.releases
        ]
        cache = user_cache_path("uv-self-update", appauthor=False) / "digests"
        index = PackageIndex(served, ComputedDigests(directory=cache))
        address = listen()
        proxy = Proxy(
            address,
            own=index.owns,
            answer=index.answer,
            proxy_for=UvProxies.of(job.environ).for_host,
        )
        stack.enter_context(closing(proxy))
        environ = stack.enter_context(_environment(job, address.url, served))
        code = child.run(job.command.words, environ)
        failures = index.failures
        strangers = [*_strangers(job, served)]
    if code != 0:
        return ExecOutcome(
            exit_code=code, errors=[*(failure.error for failure in failures), *strangers]
        )
    errors = [failure.error for failure in failures if failure.page] + strangers
    return ExecOutcome(
        exit_code=errors[-1].exit_code if errors else 0,
        errors=errors,
        warnings=[failure.error for failure in failures if not failure.page],
    )


@contextmanager
def _environment(job: ExecJob, proxy: str, served: Sequence[Served]) -> Iterator[dict[str, str]]:
    ours = [one.index for one in served]
    hosts = [one.host for one in served]
    given = {
        **job.environ,
        "UV_INDEX": " ".join([*ours, *job.environ.get("UV_INDEX", "").split()]),
        "UV_INDEX_STRATEGY": "first-index",
    }
    if _takes_file(job):
        with system_file.system_file(given, proxy, hosts) as environ:
            yield environ
    else:
        yield environment_through(given, proxy, hosts)


def _takes_file(job: ExecJob) -> bool:
    if not job.command.is_uv or job.command.reads_no_files:
        return False
    program = which(job.command.words[0], job.environ, windows=_WINDOWS)
    version = None if program is None else version_of(program, job.environ)
    return system_file.usable(version, job.environ, job.command.directory(job.directory))


def _refuse(job: ExecJob) -> None:
    if not job.releases:
        raise NotConfigured
    if strategy := job.command.unsafe_strategy:
        message = f"`--index-strategy {strategy}` cannot be used with `exec`"
        raise UsageError(
            message, hint="A public package of the same name could be taken for yours."
        )
    if job.command.names_index:
        message = "`--index` cannot be used with `exec`, because uv ignores UV_INDEX for it"
        raise UsageError(
            message,
            hint="Put the URL into UV_INDEX. If it is an option of a program that `uv run` starts, "
            "put `--` before that program.",
        )
    directory = job.command.directory(job.directory)
    for path, key in configuration.proxy_keys(job.environ, directory, windows=_WINDOWS):
        raise ProxyKeys(str(path), key)
    proxies = UvProxies.of(job.environ)
    for host in plain_hosts(job.environ):
        proxy = proxies.for_host(host)
        if proxy is not None and (reason := unusable(proxy)):
            raise ProxyUnusable(host, reason)


def _strangers(job: ExecJob, served: Sequence[Served]) -> Iterator[UvSelfUpdateError]:
    """Yield what lock files take from elsewhere: names that are claimed, or known to be ours."""
    held = {file.project for one in served for file in one.repository.known() or ()}

    def ours(name: str) -> bool:
        claimed = any(one.claim.named and one.claim.covers(name) for one in served)
        return claimed or (name in held and any(one.claim.covers(name) for one in served))

    registries = {one.index for one in served}
    for path in lock.files(
        job.command.directory(job.directory), job.command.scripts(job.directory)
    ):
        for taken in lock.strangers(path, ours=ours, registries=registries):
            yield StrangePackage(path, taken.name, taken.version, taken.registry)
