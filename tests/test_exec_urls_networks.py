"""Direct URLs on github.com itself, from a machine whose only way out is squid.

```text
machine, no route but the cable    squid    github.com, api.github.com    private releases, and git
                                            objects.test                  where GitHub redirects to
                                            pkg.test                      a public index
                                            intranet                      an index and a page, http
```
"""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import pytest
import trustme

from support.backends import BACKEND, source_archive
from support.direct import SDIST, WHEEL, SecurePackages, UrlStand
from support.networks import OUTSIDE, Namespace, WebAt, networks
from support.proxy import trust
from support.servers.proxies import Door, microsocks, squid
from support.simulator.dialect import PASSWORD
from support.simulator.packages import PublicIndex, ReleaseOf, wheel
from support.simulator.server import Storage
from support.stand import done, locked
from support.web import Page, Web
from uv_self_update.network.socks import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Asked

pytestmark = pytest.mark.slow

LOGIN = ("jo", "a/b@c%")
WRITTEN = ":".join(quote(word, safe="") for word in LOGIN)
SQUID = f"http://{WRITTEN}@{OUTSIDE}:{Door.WITH_A_LOGIN}"
SOCKS = f"socks5h://{WRITTEN}@{OUTSIDE}:{PORT}"
GITHUB, API, OBJECTS, PKG = "github.com", "api.github.com", "objects.test", "pkg.test"
INTRANET = "intranet"
ADDRESSES = {
    GITHUB: "127.0.0.2",
    API: "127.0.0.2",
    OBJECTS: "127.0.0.1",
    PKG: "127.0.0.1",
    INTRANET: "127.0.0.1",
}
PUBLIC = wheel("elsewhere", "2.0")
PUBLIC_PATH = f"/other/public/releases/download/v2/{PUBLIC[0]}"
VERSIONS = ["0.5.0", "0.8.24", "0.11.13", "newest"]


class Objects(Storage):
    """The storage, by its name."""

    @property
    def url(self) -> str:
        """Its address."""
        return super().url.replace("127.0.0.1", OBJECTS)


@dataclass(kw_only=True)
class GitHub(SecurePackages):
    """github.com and its API, on the port that they have."""

    def __post_init__(self) -> None:
        """Listen."""
        Web.__init__(self)
        self._server.server_close()
        self.storage = Objects(context=self.context)
        self.storage.ranges = True
        listener = socket.create_server((ADDRESSES[GITHUB], 443))
        self._server.socket = self.context.wrap_socket(listener, server_side=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://{GITHUB}"

    def page_for(self, asked: Asked) -> Page:
        """Answer as GitHub does, where the API has a host of its own."""
        path = urlsplit(asked.path).path
        if path in self.pages:
            found = self.pages[path]
            return found if isinstance(found, Page) else found(asked)
        if asked.headers["Host"] == API:
            asked = replace(asked, path=f"/api/v3{asked.path}")
        return super().page_for(asked)


@dataclass(kw_only=True)
class Company(UrlStand):
    """The machine, and what is behind the proxy."""

    packages: GitHub
    machine: Namespace
    intranet: WebAt

    def run(self, *command: str, **environ: str) -> Done:
        """Run a command by `exec` on the machine."""
        with self.machine.inside():
            answer = self.home.run("exec", "--", *command, environ=self.environ(**environ))
        assert "a/b@c" not in answer.err + answer.out
        return answer

    def plain(self, *command: str, **environ: str) -> Done:
        """Run a command on the machine, without this package."""
        with self.machine.inside():
            return self.home.run(program=command, environ=self.environ(**environ))

    def environ(self, **more: str) -> dict[str, str]:
        """Return the variables of the user."""
        common = {"GH_TOKEN": PASSWORD, "UV_HTTP_RETRIES": "0"}
        return {**common, "UV_DEFAULT_INDEX": f"https://{PKG}/simple/", **more}


@pytest.fixture
def company(home: Home, tmp_path: Path) -> Iterator[Company]:
    """Start everything."""
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"{address} {name}\n" for name, address in ADDRESSES.items()))
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*ADDRESSES).configure_cert(context)
    with ExitStack() as stack:
        public = stack.enter_context(PublicIndex([wheel("iniconfig", "2.0.0")]))
        both = stack.enter_context(networks())
        with both.outside.inside():
            releases = [ReleaseOf(tag="v1.1.0", files=dict([WHEEL, SDIST]))]
            github = stack.enter_context(GitHub(releases=releases, context=context))
            pkg = stack.enter_context(WebAt(ADDRESSES[PKG], 443, context=context))
            intranet = stack.enter_context(WebAt(ADDRESSES[INTRANET], 80))
            stack.enter_context(squid(hosts, LOGIN, authority.issue_cert(OUTSIDE)))
            stack.enter_context(microsocks(hosts, PORT, LOGIN))
        pkg.pages |= public.pages
        github.public[PUBLIC_PATH] = PUBLIC[1]
        home.environ["SSL_CERT_FILE"] = str(trust(authority, tmp_path))
        home.environ["GIT_SSL_CAINFO"] = home.environ["SSL_CERT_FILE"]
        intranet.pages["/allowed"] = Page(body=b"intranet")
        made = Company(
            home=home, packages=github, public=public, machine=both.machine, intranet=intranet
        )
        home.bin.mkdir(parents=True)
        made.configure('packages = ["internal-*"]')
        made.write_urls()
        add_git_dependency(made, tmp_path / "work")
        yield made


