"""uv's own rules for proxies, which `exec` follows exactly.

uv reads the variables as reqwest does: an upper-case name beats the lower-case one, and from uv
0.8.24 an empty upper-case variable masks the lower-case one. `REQUEST_METHOD` in the environment
disables every proxy for http URLs. (Measured with uv 0.5.31 to 0.13.9; they differ from curl's
rules and from those of this package's own client.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

INVALID = ".invalid"
"""The top-level domain that no name server knows (RFC 6761 section 6.4)."""

_HTTP = ("HTTP_PROXY", "http_proxy")
_HTTPS = ("HTTPS_PROXY", "https_proxy")
_ALL = ("ALL_PROXY", "all_proxy")
_NONE = ("NO_PROXY", "no_proxy")


@dataclass(frozen=True, kw_only=True)
class UvProxies:
    """The proxies that uv takes from an environment, for plain http."""

    http: str | None = field(default=None, repr=False)
    """The proxy's URL; None where http URLs are asked directly."""

    exempt: tuple[str, ...] = ()
    """The entries of `NO_PROXY`: domains, addresses, networks, `*`."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> UvProxies:
        """Read the variables."""
        http = None
        if "REQUEST_METHOD" not in environ:
            http = _first(environ, _HTTP) or _first(environ, _ALL)
        exempt = (_first(environ, _NONE) or "").split(",")
        return cls(http=http, exempt=tuple(filter(None, (entry.strip() for entry in exempt))))

    def for_host(self, host: str) -> str | None:
        """Return the proxy that uv asks an http URL of a host through; None if it asks directly."""
        if self.http is None or any(_matches(entry, host) for entry in self.exempt):
            return None
        return self.http


def _first(environ: Mapping[str, str], names: tuple[str, str]) -> str | None:
    upper, lower = names
    value = environ[upper] if upper in environ else environ.get(lower)
    return value or None


def _matches(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    bare = host.strip("[]").rstrip(".").lower()
    try:
        address = ip_address(bare)
    except ValueError:
        domain = entry.lower().strip(".")
        return bare == domain or bare.endswith(f".{domain}")
    try:
        return address in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False


def led_to(environ: Mapping[str, str], proxy: str) -> dict[str, str]:
    """Return an environment in which uv asks http URLs through our proxy, and https as before.

    Args:
        environ: The user's environment.
        proxy: The URL of our proxy, with the secret of the run.
    """
    result = {name: value for name, value in environ.items() if name != "REQUEST_METHOD"}
    result.update(dict.fromkeys(_HTTP, proxy))
    exempt = [entry.strip() for entry in (_first(environ, _NONE) or "").split(",")]
    if "*" in exempt:
        # Nothing was to go through a proxy; without the exception, these variables would count.
        for name in (*_NONE, *_HTTPS, *_ALL):
            result.pop(name, None)
    elif kept := [entry for entry in exempt if entry and not _matches(entry, f"x{INVALID}")]:
        result.update(dict.fromkeys(_NONE, ",".join(kept)))
    else:
        for name in _NONE:
            result.pop(name, None)
    return result
