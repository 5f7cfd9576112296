"""Which proxy a URL is asked through."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import unquote

import httpcore
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.web import Page
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import ProxyRefused
from uv_self_update.network.client import Upstream
from uv_self_update.network.proxies import Proxies, Proxy, System
from uv_self_update.url import Url
from uv_self_update.uv.configuration import UvToml
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from support.web import Web

PROXY = "http://proxy.example:3128"
OTHER = "http://other.example:3128"
SECRET = "s3cretpassw0rd"  # noqa: S105 # planted, to be looked for
FILE = "/home/u/.config/uv/uv.toml"


@frozen
class Settings(System):
    """The settings of an operating system that nobody has."""

    platform: str = "none"
    found: dict[str, str] = field(default_factory=dict)
    excepted: tuple[str, ...] = ()

    def proxies(self) -> dict[str, str]:
        """Return what was given."""
        return self.found

    def bypasses(self, host: str) -> bool:
        """Return whether the host is one of those that were given."""
        return host in self.excepted


def toml(
    http: str | None = None, https: str | None = None, no_proxy: tuple[str, ...] = ()
) -> UvToml:
    """Return a configuration of uv, as if read from FILE."""
    return UvToml(
        http_proxy=http,
        https_proxy=https,
        no_proxy=no_proxy,
        origins=dict.fromkeys(("http-proxy", "https-proxy", "no-proxy"), FILE),
    )


def way(
    environ: dict[str, str],
    url: str = "https://host.example/a",
    *,
    uv: UvToml | None = None,
    system: System | None = None,
) -> str | None:
    """Return the proxy of a URL and its origin, as they are shown."""
    found = Proxies.collect(environ, uv or UvToml(), system or Settings()).for_url(Url.parse(url))
    return None if found is None else found.shown


def url_of(value: str) -> str | None:
    """Return the URL of a proxy that was written in some way."""
    proxy = Proxies.collect({"https_proxy": value}, UvToml(), Settings()).for_url(
        Url.parse("https://h/")
    )
    return None if proxy is None else proxy.url.text


def test_nothing_configured() -> None:
    """Without any proxy all is asked directly."""
    assert way({}) is None
    assert way({"NO_PROXY": "a"}) is None
    assert Proxies().for_url(Url.parse("https://host.example/")) is None


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ("https_proxy HTTPS_PROXY all_proxy ALL_PROXY", "https_proxy"),
        ("HTTPS_PROXY all_proxy ALL_PROXY", "HTTPS_PROXY"),
        ("all_proxy ALL_PROXY http_proxy", "all_proxy"),
        ("ALL_PROXY", "ALL_PROXY"),
        ("http_proxy HTTP_PROXY Https_Proxy", None),
    ],
)
def test_variables(names: str, chosen: str | None) -> None:
    """The variable of the scheme comes before that of all, and the lower case before the upper."""
    environ = dict.fromkeys(names.split(), OTHER)
    if chosen is None:
        assert way(environ) is None
    else:
        assert way({**environ, chosen: PROXY}) == f"{PROXY} ({chosen})"


def test_each_scheme_has_its_own() -> None:
    """What is said of one scheme does not hold for the other, and nothing for a file."""
    environ = {"http_proxy": PROXY, "HTTPS_PROXY": OTHER, "ALL_PROXY": OTHER}
    assert way(environ, "http://h/") == f"{PROXY} (http_proxy)"
    assert way(environ, "https://h/") == f"{OTHER} (HTTPS_PROXY)"
    assert way(environ, "file:///h") is None
    assert way({}, "file:///h", system=Settings(found={"socks": PROXY})) is None


@pytest.mark.parametrize("empty", ["", " "])
def test_empty_variable(empty: str) -> None:
    """An empty variable says nothing; an empty key of uv.toml says that there is no proxy."""
    more = {"HTTPS_PROXY": PROXY, "ALL_PROXY": OTHER}
    uv, system = toml(https=PROXY), Settings(found={"https": PROXY})
    assert way({**more, "https_proxy": empty}) == f"{PROXY} (HTTPS_PROXY)"
    assert way({"all_proxy": empty, "ALL_PROXY": PROXY}) == f"{PROXY} (ALL_PROXY)"
    assert way({"https_proxy": empty}, uv=uv) == way({}, uv=uv)
    assert way({}, uv=toml(https=empty), system=system) is None


def test_order() -> None:
    """The environment comes before uv.toml, and that before the system's settings."""
    system = Settings(found={"http": "http://s:1", "https": "http://s:2"})
    uv = toml(http="http://u:1", https="http://u:2")
    environ = {"ALL_PROXY": "http://e:3"}
    assert way(environ, uv=uv, system=system) == "http://e:3 (ALL_PROXY)"
    assert way({}, uv=uv, system=system) == f"http://u:2 (`https-proxy` in {FILE})"
    assert way({}, "http://h/", uv=uv, system=system) == f"http://u:1 (`http-proxy` in {FILE})"
    assert way({}, system=system) == "http://s:2 (the system settings)"
    assert way({}, "http://h/", system=system) == "http://s:1 (the system settings)"
    assert way({"http_proxy": ""}, uv=toml(http=PROXY), system=system) == (
        "http://s:2 (the system settings)"
    )


