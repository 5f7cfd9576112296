"""Direct URLs (`name = { url = "https://github.com/…" }`): how they are served.

They are https, so uv has to take this run's certificate for that of the repository's host. That is
done only where `exec` finds such a URL; no other run imports this.
"""

from __future__ import annotations

import importlib.util
import os
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from uv_self_update.errors import DirectUrlsNotServed
from uv_self_update.gateway.direct_urls import DirectUrls
from uv_self_update.gateway.package_index import Served
from uv_self_update.gateway.tunnels import SecureHost, Tunnels
from uv_self_update.network import roots
from uv_self_update.network.forward_proxies import unusable
from uv_self_update.network.tls import Trust
from uv_self_update.releases.release_urls import OF_KIND
from uv_self_update.sources.packages.interface import build
from uv_self_update.temporary import private_directory
from uv_self_update.url import Url
from uv_self_update.uv import configuration
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.config.releases import ReleasesSettings
    from uv_self_update.gateway.package_index import PackageIndex
    from uv_self_update.network.client import Upstream
    from uv_self_update.url import Origin
    from uv_self_update.uv.proxies import UvProxies
    from uv_self_update.uv.trust import UvTrust
    from uv_self_update.workflow.packages_job import PackagesJob

_EXTRA = "cryptography"
"""The package that makes certificates."""


def obstacle(trust: UvTrust, proxies: UvProxies) -> DirectUrlsNotServed | None:
    """Return why direct URLs cannot be served; None if they can.

    Args:
        trust: What uv trusts.
        proxies: The user's proxies.
    """
    if importlib.util.find_spec(_EXTRA) is None:
        return DirectUrlsNotServed(f"`{_EXTRA}` is not installed", extra=True)
    if proxies.https is not None and (reason := unusable(proxies.https, "https")):
        return DirectUrlsNotServed(reason)
    if trust.system and not roots.SYSTEM_READABLE:
        reason = "uv is told to trust the authorities of macOS, which cannot be listed"
        return DirectUrlsNotServed(reason)
    return None


class DirectServing:
    """What serves direct URLs for the length of one command.

    Args:
        job: Where packages come from.
        releases: The repositories whose files are named by their URLs, over https.
        trust: What uv trusts beside this run's authority.
        proxies: The user's proxies.
        insecure: Hosts that uv is told not to verify.
    """

    def __init__(
        self,
        job: PackagesJob,
        releases: Sequence[ReleasesSettings],
        trust: UvTrust,
        proxies: UvProxies,
        insecure: Sequence[str],
    ) -> None:
        # Slow to import, and an extra.
        from uv_self_update.gateway.authority import Authority  # noqa: PLC0415

        self._job = job
        # What is named by its URL is wanted, whatever it is.
        self._releases = [replace(one, prereleases=True) for one in releases]
        self._trust = trust
        self._proxies = proxies
        self._insecure = insecure
        self._authority = Authority(self.hosts)

    @property
    def hosts(self) -> list[str]:
        """The hosts whose TLS ends here, without ports."""
        return [_origin(one)[1] for one in self._releases]

    @property
    def authorities(self) -> bytes:
        """The authorities that uv has to trust: this run's, and those that it trusts by itself."""
        if self._trust.named:
            known = roots.of_paths(self._trust.named)
        else:
            known = roots.of_system() if self._trust.system else roots.of_mozilla()
        return self._authority.certificate + known

    def tunnels(
        self, index: PackageIndex, upstream: Callable[[SourceSettings], Upstream]
    ) -> Tunnels:
        """Return what serves https."""
        environ = self._job.environ
        configured = configuration.read(environ, windows=os.name == "nt").insecure_hosts
        insecure = [*configured, *self._insecure]
        trust = Trust(self._job.settings.network, environ=environ, insecure=insecure)
        served = []
        hosts = {}
        for releases in self._releases:
            repository = build(releases, upstream(releases.source))
            one = Served(repository=repository, claim=releases.claim)
            url = Url.parse(f"https://{repository.host}/")
            served.append((one, OF_KIND[releases.source.kind]))
            _, name, port = _origin(releases)
            shown = f"[{name}]" if ":" in name else name
            hosts[f"{shown}:{port}"] = SecureHost(
                netloc=repository.host,
                server=self._authority.contexts[name],
                client=partial(trust.context_for, url, identified=True),
            )
        direct = DirectUrls(served, index)
        return Tunnels(hosts, direct, proxy_for=self._proxies.for_secure_host)


@contextmanager
def trusting(environ: Mapping[str, str], authorities: bytes) -> Iterator[dict[str, str]]:
    """Yield an environment in which uv trusts authorities, from a file that is removed in the end.

    Raises:
        OSError: There is no place for temporary files.
    """
    with private_directory() as place:
        file = place / "authorities.pem"
        file.touch(mode=0o600)
        file.write_bytes(authorities)
        yield {**environ, "SSL_CERT_FILE": str(file)}


def _origin(releases: ReleasesSettings) -> Origin:
    url = releases.source.url
    return ("", "", None) if url is None else url.origin
