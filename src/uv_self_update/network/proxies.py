"""Which proxy a URL is asked through, and which are asked directly.

```text
environment > uv.toml > the system's settings (Windows and macOS)
```

Decided for each scheme of its own. What `NO_PROXY` or uv's `no-proxy` name is asked directly,
wherever the proxy comes from.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes

from uv_self_update.auth.credentials import origin_of
from uv_self_update.errors import ProxyRefused
from uv_self_update.messages import listed
from uv_self_update.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from uv_self_update.uv.configuration import UvToml


_PORTS: Mapping[str, int] = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
"""Scheme -> the port of a proxy that names none, as httpcore has it; curl takes 1080 for `http`."""

_ALIASES: Mapping[str, str] = {"socks": "socks5"}
"""GNOME and macOS leave the version out."""

_PLACE = re.compile(r"(?P<host>[a-z0-9._-]+|\[(?P<address>[0-9a-f:.]+)\])(?::(?P<port>.*))?")
_PORT = re.compile(r"[0-9]{1,5}")
_LAST_PORT = 65_535

_HINT = (
    "Write it as `http://HOST:PORT`, with a login as `http://USER:PASSWORD@HOST:PORT`. In a login, "
    "signs such as `@`, `/`, `#` and `%` are percent-encoded: `%40`, `%2F`, `%23`, `%25`."
)

_SYSTEM_FUNCTIONS: Mapping[str, tuple[str, str]] = {
    "win32": ("getproxies_registry", "proxy_bypass_registry"),
    "darwin": ("getproxies_macosx_sysconf", "proxy_bypass_macosx_sysconf"),
}


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """A proxy, and who named it."""

    url: str = field(repr=False)
    """`SCHEME://[USER[:PASSWORD]@]HOST:PORT`, the login percent-encoded."""

    origin: str
    """The variable, the key and its file, or the system's settings."""

    @property
    def shown(self) -> str:
        """The proxy as a message may name it, without its login."""
        return f"{redact_url(self.url)} ({self.origin})"


@dataclass(frozen=True, kw_only=True)
class System:
    """The proxies in the settings of the operating system, as Python's standard library reads them.

    A script for automatic configuration (PAC) is not among them.
    """

    platform: str = sys.platform

    def proxies(self) -> Mapping[str, str]:
        """Return the proxies by the scheme of the URLs that they are for; none on Linux."""
        if self.platform not in _SYSTEM_FUNCTIONS:
            return {}
        import urllib.request  # noqa: PLC0415 # slow, and of no use where another is configured

        found: Mapping[str, str] = getattr(urllib.request, _SYSTEM_FUNCTIONS[self.platform][0])()
        return found

    def bypasses(self, host: str) -> bool:
        """Return whether the settings except a host; to know its address, they ask DNS."""
        if self.platform not in _SYSTEM_FUNCTIONS:
            return False
        import urllib.request  # noqa: PLC0415 # as in proxies

        try:
            return bool(getattr(urllib.request, _SYSTEM_FUNCTIONS[self.platform][1])(host))
        except (OSError, ValueError, re.error):
            # It does not catch names that DNS cannot spell, nor exceptions that are no patterns.
            return False


@dataclass(frozen=True, kw_only=True)
class _Named:
    """A proxy as somebody wrote it; empty if there is to be none."""

    value: str = field(repr=False)
    origin: str


@dataclass(frozen=True, kw_only=True)
class Proxies:
    """All that is known of proxies."""

    named: Mapping[str, _Named] = field(default_factory=dict)
    """Scheme of a URL -> what the environment or uv.toml say of it."""

    exempt: tuple[str, ...] = ()
    """The entries of `NO_PROXY` and `no-proxy`, in lower case."""

    system: System = field(default_factory=System)
    """Asked for what the others say nothing of, and when it is needed only."""

    @classmethod
    def collect(
        cls, environ: Mapping[str, str], uv_toml: UvToml, system: System | None = None
    ) -> Proxies:
        """Gather what is configured; nothing is checked before it is needed."""
        written = {"http": uv_toml.http_proxy, "https": uv_toml.https_proxy}
        named = {}
        for scheme, value in written.items():
            if (variable := _variable(environ, scheme)) is not None:
                named[scheme] = _Named(value=environ[variable].strip(), origin=variable)
            elif value is not None:
                key = f"{scheme}-proxy"
                origin = f"`{key}` in {uv_toml.origins[key]}"
                named[scheme] = _Named(value=value.strip(), origin=origin)
        # curl goes on to the upper case where the lower case is empty, and so does uv.
        variables = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
        exempt = ",".join([variables, *uv_toml.no_proxy]).lower().replace(",", " ").split()
        return cls(named=named, exempt=tuple(exempt), system=system or System())

    def for_url(self, url: str) -> Proxy | None:
        """Return the proxy to ask a URL through; None if it is asked directly, or is not of HTTP.

        Raises:
            ProxyRefused: There should be one, but what is configured is none that can be used.
        """
        try:
            scheme, host, port = origin_of(url)
        except ValueError:
            return None  # it cannot be asked for at all, which whoever asks will find out
        host = host.rstrip(".")
        if any(_matches(entry, host, port) for entry in self.exempt):
            return None
        named = self.named.get(scheme) or self._of_system(scheme, host)
        if named is None or not named.value:
            return None
        try:
            return Proxy(url=_normalised(named.value), origin=named.origin)
        except _UnusableError as unusable:
            raise ProxyRefused(
                redact_url(url), f"of {named.origin}", str(unusable), hint=_HINT
            ) from None

    def _of_system(self, scheme: str, host: str) -> _Named | None:
        if scheme not in {"http", "https"}:
            return None
        found = self.system.proxies()
        # Browsers ask a SOCKS proxy for everything that no other is named for.
        value = (found.get(scheme) or found.get("socks") or "").strip()
        if not value or self.system.bypasses(f"[{host}]" if ":" in host else host):
            return None
        return _Named(value=value, origin="the system's settings")


