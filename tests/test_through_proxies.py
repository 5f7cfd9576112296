"""Real uv binaries, updated for real on a machine whose only way out is a real proxy.

The mirror listens on the loopback of another network, where the proxies are: the machine has no
route to it, and no name server that knows it.
"""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import pytest
import trustme

from support import binaries, mirrors
from support.networks import MACHINE, OUTSIDE, Namespace, WebAt, knowing, networks
from support.proxy import trust
from support.servers.proxies import Door, microsocks, squid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Asked

pytestmark = pytest.mark.system

Scheme = Literal["http", "https"]
SCHEMES: tuple[Scheme, ...] = ("http", "https")

MIRROR = "mirror.test"
NEAR = "near.mirror.test"
"""A mirror that the machine reaches without a proxy as well."""

LOGIN = ("jo", "a/b@c%")
WRITTEN = ":".join(quote(word, safe="") for word in LOGIN)
"""The login as it stands in a URL."""

WRONG = "jo:not%20this"

SOCKS, SOCKS_WITH_A_LOGIN = 1080, 1081
NOBODY = 9
"""A port where nobody listens."""

ONCE = {"UV_HTTP_RETRIES": "0", "UV_SELF_UPDATE_RETRIES": "0"}
"""Neither uv nor this package tries again."""


@dataclass(frozen=True, kw_only=True)
class Company:
    """A machine, proxies, and mirrors behind them."""

    machine: Namespace
    webs: dict[str, WebAt]
    """Origin -> what listens there."""

    authority: Path
    hosts: Path
    """The hosts that proxies know."""

    def offer(self, home: Home, base: str, kind: str = "urls") -> None:
        """Offer the newest uv at an origin, in a home that has the one before."""
        web = self.webs[base]
        if kind == "index":
            web.pages |= mirrors.index_pages([binaries.newest()])
            rest = f'url = "{base}/simple/"'
        else:
            web.pages |= mirrors.urls_pages([binaries.newest()])
            rest = f'latest = "{base}/latest.json"\ndownload = "{base}/files/{{tag}}/{{asset}}"'
        home.configure(f'[[source]]\nkind = "{kind}"\n{rest}\n')
        home.environ["SSL_CERT_FILE"] = str(self.authority)
        home.install(binaries.newest_but_one())

    def run(
        self, home: Home, environ: dict[str, str] | None = None, *, before: Sequence[str] = ()
    ) -> Done:
        """Run the update on the machine, and see that no password is shown."""
        with self.machine.inside():
            done = home.run("-v", environ=environ, before=before)
        for login in (WRITTEN, ":".join(LOGIN), WRONG, WRONG.replace("%20", " ")):
            password = login.partition(":")[2]
            assert password not in done.out + done.err
        return done

    def asked(self) -> list[Asked]:
        """Return what the mirrors were asked."""
        return [asked for web in self.webs.values() for asked in web.asked]


