"""How servers are reached in one run: proxies, authorities, and the first connection."""

from __future__ import annotations

import os
from functools import cached_property, partial
from typing import TYPE_CHECKING

from uv_self_update.errors import UvSelfUpdateError
from uv_self_update.network.preconnect import Preconnection
from uv_self_update.network.proxies import Proxies
from uv_self_update.uv import configuration as uv_toml

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from uv_self_update.config.settings import Network
    from uv_self_update.network.tls import Trust
    from uv_self_update.url import Url
    from uv_self_update.uv.configuration import UvToml


class Access:
    """The proxies and the authorities of a run, each read once, and shared by all sources."""

    def __init__(self, network: Network, environ: Mapping[str, str]) -> None:
        self.network = network
        self._environ = environ
        self.preconnection: Preconnection | None = None
        """The connection of `preconnect`; None without one."""

    @cached_property
    def proxies(self) -> Proxies:
        """The proxy of each URL."""
        return Proxies.collect(self._environ, self._uv_toml)

    @cached_property
    def trust(self) -> Trust:
        """The TLS contexts."""
        # It imports `ssl`, which a directory and an index do without.
        from uv_self_update.network.tls import Trust  # noqa: PLC0415

        insecure = self._uv_toml.insecure_hosts
        return Trust(self.network, environ=self._environ, insecure=insecure)

    @cached_property
    def _uv_toml(self) -> UvToml:
        return uv_toml.read(self._environ, windows=os.name == "nt")

    def preconnect(self, url: Url) -> None:
        """Begin the connection for the first request, to a URL that the user has configured.

        Nothing is raised or reported: the request itself does that.
        """
        scheme, host, port = url.origin
        try:
            proxy = self.proxies.for_url(url)
            tls: Callable[[], Callable[[], ssl.SSLContext]] | None = None
            if proxy is not None:
                # TLS with the server is within a tunnel then, and TLS with a proxy around that.
                if proxy.url.scheme == "https":
                    return
                _, host, port = proxy.url.origin
            elif scheme == "https":
                tls = partial(self._context_of, url)
        except UvSelfUpdateError:
            return
        if host and host.isascii() and port is not None:
            timeout = self.network.connect_timeout
            self.preconnection = Preconnection(host, port, timeout=timeout, tls=tls)

    def _context_of(self, url: Url) -> Callable[[], ssl.SSLContext]:
        # `trust` only now: its module is imported while the connection is being made.
        return partial(self.trust.context_for, url, identified=True)

    def close(self) -> None:
        """Close a connection that was not used."""
        if self.preconnection is not None:
            self.preconnection.close()
