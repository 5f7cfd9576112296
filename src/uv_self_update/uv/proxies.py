"""uv's own rules for proxies, which `exec` follows exactly.

uv reads the variables as reqwest does, by rules that differ from curl's and from those of this
package's own client (measured with uv 0.5.0, 0.5.31, 0.8.24, 0.11.13 and 0.13.9; the table is in
tests/test_uv_proxies.py):

- The upper-case name of a variable is read before the lower-case one. From 0.8.24 on, an upper-case
  variable that is empty, or no URL, masks the lower-case one; `NO_PROXY` always does.
- `REQUEST_METHOD` in the environment disables `HTTP_PROXY`, and from 0.8.24 on every proxy. `exec`
  removes it, so the proxy for https counts here in any case.
- A name in `NO_PROXY` matches itself and the hosts below it, with or without a dot at its start.
  `*` matches every name, but no address; an address matches itself or its network.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HTTP = ("HTTP_PROXY", "http_proxy")
_HTTPS = ("HTTPS_PROXY", "https_proxy")
_ALL = ("ALL_PROXY", "all_proxy")
_EXEMPT = ("NO_PROXY", "no_proxy")
_CGI = "REQUEST_METHOD"
_MASKING_SINCE = (0, 8, 24)

INDEXES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
"""uv's variables that hold URLs to be asked, with blanks (or commas) between them."""


@frozen
class UvProxies:
    """The proxies that uv takes from an environment."""

    http: str | None = field(default=None, repr=False)
    """The proxy's URL for http URLs; None where they are asked directly."""

    https: str | None = field(default=None, repr=False)
    exempt: tuple[str, ...] = ()
    """The entries of `NO_PROXY`: domains, addresses, networks, `*`."""

    @classmethod
    def of(cls, environ: Mapping[str, str], *, numbers: tuple[int, ...] = ()) -> UvProxies:
        """Read the variables.

        Args:
            environ: The environment.
            numbers: The numbers of uv's version; empty if it is not known, as for a new one.
        """
        masking = not numbers or numbers >= _MASKING_SINCE

        def first(names: tuple[str, str]) -> str | None:
            given = [environ[name] for name in names if name in environ]
            urls = [value if "://" in value else f"http://{value}" for value in given]
            usable = [url if _is_proxy(url) else None for url in urls]
            return next(iter(usable if masking else filter(None, usable)), None)

        every = first(_ALL)
        http = first(_HTTP) or every
        if _CGI in environ:
            http = None if masking else every
        listed = next((environ[name] for name in _EXEMPT if name in environ), "")
        exempt = tuple(filter(None, (entry.strip() for entry in listed.split(","))))
        return cls(http=http, https=first(_HTTPS) or every, exempt=exempt)

    def for_host(self, host: str) -> str | None:
        """Return the proxy that uv asks an http URL of a host through; None if it asks directly."""
        return None if self._is_exempt(host) else self.http

    def for_secure_host(self, host: str) -> str | None:
        """Return the same for an https URL."""
        return None if self._is_exempt(host) else self.https

    def _is_exempt(self, host: str) -> bool:
        return any(_matches(entry, host) for entry in self.exempt)

    def exempt_without(self, hosts: Iterable[str]) -> tuple[str, ...]:
        """Return the entries of `NO_PROXY` that cover none of the hosts."""
        known = list(hosts)
        return tuple(
            entry for entry in self.exempt if not any(_matches(entry, host) for host in known)
        )


def plain_hosts(environ: Mapping[str, str]) -> Iterable[str]:
    """Yield the hosts of the http URLs among uv's variables."""
    for name in INDEXES:
        for word in environ.get(name, "").replace(",", " ").split():
            url = word[word.find("http://") :] if "http://" in word else ""
            try:
                host = urlsplit(url).hostname
            except ValueError:
                continue
            if host:
                yield host


def environment_through(
    environ: Mapping[str, str], proxy: str, hosts: Iterable[str], *, https: bool = False
) -> dict[str, str]:
    """Return an environment in which uv asks http URLs through our proxy, and https as before.

    Args:
        environ: The user's environment.
        proxy: The URL of our proxy, with the secret of the run.
        hosts: The hosts that have to be asked through it.
        https: Whether https goes through it as well.
    """
    theirs = UvProxies.of(environ)
    result = {name: value for name, value in environ.items() if name != _CGI}
    ours = (*_HTTP, *_HTTPS) if https else _HTTP
    result.update(dict.fromkeys(ours, proxy))
    kept = theirs.exempt_without(hosts)
    if kept == theirs.exempt:
        return result
    for name in _EXEMPT:
        result.pop(name, None)
    if "*" in theirs.exempt:
        # No name was to be asked through a proxy; without the exception, these would count.
        for name in {*_HTTPS, *_ALL}.difference(ours):
            result.pop(name, None)
    elif kept:
        result.update(dict.fromkeys(_EXEMPT, ",".join(kept)))
    return result


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and not any(blank in parts.netloc for blank in " \t")
    except ValueError:
        return False


def _matches(entry: str, host: str) -> bool:
    bare = host.strip("[]").lower()
    try:
        address = ip_address(bare)
    except ValueError:
        domain = entry.lower().removeprefix(".")
        return entry == "*" or bare == domain or bare.endswith(f".{domain}")
    try:
        return address in ip_network(entry, strict=False)
    except ValueError:
        return False