def test_header_of_a_request() -> None:
    """In a program that a web server runs, HTTP_PROXY may come from whoever asks it."""
    environ = {"HTTP_PROXY": OTHER, "HTTPS_PROXY": PROXY, "REQUEST_METHOD": "GET"}
    assert way(environ, "http://h/") is None
    assert way(environ) == f"{PROXY} (HTTPS_PROXY)"
    assert way({**environ, "http_proxy": PROXY}, "http://h/") == f"{PROXY} (http_proxy)"
    assert way({"HTTP_PROXY": PROXY}, "http://h/") == f"{PROXY} (HTTP_PROXY)"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("proxy", "http://proxy:80"),
        ("proxy:3128", "http://proxy:3128"),
        (" http://Proxy.EXAMPLE:3128/ ", "http://proxy.example:3128"),
        ("HTTP://proxy", "http://proxy:80"),
        ("https://proxy", "https://proxy:443"),
        ("socks5://proxy", "socks5://proxy:1080"),
        ("socks5h://proxy", "socks5h://proxy:1080"),
        ("socks://proxy:9050/", "socks5://proxy:9050"),
        ("http://proxy:3128/path?query#fragment", "http://proxy:3128"),
        ("http://10.0.0.1:65535", "http://10.0.0.1:65535"),
        ("[::1]:3128", "http://[::1]:3128"),
        ("http://[2001:DB8::1]", "http://[2001:db8::1]:80"),
        ("me:pw@proxy:3128", "http://me:pw@proxy:3128"),
        ("http://me@proxy:3128", "http://me@proxy:3128"),
        ("http://:pw@proxy:3128", "http://:pw@proxy:3128"),
        ("http://@proxy:3128", "http://proxy:3128"),
        ("http://:@proxy:3128", "http://proxy:3128"),
        ("http://me:a%40b%2F@proxy:1", "http://me:a%40b%2F@proxy:1"),
        ("http://me:a@b:c@proxy:1", "http://me:a%40b%3Ac@proxy:1"),
        ("http://CORP\\me:50%@proxy:1", "http://CORP%5Cme:50%25@proxy:1"),
        ("http://me:[pä]@proxy:1", "http://me:%5Bp%C3%A4%5D@proxy:1"),
    ],
)
def test_urls(value: str, expected: str) -> None:
    """A proxy may be written in short, and its login with signs that a URL cannot have."""
    assert url_of(value) == expected
    assert url_of(expected) == expected