class _UnusableError(Exception):
    """What was written is no proxy; the message says why, and repeats nothing of it."""


def _variable(environ: Mapping[str, str], scheme: str) -> str | None:
    """Return the variable that decides for a scheme.

    The lower case comes first, as in curl: https://curl.se/docs/manpage.html#ENVIRONMENT. An empty
    one says nothing, in curl as in uv: containers often set them all.
    """
    names = [f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY"]
    # A web server hands on a request's header `Proxy` under this name: https://httpoxy.org.
    foreign = "HTTP_PROXY" if "REQUEST_METHOD" in environ else None
    filled = (name for name in names if environ.get(name, "").strip() and name != foreign)
    return next(filled, None)


def _normalised(value: str) -> str:
    """Return the URL of a proxy in full.

    Raises:
        _UnusableError: It is none.
    """
    scheme, separator, rest = value.partition("://")
    if not separator:
        scheme, rest = "http", value
    scheme = _ALIASES.get(scheme.lower(), scheme.lower())
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    login, _, place = authority.rpartition("@")
    found = _PLACE.fullmatch(place.lower())
    reason = None
    if any(sign.isspace() or not sign.isprintable() for sign in value):
        reason = "it holds a space or a control character"
    elif scheme in {"socks4", "socks4a"}:
        reason = f"`{scheme}` is not supported; `socks5` and `socks5h` are"
    elif scheme not in _PORTS:
        reason = f"its scheme should be {listed(_PORTS)}"
    elif "@" in rest[len(authority) :]:
        # Else the first part of a password would be taken for a port, or the user for a host.
        reason = "its login holds `/`, `?` or `#` as it is"
    elif found is None or not _is_host(found):
        reason = "it should name a host; an IPv6 address stands in brackets"
    elif found["port"] is not None and not _is_port(found["port"]):
        reason = f"its port should be a number from 1 to {_LAST_PORT}"
    else:
        port = int(found["port"] or _PORTS[scheme])
        return f"{scheme}://{_login(login)}{found['host']}:{port}"
    raise _UnusableError(reason)


def _login(userinfo: str) -> str:
    """Return a login as it stands in a URL (RFC 3986 section 3.2.1), encoded exactly once."""
    encoded = (quote(unquote_to_bytes(part), safe="") for part in userinfo.partition(":")[::2])
    login = ":".join(encoded).removesuffix(":")
    return f"{login}@" if login else ""


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and 1 <= int(text) <= _LAST_PORT


def _is_host(found: re.Match[str]) -> bool:
    return found["address"] is None or _address(found["address"]) is not None


def _matches(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry of `NO_PROXY` names a host.

    With a dot before it or not, a domain stands for itself and for all below it:
    https://curl.se/libcurl/c/CURLOPT_NOPROXY.html. The asterisk before it, ports, and `<local>` are
    what browsers and Windows understand beyond that.

    Args:
        entry: In lower case.
        host: In lower case; an IPv6 address without brackets.
        port: The port that is asked.
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
    """Take an entry apart; the port is empty if there is none."""
    if entry.startswith("["):
        name, _, rest = entry[1:].partition("]")
        return name, rest.removeprefix(":")
    if entry.count(":") == 1:
        name, _, port = entry.partition(":")
        return name, port
    return entry, ""  # more colons make an IPv6 address, or a network of such


def _address(text: str) -> IPv4Address | IPv6Address | None:
    if ":" not in text and not text[-1:].isdigit():
        return None  # as nearly all hosts, without an import
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
