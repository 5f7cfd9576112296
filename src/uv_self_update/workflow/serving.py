"""The package index of the configured releases, for as long as something needs it."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from uv_self_update.errors import (
    NotConfigured,
    ProxyKeys,
    ProxyUnusable,
    SameIndex,
    StrangePackage,
)
from uv_self_update.gateway.address import listen
from uv_self_update.gateway.package_index import PackageIndex, Served
from uv_self_update.home import cache_directory
from uv_self_update.network.forward_proxies import unusable
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.packages.computed import ComputedDigests
from uv_self_update.sources.packages.interface import build
from uv_self_update.uv import lock, workspace
from uv_self_update.uv.proxies import UvProxies, plain_hosts
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.gateway.tunnels import Tunnels
    from uv_self_update.network.client import Upstream
    from uv_self_update.workflow.packages_job import PackagesJob


@frozen
class Serving:
    """A running index."""

    served: Sequence[Served]
    index: PackageIndex
    digests: ComputedDigests
    proxy: str = field(repr=False)
    """The URL of the proxy, with the secret of the run."""

    start: Callable[[], None]
    """Begins to answer requests; they queue up before. Has to be called once, unless `started`."""

    sources: OpenSources = field(repr=False)
    """What makes the clients of the repositories."""

    @property
    def hosts(self) -> list[str]:
        """The hosts of the indexes."""
        return [one.host for one in self.served]

    def variables(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return an environment in which uv knows the indexes, and asks them first."""
        ours = [one.index for one in self.served]
        return {
            **environ,
            "UV_INDEX": " ".join([*ours, *environ.get("UV_INDEX", "").split()]),
            "UV_INDEX_STRATEGY": "first-index",
        }

    def strangers(self, locks: Iterable[Path]) -> list[StrangePackage]:
        """Return what lock files take from elsewhere, though it is claimed or known to be ours."""
        held = {file.project for one in self.served for file in one.repository.known() or ()}

        def ours(name: str) -> bool:
            return any(
                one.claim.covers(name) and (one.claim.named or name in held) for one in self.served
            )

        registries = [one.index for one in self.served]
        return [
            StrangePackage(path, taken.name, taken.version, taken.registry)
            for path in locks
            for taken in lock.strangers(path, ours=ours, registries=registries)
        ]


@contextmanager
def serving(
    job: PackagesJob,
    *,
    proxies: UvProxies | None = None,
    tunnels: Callable[[PackageIndex, Callable[[SourceSettings], Upstream]], Tunnels] | None = None,
    started: bool = True,
) -> Iterator[Serving]:
    """Serve the packages of the configured releases.

    Args:
        job: Where packages come from.
        proxies: The user's proxies, by the rules of the uv that is run; by those of a new one
            if None.
        tunnels: Makes what serves https, given the index and what makes clients; None to leave
            https alone.
        started: Whether requests are answered at once, not from `Serving.start` on.

    Raises:
        NotConfigured: No releases are configured.
        SameIndex: Two of them would have one index.
        GatewayError: There is no loopback, or it is forbidden.
    """
    if not job.releases:
        raise NotConfigured
    sources = OpenSources(job.settings, uv=job.uv, environ=job.environ, progress=job.progress)
    with closing(sources):
        served = _served(job, sources)
        cache = cache_directory(job.environ)
        digests = ComputedDigests(directory=None if cache is None else cache / "digests")
        index = PackageIndex(served, digests)
        secure = None if tunnels is None else tunnels(index, sources.deferred)
        address = listen()
        with ExitStack() as stack:
            stack.callback(address.close)

            def start() -> None:
                # Slow to import, so uv is started first.
                from uv_self_update.gateway.proxy import Proxy  # noqa: PLC0415

                proxy = Proxy(
                    address,
                    own=index.owns,
                    answer=index.answer,
                    proxy_for=(proxies or UvProxies.of(job.environ)).for_host,
                    tunnels=secure,
                )
                stack.callback(proxy.close)

            if started:
                start()
            yield Serving(
                served=served,
                index=index,
                digests=digests,
                proxy=address.proxy,
                start=start,
                sources=sources,
            )


def refuse_unreachable(job: PackagesJob, directory: Path, proxies: UvProxies | None = None) -> None:
    """Refuse set-ups in which uv would not ask our proxy, or the proxy not the user's index.

    Args:
        job: For whom packages are served.
        directory: Where uv looks for a project.
        proxies: The user's proxies, by the rules of the uv that is run; by those of a new one
            if None.

    Raises:
        ProxyKeys: uv takes its proxies from a file.
        ProxyUnusable: An index of the user's is behind a proxy that cannot be used.
    """
    for path, key in workspace.proxy_keys(job.environ, directory, windows=os.name == "nt"):
        raise ProxyKeys(str(path), key)
    known = proxies or UvProxies.of(job.environ)
    for host in plain_hosts(job.environ):
        proxy = known.for_host(host)
        if proxy is not None and (reason := unusable(proxy)):
            raise ProxyUnusable(host, reason)


def _served(job: PackagesJob, sources: OpenSources) -> list[Served]:
    """Return the repositories; of two with one index, the second would never be asked.

    Raises:
        SameIndex: There are two.
    """
    found: list[Served] = []
    for releases in job.releases:
        repository = build(releases, sources.deferred(releases.source))
        one = Served(repository=repository, claim=releases.claim)
        if same := next((other for other in found if other.index == one.index), None):
            raise SameIndex(one.index, [same.repository.name, repository.name])
        found.append(one)
    return found