@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h"])
def test_default_ports(scheme: str) -> None:
    """The port of a proxy that names none is the one that httpcore would take."""
    port = httpcore.URL(f"{scheme}://proxy").origin.port
    assert url_of(f"{scheme}://proxy") == f"{scheme}://proxy:{port}"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("proxy server:3128", "it contains a space or a control character"),
        (f"http://me:{SECRET} @proxy", "it contains a space or a control character"),
        ("http://pro\x00xy", "it contains a space or a control character"),
        ("http://pro\nxy", "it contains a space or a control character"),
        ("socks4://proxy", "`socks4` is not supported; `socks5` and `socks5h` are"),
        ("SOCKS4A://proxy", "`socks4a` is not supported; `socks5` and `socks5h` are"),
        (
            f"ftp://me:{SECRET}@proxy",
            "expected the scheme `http`, `https`, `socks5` or `socks5h`",
        ),
        (f"{SECRET}://proxy", "expected the scheme `http`, `https`, `socks5` or `socks5h`"),
        ("://proxy", "expected the scheme `http`, `https`, `socks5` or `socks5h`"),
        (f"http://me:{SECRET}/x@proxy", "its credentials contain an unencoded `/`, `?` or `#`"),
        (f"http://me:1234#{SECRET}@proxy", "its credentials contain an unencoded `/`, `?` or `#`"),
        (f"me:1?{SECRET}@proxy", "its credentials contain an unencoded `/`, `?` or `#`"),
        ("http://", "expected a host, with an IPv6 address in brackets"),
        ("http://:3128", "expected a host, with an IPv6 address in brackets"),
        (f"http://me:{SECRET}@", "expected a host, with an IPv6 address in brackets"),
        ("http://::1:3128", "expected a host, with an IPv6 address in brackets"),
        ("http://[::1", "expected a host, with an IPv6 address in brackets"),
        ("http://[1:2]:3128", "expected a host, with an IPv6 address in brackets"),
        ("http://[]", "expected a host, with an IPv6 address in brackets"),
        ("http://pröxy", "expected a host, with an IPv6 address in brackets"),
        ("http://pro%78y", "expected a host, with an IPv6 address in brackets"),
        ("http://proxy:", "expected a port from 1 to 65535"),
        ("http://http://proxy:3128", "expected a port from 1 to 65535"),
        ("http://proxy:0", "expected a port from 1 to 65535"),
        ("http://proxy:65536", "expected a port from 1 to 65535"),
        ("http://proxy:-1", "expected a port from 1 to 65535"),
        ("http://proxy:٣", "expected a port from 1 to 65535"),
        ("http://proxy:1:2", "expected a port from 1 to 65535"),
        (f"me:{SECRET}", "expected a port from 1 to 65535"),
    ],
)
def test_unusable(value: str, reason: str) -> None:
    """What is no proxy is refused when it is needed: whose it is, what is due, and no login."""
    unused = Proxies.collect({"https_proxy": value, "NO_PROXY": "h"}, UvToml(), Settings())
    assert unused.for_url(Url.parse("http://i/")) is None
    assert unused.for_url(Url.parse("https://h/")) is None
    for environ, uv, origin in (
        ({"HTTPS_PROXY": value}, UvToml(), "HTTPS_PROXY"),
        ({}, toml(https=value), f"`https-proxy` in {FILE}"),
    ):
        with pytest.raises(ProxyRefused) as caught:
            way(environ, f"https://me:{SECRET}@h/a", uv=uv)
        assert (
            str(caught.value)
            == f"failed to fetch https://***@h/a through the proxy of {origin}: {reason}"
        )
        assert caught.value.hint is not None
        assert "http://USER:PASSWORD@HOST:PORT" in caught.value.hint
        assert caught.value.__cause__ is None
        assert SECRET not in repr(caught.value)


def exempts(no_proxy: str, url: str) -> bool:
    """Return whether NO_PROXY names a URL."""
    return way({"ALL_PROXY": PROXY, "NO_PROXY": no_proxy}, url) is None