def add_git_dependency(company: Company, work: Path) -> None:
    """Serve a git repository on github.com, and let the project need it, and a public release."""
    work.mkdir()
    (work / "pyproject.toml").write_text(
        '[project]\nname = "gitdep"\nversion = "3.0"\n'
        '[build-system]\nrequires = []\nbuild-backend = "x"\nbackend-path = ["."]\n'
    )
    git = ["git", "-C", str(work), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for arguments in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *arguments], check=True)
    subprocess.run([*git, "update-server-info"], check=True)
    for path in (work / ".git").rglob("*"):
        if path.is_file():
            place = f"/acme/gitdep.git/{path.relative_to(work / '.git')}"
            company.packages.pages[place] = Page(body=path.read_bytes())
    project = company.project / "pyproject.toml"
    more = f'"elsewhere @ https://{GITHUB}{PUBLIC_PATH}", "iniconfig", '
    more += f'"gitdep @ git+https://{GITHUB}/acme/gitdep.git"'
    text = project.read_text().replace('"internal-src"', f'"internal-src", {more}')
    project.write_text(text)


SETUPS = {
    "both": {"HTTP_PROXY": SQUID, "HTTPS_PROXY": SQUID},
    "lower case": {"http_proxy": SQUID, "https_proxy": SQUID},
    "https only": {"HTTPS_PROXY": SQUID},
    "all": {"ALL_PROXY": SQUID},
    "exempt": {"HTTPS_PROXY": SQUID, "NO_PROXY": "localhost,intranet"},
    "cgi": {"HTTPS_PROXY": SQUID, "REQUEST_METHOD": "GET"},
    "system": {"HTTPS_PROXY": SQUID, "UV_NATIVE_TLS": "1"},
    "socks": {"ALL_PROXY": SOCKS},
}


@pytest.mark.parametrize("version", VERSIONS)
def test_setups(version: str, company: Company) -> None:
    """A private wheel and archive, a public release, git and an index: all at once, each way."""
    company.use(version)
    plain = company.plain("uv", "lock", "--no-cache", **SETUPS["both"])
    assert plain.code != 0
    assert "404" in plain.err

    found = {}
    for name, environ in SETUPS.items():
        company.lock.unlink(missing_ok=True)
        answer = company.run("uv", "lock", "--no-cache", **environ)
        found[name] = (
            {name: place.split()[0] for name, place in locked(company).items()}
            if answer.code == 0
            else answer.err
        )

    expected = {
        "elsewhere": "2.0",
        "gitdep": "3.0",
        "iniconfig": "2.0.0",
        "internal-package": "1.1.0",
        "internal-src": "0.1.12",
    }
    assert [*found] == [*SETUPS]
    assert [answer for answer in found.values() if answer != expected] == []
    # The token went to the API, and nothing else had a credential of ours.
    assert {asked.headers["Host"] for asked in company.packages.asked} == {GITHUB, API}
    for asked in company.packages.asked:
        own = asked.headers["Host"] == API and asked.headers["User-Agent"].startswith("uv-self")
        assert asked.headers.get("Authorization") == (f"Bearer {PASSWORD}" if own else None)


@pytest.mark.parametrize("version", ["0.11.13", "newest"])
def test_authorities_in_a_directory(version: str, company: Company, tmp_path: Path) -> None:
    """Where SSL_CERT_DIR names the company's authority, it goes on to count."""
    company.use(version)
    directory = tmp_path / "authorities"
    directory.mkdir()
    bundle = company.home.environ.pop("SSL_CERT_FILE")
    command = [shutil.which("openssl") or "", "x509", "-hash", "-noout", "-in", bundle]
    digest = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    shutil.copy(bundle, directory / f"{digest}.0")

    environ = {"SSL_CERT_DIR": str(directory), **SETUPS["both"]}
    done(company.run("uv", "lock", "--no-cache", **environ))


@pytest.mark.parametrize("version", ["0.8.24", "newest"])
def test_locked_sync_and_then_without_us(version: str, company: Company, tmp_path: Path) -> None:
    """A locked sync asks for one release and each file once; uv's cache then needs nobody."""
    company.use(version)
    company.write_urls()
    done(company.run("uv", "lock", **SETUPS["both"]))
    company.packages.asked.clear()
    company.packages.storage.asked.clear()
    cold = {"UV_CACHE_DIR": str(tmp_path / "cold"), **SETUPS["both"]}

    done(company.run("uv", "sync", "--locked", **cold))

    assert len(company.packages.calls("/tags/")) == 1
    whole = [asked for asked in company.packages.storage.asked if "Range" not in asked.headers]
    assert len(whole) == 2
    assert company.packages.calls("?") == []
    done(company.plain("uv", "lock", "--check", UV_CACHE_DIR=cold["UV_CACHE_DIR"]))
    done(company.plain("uv", "run", "--offline", "python", "-c", "import internal_src"))


@pytest.mark.parametrize("version", VERSIONS)
def test_plain_http_beside_a_url(version: str, company: Company) -> None:
    """An archive is named by its URL; its backend and a program come from, and ask, plain http."""
    company.use(version)
    with PublicIndex([wheel("tiny-backend", "1.0", code=BACKEND)]) as served:
        company.intranet.pages |= served.pages
    name = "internal_src-1.0.tar.gz"
    company.packages.releases.append(ReleaseOf(tag="src", files={name: source_archive()}))
    company.write(f"internal-src @ {company.packages.place}/releases/download/src/{name}")
    environ = {"UV_DEFAULT_INDEX": f"http://{INTRANET}/simple/", **SETUPS["both"]}
    done(company.run("uv", "sync", "--no-cache", **environ))
    program = "import urllib.request as r; print(r.urlopen('http://intranet/allowed').read())"

    answer = company.run(
        *("uv", "run", "python", "-c", f"import internal_src as i; print(i.SEEN); {program}"),
        **environ,
    )

    assert done(answer).out == "intranet\nb'intranet'\n"
