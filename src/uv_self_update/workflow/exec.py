"""One command with packages from private releases, for as long as it runs.

1. What would lead uv past us is refused: a proxy key in one of its files, an index strategy that
   takes a public package of the same name.
2. A proxy listens on loopback. The command is started in an environment in which uv asks http URLs
   through it, and knows the index of each repository, first and at a name that never changes.
3. The index answers from the release pages. Every other request is passed on as uv would have sent
   it. https never comes here.
4. The command ends. A lock file that takes one of our names from another registry is an error.
5. The command's exit code is ours, and what went wrong behind the index is handed on.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uv_self_update.errors import ProxyKeys, StrangePackage, UsageError
from uv_self_update.gateway.package_index import PackageIndex, Served
from uv_self_update.gateway.proxy import Proxy, listen
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.packages.registry import build
from uv_self_update.uv import configuration, lock
from uv_self_update.uv.process import Signals
from uv_self_update.uv.proxies import UvProxies, led_to

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.config.settings import Settings
    from uv_self_update.errors import UvSelfUpdateError

_UNSAFE = ("unsafe-best-match", "unsafe-first-match")


@dataclass(frozen=True, kw_only=True)
class ExecJob:
    """One command to be run."""

    command: Sequence[str]
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
    received: int | None = None
    """The signal that this process was sent meanwhile."""

    failures: Sequence[UvSelfUpdateError] = ()
    """What went wrong behind the index, in order."""


def run(job: ExecJob) -> ExecOutcome:
    """Run the command.

    Raises:
        UsageError: There is nothing to serve, or an option that would let others' packages win.
        ProxyKeys: uv cannot be led to us.
        CommandNotRunnable: The command cannot be started.
        SignalReceived: A signal came before it was started.
    """
    _refuse(job)
    with (
        Signals() as signals,
        closing(OpenSources(job.settings, uv=job.uv, environ=job.environ)) as sources,
    ):
        served = [
            Served(
                repository=build(releases, sources.around.upstream(releases.source)),
                claim=releases.claim,
            )
            for releases in job.releases
        ]
        index = PackageIndex(served)
        address = listen()
        ways = UvProxies.of(job.environ)
        proxy = Proxy(address, own=index.owns, answer=index.answer, way=ways.for_host)
        with closing(proxy):
            signals.start(job.command, _environment(job.environ, address.url, served))
            code = signals.wait()
    failures = list(index.failures) if code != 0 else []
    failures += _strangers(job, served)
    if code == 0 and failures:
        code = failures[-1].exit_code
    return ExecOutcome(exit_code=code, received=signals.received, failures=failures)


def _environment(
    environ: Mapping[str, str], proxy: str, served: Sequence[Served]
) -> dict[str, str]:
    result = led_to(environ, proxy)
    ours = [one.index for one in served]
    result["UV_INDEX"] = " ".join([*ours, *environ.get("UV_INDEX", "").split()])
    result["UV_INDEX_STRATEGY"] = "first-index"
    return result


def _refuse(job: ExecJob) -> None:
    if not job.releases:
        message = "no releases are configured"
        raise UsageError(
            message,
            hint="Name them with `--releases github+https://github.com/OWNER/REPO`, or in a "
            "`[[releases]]` table of the configuration.",
        )
    words = list(job.command)
    for number, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option == "--index-strategy":
            chosen = value if equals else "".join(words[number + 1 : number + 2])
            if chosen in _UNSAFE:
                message = f"`--index-strategy {chosen}` cannot be used with `exec`"
                raise UsageError(
                    message, hint="A public package of the same name could be taken for yours."
                )
    for path, key in configuration.proxy_keys(job.environ, job.directory, windows=os.name == "nt"):
        raise ProxyKeys(str(path), key)


def _strangers(job: ExecJob, served: Sequence[Served]) -> list[UvSelfUpdateError]:
    path = lock.find(job.directory)
    if path is None:
        return []
    known: dict[str, bool] = {}

    def ours(name: str) -> bool:
        if name not in known:
            known[name] = any(one.claim.named and one.claim.covers(name) for one in served)
        return known[name]

    registries = {one.index for one in served}
    return [
        StrangePackage(path, taken.name, taken.version, taken.registry)
        for taken in lock.strangers(path, ours=ours, registries=registries)
    ]