@pytest.mark.parametrize(
    ("no_proxy", "host", "expected"),
    [
        ("", "example.com", False),
        (",", "example.com", False),
        ("*", "example.com", True),
        ("a,*", "[::1]", True),
        ("example.com", "example.com", True),
        ("example.com", "a.example.com", True),
        ("example.com", "b.a.example.com:8443", True),
        ("example.com", "notexample.com", False),
        ("example.com", "example.com.evil", False),
        ("example.com", "com", False),
        (".example.com", "example.com", True),
        (".example.com", "a.example.com", True),
        (".example.com", "notexample.com", False),
        ("*.example.com", "example.com", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "notexample.com", False),
        ("EXAMPLE.com", "Example.COM", True),
        ("example.com.", "example.com", True),
        ("example.com", "example.com.", True),
        (".", "example.com", False),
        ("*.", "example.com", False),
        ("a,b\tc  example.com\n", "example.com", True),
        ("a, example.com ,b", "example.com", True),
        ("example.com:8443", "example.com:8443", True),
        ("example.com:8443", "a.example.com:8443", True),
        ("example.com:8443", "example.com", False),
        ("example.com:443", "example.com", True),
        ("example.com:", "example.com", True),
        ("example.com:x", "example.com", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.10", False),
        ("0.0.1", "10.0.0.1", False),
        ("10.0.0.1:8443", "10.0.0.1:8443", True),
        ("10.0.0.1:8443", "10.0.0.1", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.1.2.3/8", "10.9.9.9", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "example.com", False),
        ("10.0.0.0/8:8443", "10.1.2.3:8443", True),
        ("10.0.0.0/33", "10.0.0.0", False),
        ("0.0.0.0/0", "[::1]", False),
        ("::1", "[::1]", True),
        ("[::1]", "[::1]", True),
        ("[::1]", "[::1]:8080", True),
        ("[::1]:8080", "[::1]:8080", True),
        ("[::1]:8080", "[::1]:8081", False),
        ("0:0::1", "[::1]", True),
        ("fd00::/8", "[fd12::3]", True),
        ("FD00::/8", "[fe12::3]", False),
        ("::/0", "10.0.0.1", False),
        ("[::1", "[::1]", True),
        ("<local>", "intranet", True),
        ("<LOCAL>", "intranet:8443", True),
        ("<local>", "intranet.example", False),
        ("<local>", "[::1]", False),
        ("intranet", "intranet", True),
    ],
)
def test_no_proxy(no_proxy: str, host: str, expected: bool) -> None:  # noqa: FBT001 # a table
    """An entry names hosts by domain, address or network, with a port or without."""
    assert exempts(no_proxy, f"https://{host}/a") is expected
    assert exempts(f"other.example {no_proxy}", f"https://me:pw@{host}/a") is expected


@pytest.mark.parametrize(
    "no_proxy", ["[::1]", "fd00::/8", "10.0.0.0/8", "[fd00::1]:8080", "[", "::/"]
)
def test_no_client_is_kept_from_asking(
    no_proxy: str, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries that httpx refuses to be made with, and broken ones, keep nobody from a server."""
    environ = {"NO_PROXY": f"{no_proxy},127.0.0.1", "HTTP_PROXY": PROXY, "ALL_PROXY": PROXY}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    web.pages["/a"] = Page(body=b"found")

    with closing(Upstream(Network(retries=0), Credentials(), environ=environ)) as upstream:
        assert upstream.read(f"{web.url}/a").body == b"found"


def test_no_proxy_of_all() -> None:
    """The lower case comes first, uv's list is added, and both hold for every proxy."""
    environ = {"ALL_PROXY": PROXY, "no_proxy": "a", "NO_PROXY": "b"}
    uv, system = toml(https=PROXY, no_proxy=("C", "d,e")), Settings(found={"https": PROXY})

    def asked(environ: dict[str, str], uv: UvToml, system: System) -> str:
        return "".join(h for h in "abcdef" if way(environ, f"https://{h}/", uv=uv, system=system))

    assert asked(environ, UvToml(), Settings()) == "bcdef"
    assert asked({**environ, "no_proxy": ""}, UvToml(), Settings()) == "acdef"
    assert asked(environ, uv, Settings()) == "bf"
    assert asked({"NO_PROXY": "b"}, uv, Settings()) == "af"
    assert asked({"NO_PROXY": "b"}, toml(no_proxy=("c",)), system) == "adef"


def test_exceptions_of_the_system() -> None:
    """The exceptions in the system's settings hold for its own proxies only."""
    system = Settings(found={"https": PROXY}, excepted=("a", "[::1]"))
    assert way({}, "https://a:1/", system=system) is None
    assert way({}, "https://[::1]/", system=system) is None
    assert way({}, "https://b/", system=system) == f"{PROXY} (the system settings)"
    assert way({"https_proxy": OTHER}, "https://a/", system=system) == f"{OTHER} (https_proxy)"


def test_socks_of_the_system() -> None:
    """A SOCKS proxy in the system's settings is for what no other is named for."""
    found = {"http": PROXY, "socks": "socks://socks.example:1080"}
    system = Settings(found=found)
    assert way({}, "http://h/", system=system) == f"{PROXY} (the system settings)"
    assert way({}, system=system) == "socks5://socks.example:1080 (the system settings)"
    with pytest.raises(ProxyRefused, match="the system settings: `socks4` is not supported"):
        way({}, system=Settings(found={"https": "socks4://socks.example:1080"}))


@pytest.mark.parametrize(
    ("platform", "proxies", "bypass"),
    [
        ("win32", "getproxies_registry", "proxy_bypass_registry"),
        ("darwin", "getproxies_macosx_sysconf", "proxy_bypass_macosx_sysconf"),
    ],
)
def test_system(monkeypatch: pytest.MonkeyPatch, platform: str, proxies: str, bypass: str) -> None:
    """On Windows and macOS the standard library says what the settings are."""
    asked = []

    def is_bypassed(host: str) -> int:
        asked.append(host)
        if host == "odd":
            "é".encode("ascii")
        return host == "a"

    monkeypatch.setattr(urllib.request, proxies, lambda: {"https": PROXY}, raising=False)
    monkeypatch.setattr(urllib.request, bypass, is_bypassed, raising=False)
    system = System(platform=platform)

    assert way({}, "https://a/", system=system) is None
    assert way({}, "https://b/", system=system) == f"{PROXY} (the system settings)"
    assert way({}, "https://odd/", system=system) == f"{PROXY} (the system settings)"
    assert way({}, "http://c/", system=system) is None
    assert way({"HTTPS_PROXY": OTHER}, "https://d/", system=system) == f"{OTHER} (HTTPS_PROXY)"
    assert asked == ["a", "b", "odd"]
    assert System(platform="linux").proxies() == {}
    assert not System(platform="linux").bypasses("a")


def test_slow_modules_are_not_imported() -> None:
    """Where the environment decides, nothing is imported for settings of the system."""
    script = (
        "import sys; from uv_self_update.network.proxies import *;"
        "from uv_self_update.url import Url;"
        "from uv_self_update.uv.configuration import UvToml;"
        "sys.modules['urllib.request'] = sys.modules['ipaddress'] = None;"
        "found = Proxies.collect({'https_proxy': 'p', 'no_proxy': 'a'}, UvToml());"
        "print(found.for_url(Url.parse('https://h/')).url.text)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60
    )
    assert done.stdout == "http://p:80\n"


def test_no_login_is_shown() -> None:
    """Neither a proxy nor all of them together show a login, other than to who asks for the URL."""
    value = f"http://me:{SECRET}@proxy.example:3128"
    proxies = Proxies.collect({"https_proxy": value}, toml(http=value), Settings())
    proxy = proxies.for_url(Url.parse("https://h/"))

    assert proxy == Proxy(url=Url.parse(value), origin="https_proxy")
    assert proxy is not None
    assert proxy.shown == "http://***@proxy.example:3128 (https_proxy)"
    for shown in (repr(proxy), str(proxy), repr(proxies), str(proxies)):
        assert SECRET not in shown


TEXT = st.text(max_size=20) | st.text("htps:/@[]%#?.,0123456789 *<l\\\n", max_size=30)


@settings(deadline=None)
@given(
    value=TEXT, no_proxy=TEXT, url=st.builds(str.__add__, st.sampled_from(["", "https://"]), TEXT)
)
@example(value="http://[", no_proxy="[", url="https://[")
@example(value="\udcff", no_proxy="\udcff/8", url="https://\udcff")
def test_any_text(value: str, no_proxy: str, url: str) -> None:
    """Whatever stands in a variable, in a file or in a URL, nothing but ProxyRefused is raised."""
    for proxies in (
        Proxies.collect({"all_proxy": value, "no_proxy": no_proxy}, UvToml(), Settings()),
        Proxies.collect({}, toml(value, value, (no_proxy,)), Settings()),
        Proxies.collect({}, toml(no_proxy=(no_proxy,)), Settings(found={"https": value})),
    ):
        for asked in (url, "https://10.0.0.1/"):
            try:
                parsed = Url.parse(asked)
            except ValueError:
                continue  # the client refuses it
            try:
                found = proxies.for_url(parsed)
            except ProxyRefused:
                continue
            if found is not None:
                parts = found.url.parts
                assert parts.scheme in {"http", "https", "socks5", "socks5h"}
                assert parts.hostname
                assert parts.port
                assert "***@" in found.shown or not found.url.userinfo


SIGNS = st.text("!$&'()*+,;=:@%._~-\"`<>|^{}\\/?#[] ä\n", max_size=4)


@settings(deadline=None)
@given(
    before=st.sampled_from(["", "http://", "socks5://", "https:/", "ftp://", "http://a:1@"]),
    user=SIGNS,
    sign=SIGNS,
    after=st.sampled_from(["@proxy:3128", "@proxy", "@", "", "@proxy:x", "@[::1", "@proxy/x?y#z"]),
)
def test_no_login_in_any_message(before: str, user: str, sign: str, after: str) -> None:
    """Whatever a login looks like, and whatever is wrong beside it, no message shows it."""
    value = f"{before}{user}:{sign}{SECRET}{sign}{after}"
    proxies = Proxies.collect({"HTTPS_PROXY": value}, UvToml(), Settings())
    try:
        found = proxies.for_url(Url.parse("https://h/"))
    except ProxyRefused as refused:
        shown = f"{refused!r} {refused} {refused.hint} {refused.__cause__}"
    else:
        assert found is not None
        shown = f"{found!r} {found} {found.shown}"
        if "@" in after and not before.endswith("@"):
            password = unquote(found.url.userinfo.partition(":")[2])
            assert password.endswith(unquote(f"{SECRET}{sign}"))
    assert SECRET not in shown + repr(proxies)
