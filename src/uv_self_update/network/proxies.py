"""The proxy for a URL.

```text
environment > uv.toml > the system's settings (Windows and macOS)
```

This applies to each scheme separately. Hosts in `NO_PROXY`, or in `no-proxy` of uv, are accessed
directly, whichever setting names the proxy.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from uv_self_update.errors import ProxyRefused
from uv_self_update.messages import listed
from uv_self_update.url import Url
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from uv_self_update.uv.configuration import UvToml


_PORTS: Mapping[str, int] = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""Scheme -> the default port of a proxy, as in httpcore; curl uses 1080 for `http`."""

_ALIASES: Mapping[str, str] = {"socks": "socks5"}
"""GNOME and macOS omit the version."""

_ADDRESS = re.compile(r"(?P<host>[a-z0-9._-]+|\[(?P<address>[0-9a-f:.]+)\])(?::(?P<port>.*))?")
_PORT = re.compile(r"[0-9]{1,5}")
_LAST_PORT = 65_535

_HINT = (
    "Use `http://HOST:PORT`, or `http://USER:PASSWORD@HOST:PORT` with credentials. Percent-encode "
    "special characters in them: `@` is `%40`, `/` is `%2F`, `#` is `%23`, and `%` is `%25`."
)

_SYSTEM_FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "win32": ("getproxies_registry", "proxy_bypass_registry"),
    "darwin": ("getproxies_macosx_sysconf", "proxy_bypass_macosx_sysconf"),
}


@frozen
class Proxy:
    """A proxy, and the setting that names it."""

    url: Url
    """`SCHEME://[USER[:PASSWORD]@]HOST:PORT`, with percent-encoded credentials."""

    origin: str
    """The variable, the key and its file, or the system settings."""

    @property
    def shown(self) -> str:
        """The proxy without its credentials, for messages."""
        return f"{self.url} ({self.origin})"


@frozen
class System:
    """The proxies in the settings of the operating system, read by Python's standard library.

    Automatic configuration (PAC) is not supported.
    """

    platform: str = sys.platform

    def proxies(self) -> Mapping[str, str]:
        """Return the proxies by the scheme of the URL; none on Linux."""
        if self.platform not in _SYSTEM_FUNCTIONS:
            return {}
        import urllib.request  # noqa: PLC0415 # slow to import, rarely needed

        found: Mapping[str, str] = getattr(urllib.request, _SYSTEM_FUNCTIONS[self.platform][0])()
        return found

    def bypasses(self, host: str) -> bool:
        """Return whether the settings exclude a host; this may resolve its name."""
        if self.platform not in _SYSTEM_FUNCTIONS:
            return False
        import urllib.request  # noqa: PLC0415 # as in proxies

        try:
            return bool(getattr(urllib.request, _SYSTEM_FUNCTIONS[self.platform][1])(host))
        except (OSError, ValueError, re.error):
            # Raised for names that are invalid in DNS, and for invalid patterns in the settings.
            return False


@frozen
class _Setting:
    """A setting, not yet parsed; empty to use no proxy."""

    value: str = field(repr=False)
    origin: str


@frozen
class Proxies:
    """The proxy settings of a run."""

    named: Mapping[str, _Setting] = field(default_factory=dict)
    """Scheme of a URL -> the setting in the environment or in uv.toml."""

    exempt: tuple[str, ...] = ()
    """The entries of `NO_PROXY` and `no-proxy`, in lower case."""

    system: System = field(default_factory=System)
    """The fallback."""

    @classmethod
    def collect(
        cls, environ: Mapping[str, str], uv_toml: UvToml, system: System | None = None
    ) -> Proxies:
        """Collect the settings; they are checked when they are used."""
        written = {"http": uv_toml.http_proxy, "https": uv_toml.https_proxy}
        named = {}
        for scheme, value in written.items():
            if (variable := _variable(environ, scheme)) is not None:
                named[scheme] = _Setting(value=environ[variable].strip(), origin=variable)
            elif value is not None:
                key = f"{scheme}-proxy"
                origin = f"`{key}` in {uv_toml.origins[key]}"
                named[scheme] = _Setting(value=value.strip(), origin=origin)
        # As in curl and uv, an empty variable in lower case does not hide that in upper case.
        variables = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
        exempt = ",".join([variables, *uv_toml.no_proxy]).lower().replace(",", " ").split()
        return cls(named=named, exempt=tuple(exempt), system=system or System())

    def for_url(self, url: Url) -> Proxy | None:
        """Return the proxy for a URL; None for a direct connection.

        Raises:
            ProxyRefused: The setting is invalid.
        """
        scheme, host, port = url.origin
        host = host.rstrip(".")
        if any(_matches(entry, host, port) for entry in self.exempt):
            return None
        named = self.named.get(scheme) or self._of_system(scheme, host)
        if named is None or not named.value:
            return None
        try:
            return Proxy(url=Url.parse(_normalised(named.value)), origin=named.origin)
        except _InvalidProxyError as invalid:
            raise ProxyRefused(str(url), f"of {named.origin}", str(invalid), hint=_HINT) from None

    def _of_system(self, scheme: str, host: str) -> _Setting | None:
        if scheme not in {"http", "https"}:
            return None
        found = self.system.proxies()
        # As in browsers, a SOCKS proxy is for all schemes without a proxy of their own.
        value = (found.get(scheme) or found.get("socks") or "").strip()
        if not value or self.system.bypasses(f"[{host}]" if ":" in host else host):
            return None
        return _Setting(value=value, origin="the system settings")