@pytest.fixture(scope="module")
def all_of_it(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Start everything; that takes a while."""
    folder = tmp_path_factory.mktemp("company")
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 {MIRROR}\n{OUTSIDE} {NEAR}\n")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(MIRROR).configure_cert(context)
    with ExitStack() as stack:
        both = stack.enter_context(networks())
        with both.outside.inside():
            far, near = WebAt("127.0.0.1", 80), WebAt(OUTSIDE, 80)
            encrypted = WebAt("127.0.0.1", 443, context=context)
            for web in (far, near, encrypted):
                stack.enter_context(web)
            stack.enter_context(squid(hosts, LOGIN, authority.issue_cert(OUTSIDE)))
            stack.enter_context(microsocks(hosts, SOCKS))
            stack.enter_context(microsocks(hosts, SOCKS_WITH_A_LOGIN, LOGIN))
        yield Company(
            machine=both.machine,
            webs={
                f"http://{MIRROR}": far,
                f"https://{MIRROR}": encrypted,
                f"http://{NEAR}": near,
                f"http://{OUTSIDE}": near,
            },
            authority=trust(authority, folder),
            hosts=hosts,
        )


@pytest.fixture
def company(all_of_it: Company) -> Company:
    """Return it, with mirrors that are empty and were asked for nothing."""
    for web in all_of_it.webs.values():
        web.pages.clear()
        web.asked.clear()
    return all_of_it


def proxy(door: int, login: str = "", *, scheme: str = "http") -> str:
    """Return a proxy's URL."""
    return f"{scheme}://{f'{login}@' if login else ''}{OUTSIDE}:{door}"


def tell(home: Home, where: str, scheme: Scheme, url: str) -> dict[str, str]:
    """Configure a proxy for a scheme; return the variables that are set for that."""
    if where == "uv.toml":
        toml = home.receipt.with_name("uv.toml")
        toml.parent.mkdir(parents=True, exist_ok=True)
        toml.write_text(f'{scheme}-proxy = "{url}"\n')
        return {}
    return {where.format(scheme.upper()): url}


def succeeded(home: Home, done: Done) -> None:
    """See that uv is the newest."""
    assert done.code == 0, done.err
    assert home.version() == home.receipt_version() == binaries.newest()


def failed(home: Home, done: Done, before: dict[str, str]) -> None:
    """See that nothing has changed."""
    assert done.code != 0
    assert home.snapshot() == before
    assert home.version() == binaries.newest_but_one()


WAYS = pytest.mark.parametrize("where", ["{}_PROXY", "ALL_PROXY", "uv.toml"])
TO = pytest.mark.parametrize("scheme", SCHEMES)
KINDS = pytest.mark.parametrize("kind", ["urls", "index"])


@TO
def test_there_is_no_other_way(scheme: Scheme, home: Home, company: Company) -> None:
    """Without a proxy there is no update: it is by the proxy that the others succeed."""
    company.offer(home, f"{scheme}://{MIRROR}")
    before = home.snapshot()

    done = company.run(home, ONCE)

    failed(home, done, before)
    assert f"failed to fetch `{scheme}://{MIRROR}/latest.json`" in done.err
    assert company.asked() == []


@pytest.mark.parametrize("login", ["", WRITTEN], ids=["anybody", "login"])
@WAYS
@TO
def test_squid(scheme: Scheme, where: str, login: str, home: Home, company: Company) -> None:
    """Wherever a proxy is configured, files come through it, in a tunnel where they are HTTPS."""
    company.offer(home, f"{scheme}://{MIRROR}")
    door = Door.WITH_A_LOGIN if login else Door.OPEN

    done = company.run(home, tell(home, where, scheme, proxy(door, login)))

    succeeded(home, done)
    assert all("Via" in asked.headers for asked in company.asked()) == (scheme == "http")


@WAYS
@TO
def test_squid_before_an_index(scheme: Scheme, where: str, home: Home, company: Company) -> None:
    """The uv that is asked for its index goes the same way."""
    company.offer(home, f"{scheme}://{MIRROR}", "index")

    done = company.run(home, tell(home, where, scheme, proxy(Door.WITH_A_LOGIN, WRITTEN)))

    succeeded(home, done)


@KINDS
@TO
def test_squid_over_tls(scheme: Scheme, kind: str, home: Home, company: Company) -> None:
    """A proxy that is spoken to in TLS is trusted as the mirror is, by the same authority."""
    company.offer(home, f"{scheme}://{MIRROR}", kind)

    done = company.run(home, {"ALL_PROXY": proxy(Door.OVER_TLS, scheme="https")})

    succeeded(home, done)


@pytest.mark.parametrize("login", ["", WRITTEN], ids=["anybody", "login"])
@pytest.mark.parametrize(
    ("kind", "name"),
    # With `socks5`, uv asks the machine for the address.
    [("urls", "socks5"), ("urls", "socks5h"), ("index", "socks5h")],
)
@TO
def test_socks(
    scheme: Scheme, kind: str, name: str, login: str, home: Home, company: Company
) -> None:
    """A SOCKS proxy is asked for the host by its name, which nobody on the machine knows."""
    company.offer(home, f"{scheme}://{MIRROR}", kind)
    port = SOCKS_WITH_A_LOGIN if login else SOCKS

    done = company.run(home, {"ALL_PROXY": proxy(port, login, scheme=name)})

    succeeded(home, done)


# What goes wrong


@pytest.mark.parametrize("where", ["{}_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("login", ["", WRONG], ids=["none", "wrong"])
@TO
def test_login_that_is_not_accepted(
    scheme: Scheme, login: str, where: str, home: Home, company: Company
) -> None:
    """The proxy, the variable that names it and what to write there are told."""
    company.offer(home, f"{scheme}://{MIRROR}")
    before = home.snapshot()

    done = company.run(home, tell(home, where, scheme, proxy(Door.WITH_A_LOGIN, login)))

    failed(home, done, before)
    shown = proxy(Door.WITH_A_LOGIN, "***" if login else "")
    variable = where.format(scheme.upper())
    url = f"{scheme}://{MIRROR}/latest.json"
    problem = "credentials not accepted" if login else "authentication required"
    failure = f"failed to fetch {url} through the proxy {shown} ({variable}): {problem} (407)"
    assert failure in done.err
    assert "`user:password@`" in done.err
    assert company.asked() == []


@TO
def test_login_of_uv_toml_that_is_not_accepted(
    scheme: Scheme, home: Home, company: Company
) -> None:
    """The file and the key are told."""
    company.offer(home, f"{scheme}://{MIRROR}")
    tell(home, "uv.toml", scheme, proxy(Door.WITH_A_LOGIN, WRONG))
    before = home.snapshot()

    done = company.run(home)

    failed(home, done, before)
    shown = proxy(Door.WITH_A_LOGIN, "***")
    toml = home.receipt.with_name("uv.toml")
    problem = "credentials not accepted (407)"
    assert f"through the proxy {shown} (`{scheme}-proxy` in {toml}): {problem}" in done.err


@TO
def test_login_that_is_not_accepted_for_an_index(
    scheme: Scheme, home: Home, company: Company
) -> None:
    """What uv says of it is told, without the password."""
    company.offer(home, f"{scheme}://{MIRROR}", "index")
    before = home.snapshot()

    done = company.run(home, {"ALL_PROXY": proxy(Door.WITH_A_LOGIN, WRONG), **ONCE})

    failed(home, done, before)
    assert f"{scheme}://{MIRROR}/simple/" in done.err


@TO
def test_squid_that_lets_nobody_through(scheme: Scheme, home: Home, company: Company) -> None:
    """It is told that it was the proxy who said no, rather than the mirror."""
    company.offer(home, f"{scheme}://{MIRROR}")
    before = home.snapshot()

    done = company.run(home, tell(home, "{}_PROXY", scheme, proxy(Door.CLOSED)))

    failed(home, done, before)
    shown = f"{proxy(Door.CLOSED)} ({scheme.upper()}_PROXY)"
    assert f"failed to fetch {scheme}://{MIRROR}/latest.json through the proxy {shown}" in done.err
    assert "403" in done.err
    assert company.asked() == []


@pytest.mark.parametrize(("name", "door"), [("http", Door.OPEN), ("socks5h", SOCKS)])
@TO
def test_proxy_that_does_not_reach_the_mirror(
    scheme: Scheme, name: str, door: int, home: Home, company: Company
) -> None:
    """It is told that it was the proxy who did not get there."""
    company.offer(home, f"{scheme}://{MIRROR}")
    home.configure(home.config.read_text().replace(MIRROR, f"{MIRROR}:{NOBODY}"))
    before = home.snapshot()

    done = company.run(home, {"ALL_PROXY": proxy(door, scheme=name), **ONCE})

    failed(home, done, before)
    shown = f"{proxy(door, scheme=name)} (ALL_PROXY)"
    assert (
        f"failed to fetch {scheme}://{MIRROR}:{NOBODY}/latest.json through the proxy {shown}"
        in done.err
    )


@pytest.mark.parametrize("name", ["http", "https", "socks5h"])
@TO
def test_proxy_that_is_down(scheme: Scheme, name: str, home: Home, company: Company) -> None:
    """The proxy and the variable that names it are told."""
    company.offer(home, f"{scheme}://{MIRROR}")
    before = home.snapshot()
    environ = tell(home, "{}_PROXY", scheme, proxy(NOBODY, WRITTEN, scheme=name))

    done = company.run(home, {**environ, **ONCE})

    failed(home, done, before)
    shown = f"{proxy(NOBODY, '***', scheme=name)} ({scheme.upper()}_PROXY)"
    assert f"through the proxy {shown}: Connection refused" in done.err


def test_proxy_that_is_not_trusted(home: Home, company: Company) -> None:
    """That the certificate is the proxy's, and not the mirror's, is told."""
    company.offer(home, f"http://{MIRROR}")
    del home.environ["SSL_CERT_FILE"]
    before = home.snapshot()

    done = company.run(home, {"ALL_PROXY": proxy(Door.OVER_TLS, WRITTEN, scheme="https"), **ONCE})

    failed(home, done, before)
    shown = f"{proxy(Door.OVER_TLS, '***', scheme='https')} (ALL_PROXY)"
    assert shown in done.err
    assert "certificate" in done.err
    assert company.asked() == []


@pytest.mark.parametrize(("name", "door"), [("http", Door.OPEN), ("socks5h", SOCKS)])
def test_mirror_that_is_not_trusted(name: str, door: int, home: Home, company: Company) -> None:
    """The certificate that comes through a tunnel is the mirror's."""
    company.offer(home, f"https://{MIRROR}")
    del home.environ["SSL_CERT_FILE"]
    before = home.snapshot()

    done = company.run(home, {"ALL_PROXY": proxy(door, scheme=name), **ONCE})

    failed(home, done, before)
    assert f"failed to connect securely to https://{MIRROR}/latest.json" in done.err
    assert company.asked() == []


@TO
def test_socks_login_that_is_not_accepted(scheme: Scheme, home: Home, company: Company) -> None:
    """The proxy and the variable that names it are told."""
    company.offer(home, f"{scheme}://{MIRROR}")
    before = home.snapshot()
    url = proxy(SOCKS_WITH_A_LOGIN, WRONG, scheme="socks5h")

    done = company.run(home, {"ALL_PROXY": url, **ONCE})

    failed(home, done, before)
    shown = proxy(SOCKS_WITH_A_LOGIN, "***", scheme="socks5h")
    assert f"through the proxy {shown} (ALL_PROXY)" in done.err


def test_socks_without_its_package(tmp_path: Path, home: Home, company: Company) -> None:
    """What to install is told where the extra is missing."""
    company.offer(home, f"http://{MIRROR}")
    before = home.snapshot()
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "socksio.py").write_text("raise ModuleNotFoundError(name=__name__)\n")
    environ = {"PYTHONPATH": str(tmp_path / "hidden")}

    done = company.run(
        home,
        {**environ, "ALL_PROXY": proxy(SOCKS, scheme="socks5h")},
        before=["env"],  # in a process of its own, which has not imported the package
    )

    failed(home, done, before)
    assert "uv-self-update[socks]" in done.err
    assert f"{proxy(SOCKS, scheme='socks5h')} (ALL_PROXY)" in done.err


# Exceptions


EXCEPTIONS = [
    (f"http://{NEAR}", f".{MIRROR}", "direct"),
    (f"http://{NEAR}", MIRROR, "direct"),
    (f"http://{NEAR}", ".other.test", "proxied"),
    (f"http://{NEAR}", "irror.test", "proxied"),
    (f"http://{OUTSIDE}", f"{MACHINE}/30", "direct"),
    (f"http://{OUTSIDE}", "10.0.1.0/24", "proxied"),
    (f"http://{OUTSIDE}", f"{OUTSIDE}:80", "direct"),
    (f"http://{OUTSIDE}", f"{OUTSIDE}:8080", "proxied"),
]


@pytest.mark.parametrize("where", ["NO_PROXY", "uv.toml"])
@pytest.mark.parametrize(("base", "entry", "way"), EXCEPTIONS)
def test_exception(
    base: str, entry: str, way: str, where: str, home: Home, company: Company
) -> None:
    """What an entry names is asked directly, and what another names through the proxy."""
    company.offer(home, base)
    environ = {"HTTP_PROXY": proxy(Door.OPEN)}
    if where == "uv.toml":
        home.receipt.with_name("uv.toml").write_text(f'no-proxy = ["{entry}"]\n')
    else:
        environ[where] = entry

    done = company.run(home, environ, before=knowing(company.hosts))

    succeeded(home, done)
    assert {"Via" in asked.headers for asked in company.asked()} == {way == "proxied"}
