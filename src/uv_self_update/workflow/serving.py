"""The package index of the configured releases, for as long as something needs it."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from uv_self_update.errors import (
    NotConfigured,
    ProxyKeys,
    ProxyUnusable,
    SameIndex,
    StrangePackage,
)
from uv_self_update.gateway.package_index import PackageIndex, Served
from uv_self_update.gateway.proxy import Proxy, listen
from uv_self_update.network.forward import unusable
from uv_self_update.network.progress import SILENT, Progress
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.packages.computed import ComputedDigests
from uv_self_update.sources.packages.registry import build
from uv_self_update.uv import configuration, lock
from uv_self_update.uv.proxies import UvProxies, plain_hosts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.config.settings import Settings


@dataclass(frozen=True, kw_only=True)
class PackagesJob:
    """Where packages come from, and for whom."""

    settings: Settings
    releases: Sequence[ReleasesSettings]
    uv: Path
    """The uv whose credential store is asked."""

    directory: Path
    """The current one."""

    environ: Mapping[str, str] = field(repr=False)
    progress: Progress = SILENT
    """Is told of each download."""


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A running index."""

    served: Sequence[Served]
    index: PackageIndex
    digests: ComputedDigests
    proxy: str = field(repr=False)
    """The URL of the proxy, with the secret of the run."""

    warm: Callable[[], None]
    """Begins to make ready for requests, which takes longer than uv takes to send the first."""

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

    def strangers(self, locks: Iterable[Path], *, more: Sequence[str] = ()) -> list[StrangePackage]:
        """Return what lock files take from elsewhere: names that are claimed, or known to be ours.

        Args:
            locks: The lock files.
            more: Other registries that may be taken from.
        """
        held = {file.project for one in self.served for file in one.repository.known() or ()}

        def ours(name: str) -> bool:
            return any(
                one.claim.covers(name) and (one.claim.named or name in held) for one in self.served
            )

        registries = [*(one.index for one in self.served), *more]
        return [
            StrangePackage(path, taken.name, taken.version, taken.registry)
            for path in locks
            for taken in lock.strangers(path, ours=ours, registries=registries)
        ]


@contextmanager
def serving(job: PackagesJob) -> Iterator[Serving]:
    """Serve the packages of the configured releases.

    Raises:
        NotConfigured: No releases are configured.
        SameIndex: Two of them would have one index.
        GatewayError: There is no loopback, or it is forbidden.
    """
    if not job.releases:
        raise NotConfigured
    sources = OpenSources(job.settings, uv=job.uv, environ=job.environ, progress=job.progress)
    with closing(sources):
        served = [
            Served(
                repository=build(releases, sources.deferred(releases.source)),
                claim=releases.claim,
            )
            for releases in job.releases
        ]
        _refuse_same(served)
        cache = user_cache_path("uv-self-update", appauthor=False) / "digests"
        digests = ComputedDigests(directory=cache)
        index = PackageIndex(served, digests)
        address = listen()
        proxies = UvProxies.of(job.environ)
        proxy = Proxy(address, own=index.owns, answer=index.answer, proxy_for=proxies.for_host)
        with closing(proxy):
            yield Serving(
                served=served,
                index=index,
                digests=digests,
                proxy=address.url,
                warm=sources.warm,
            )


def refuse_unreachable(job: PackagesJob, directory: Path) -> None:
    """Refuse set-ups in which uv would not ask our proxy, or the proxy not the user's index.

    Args:
        job: For whom packages are served.
        directory: Where uv looks for a project.

    Raises:
        ProxyKeys: uv takes its proxies from a file.
        ProxyUnusable: An index of the user's is behind a proxy that cannot be used.
    """
    for path, key in configuration.proxy_keys(job.environ, directory, windows=os.name == "nt"):
        raise ProxyKeys(str(path), key)
    proxies = UvProxies.of(job.environ)
    for host in plain_hosts(job.environ):
        proxy = proxies.for_host(host)
        if proxy is not None and (reason := unusable(proxy)):
            raise ProxyUnusable(host, reason)


def _refuse_same(served: Sequence[Served]) -> None:
    """Refuse two repositories with one index: the second would never be asked.

    Raises:
        SameIndex: There are two.
    """
    for number, one in enumerate(served):
        for other in served[:number]:
            if one.index == other.index:
                raise SameIndex(one.index, [other.repository.name, one.repository.name])