class _InvalidProxyError(Exception):
    """A setting is invalid; the message does not quote it."""


def _variable(environ: Mapping[str, str], scheme: str) -> str | None:
    """Return the variable for a scheme; None without one.

    As in curl, lower case takes precedence (https://curl.se/docs/manpage.html#ENVIRONMENT). As in
    curl and uv, empty variables are ignored: containers often set all of them.
    """
    names = [f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    # CGI sets it to the header `Proxy` of a request: https://httpoxy.org.
    foreign = "HTTP_PROXY" if "REQUEST_METHOD" in environ else None
    filled = (name for name in names if environ.get(name, "").strip() and name != foreign)
    return next(filled, None)


def _normalised(value: str) -> str:
    """Return the complete URL of a proxy.

    Raises:
        _InvalidProxyError: The setting is invalid.
    """
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "http", value
    scheme = _ALIASES.get(scheme.lower(), scheme.lower())
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    userinfo, _, address = authority.rpartition("@")
    found = _ADDRESS.fullmatch(address.lower())
    reason = None
    if any(char.isspace() or not char.isprintable() for char in value):
        reason = "it contains a space or a control character"
    elif scheme in {"socks4", "socks4a"}:
        reason = f"`{scheme}` is not supported; `socks5` and `socks5h` are"
    elif scheme not in _PORTS:
        reason = f"expected the scheme {listed(_PORTS)}"
    elif "@" in rest[len(authority) :]:
        # Otherwise, a part of the password would be parsed as the port, or the user as the host.
        reason = "its credentials contain an unencoded `/`, `?` or `#`"
    elif found is None or not _is_host(found):
        reason = "expected a host, with an IPv6 address in brackets"
    elif found["port"] is not None and not _is_port(found["port"]):
        reason = f"expected a port from 1 to {_LAST_PORT}"
    else:
        port = int(found["port"] or _PORTS[scheme])
        return f"{scheme}://{_encoded(userinfo)}{found['host']}:{port}"
    raise _InvalidProxyError(reason)


def _encoded(userinfo: str) -> str:
    """Return the credentials of a URL (RFC 3986 section 3.2.1), encoded exactly once."""
    encoded = (quote(unquote_to_bytes(part), safe="") for part in userinfo.partition(":")[::2])
    credentials = ":".join(encoded).removesuffix(":")
    return f"{credentials}@" if credentials else ""


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and 1 <= int(text) <= _LAST_PORT


def _is_host(found: re.Match[str]) -> bool:
    return found["address"] is None or _address(found["address"]) is not None


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry of `NO_PROXY` matches a host.

    With or without a leading dot, a domain matches itself and its subdomains
    (https://curl.se/libcurl/c/CURLOPT_NOPROXY.html). A leading asterisk, ports and `<local>` are
    extensions of browsers and Windows.

    Args:
        entry: In lower case.
        host: In lower case; an IPv6 address without brackets.
        port: The port of the URL.
    """
    if entry == "*":
        return True
    if entry == "<local>":
        return not {".", ":"} & {*host}
    name, wanted = _name_and_port(entry)
    if wanted and wanted != str(port):
        return False
    address = _address(host)
    if address is not None:
        network = _network(name)
        return network is not None and address in network
    domain = name.removeprefix("*").strip(".")
    return f".{host}".endswith(f".{domain}")


def _name_and_port(entry: str) -> tuple[str, str]:
    """Split an entry; the port is empty without one."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""  # an IPv6 address or network


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if ":" not in text and not text[-1:].isdigit():
        return None  # most hosts, without the import
    from ipaddress import ip_address  # noqa: PLC0415 # few hosts are addresses

    try:
        return ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> IPv4Network | IPv6Network | None:
    from ipaddress import ip_network  # noqa: PLC0415 # as in _address

    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None
