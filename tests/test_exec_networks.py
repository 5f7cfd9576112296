"""`exec` on a machine whose only way out is squid, with a private certificate authority.

```text
machine, no route but the cable    squid    hub.test  the private repository, https
                                            pkg.test  a public index and a git server, https
                                            intranet  an index and a page, http
```
"""

from __future__ import annotations

import ssl
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import trustme

from support.backends import BACKEND, source_archive
from support.networks import OUTSIDE, Namespace, WebAt, networks
from support.proxy import trust
from support.servers.proxies import Door, microsocks, squid
from support.simulator.dialect import PASSWORD
from support.simulator.packages import Packages, PublicIndex, ReleaseOf, wheel
from support.simulator.server import Storage
from support.stand import FILES, Stand, done, locked
from support.web import Page, Web
from uv_self_update.network.socks import PORT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Done, Home

pytestmark = pytest.mark.slow

LOGIN = ("jo", "a/b@c%")
WRITTEN = ":".join(quote(word, safe="") for word in LOGIN)
SQUID = f"http://{WRITTEN}@{OUTSIDE}:{Door.WITH_A_LOGIN}"
SOCKS = f"socks5h://{WRITTEN}@{OUTSIDE}:{PORT}"
HUB, PKG, INTRANET = "hub.test", "pkg.test", "intranet"


class NamedStorage(Storage):
    """A storage that is known by its name."""

    @property
    def url(self) -> str:
        """Its address."""
        return super().url.replace("127.0.0.1", HUB)


@dataclass(kw_only=True)
class Hub(Packages):
    """The private repository, over TLS and known by its name."""

    context: ssl.SSLContext
    storage: Storage = field(init=False)

    def __post_init__(self) -> None:
        """Take a free port."""
        Web.__init__(self, context=self.context)
        self.storage = NamedStorage(context=self.context)
        self.storage.ranges = True

    @property
    def url(self) -> str:
        """Its address."""
        return super().url.replace("127.0.0.1", HUB)

    @property
    def index(self) -> str:
        """The stable URL of its index."""
        host = self.url.removeprefix("https://").replace(":", ".")
        return f"http://{host}.uv-self-update.invalid/acme/tools/simple/"


@dataclass(kw_only=True)
class Company(Stand):
    """The machine, and what is behind the proxy."""

    machine: Namespace
    intranet: WebAt
    far: WebAt
    """`pkg.test`."""

    def run(self, *command: str, **environ: str) -> Done:
        """Run a command by `exec` on the machine."""
        with self.machine.inside():
            answer = self.home.run("exec", "--", *command, environ=self.environ(**environ))
        assert "a/b@c" not in answer.err + answer.out
        return answer

    def environ(self, **more: str) -> dict[str, str]:
        """Return the variables of the user."""
        common = {"UV_GITHUB_TOKEN": PASSWORD, "UV_HTTP_RETRIES": "0"}
        return {**common, "UV_DEFAULT_INDEX": f"https://{PKG}/simple/", **more}


@pytest.fixture
def company(home: Home, tmp_path: Path) -> Iterator[Company]:
    """Start everything."""
    hosts = tmp_path / "hosts"
    hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in (HUB, PKG, INTRANET)))
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HUB, PKG).configure_cert(context)
    wheels = [wheel("iniconfig", "2.0.0"), wheel("internal-package", "99.0")]
    with ExitStack() as stack:
        public = stack.enter_context(PublicIndex(wheels))
        both = stack.enter_context(networks())
        with both.outside.inside():
            releases = [ReleaseOf(tag="v1.1.0", files=dict(FILES))]
            hub = stack.enter_context(Hub(releases=releases, context=context))
            pkg = stack.enter_context(WebAt("127.0.0.1", 443, context=context))
            intranet = stack.enter_context(WebAt("127.0.0.1", 80))
            stack.enter_context(squid(hosts, LOGIN, authority.issue_cert(OUTSIDE)))
            stack.enter_context(microsocks(hosts, PORT, LOGIN))
        pkg.pages |= public.pages
        home.environ["SSL_CERT_FILE"] = str(trust(authority, tmp_path))
        home.environ["GIT_SSL_CAINFO"] = home.environ["SSL_CERT_FILE"]
        made = Company(
            home=home, packages=hub, public=public, machine=both.machine, intranet=intranet, far=pkg
        )
        home.bin.mkdir(parents=True)
        made.use("newest")
        made.write("internal-package")
        made.configure('packages = ["internal-*"]')
        intranet.pages["/allowed"] = Page(body=b"intranet")
        yield made


SETUPS = {
    "both": {"HTTP_PROXY": SQUID, "HTTPS_PROXY": SQUID},
    "lower case": {"http_proxy": SQUID, "https_proxy": SQUID},
    "https only": {"HTTPS_PROXY": SQUID},
    "all": {"ALL_PROXY": SQUID},
    "all, lower case": {"all_proxy": SQUID},
    "exempt": {"HTTP_PROXY": SQUID, "HTTPS_PROXY": SQUID, "NO_PROXY": "localhost,invalid"},
    "ours exempt": {"ALL_PROXY": SQUID, "no_proxy": ".uv-self-update.invalid"},
    "cgi": {"HTTPS_PROXY": SQUID, "REQUEST_METHOD": "GET"},
    "socks": {"ALL_PROXY": SOCKS},
}


@pytest.mark.parametrize("version", ["0.8.24", "0.11.13", "newest"])
def test_setups(version: str, company: Company) -> None:
    """Ours comes from the private repository, the rest from the index, in each set-up."""
    company.use(version)
    found = {}
    for name, environ in SETUPS.items():
        company.lock.unlink(missing_ok=True)
        answer = company.run("uv", "lock", "--no-cache", **environ)
        found[name] = locked(company) if answer.code == 0 else answer.err
    expected = {
        "iniconfig": f"2.0.0 https://{PKG}/simple/",
        "internal-dep": f"1.0.0 {company.packages.index}",
        "internal-package": f"1.1.0 {company.packages.index}",
    }
    assert [*found] == [*SETUPS]
    assert [answer for answer in found.values() if answer != expected] == []


@pytest.mark.parametrize("version", ["0.8.24", "newest"])
def test_program_that_talks_to_the_intranet(version: str, company: Company) -> None:
    """What `uv run` starts reaches plain http as it does without us."""
    company.use(version)
    program = "import urllib.request as r; print(r.urlopen('http://intranet/allowed').read())"
    answer = company.run(*("uv", "run", "--no-project", "python", "-c", program), **SETUPS["both"])

    assert done(answer).out == "b'intranet'\n"


@pytest.mark.parametrize("version", ["0.8.24", "newest"])
def test_index_of_plain_http_through_socks(version: str, company: Company) -> None:
    """Plain http is passed on through a SOCKS proxy, which resolves the name."""
    company.use(version)
    company.intranet.pages |= company.public.pages
    index = {"UV_DEFAULT_INDEX": "http://intranet/simple/"}

    done(company.run("uv", "sync", "--no-cache", ALL_PROXY=SOCKS, **index))

    assert locked(company)["iniconfig"] == "2.0.0 http://intranet/simple/"


@pytest.mark.parametrize("version", ["0.8.24", "newest"])
def test_build_backend_with_an_index_of_plain_http(version: str, company: Company) -> None:
    """A source archive of ours is built by a backend from plain http, which asks the intranet."""
    company.use(version)
    with PublicIndex([wheel("tiny-backend", "1.0", code=BACKEND)]) as served:
        company.intranet.pages |= served.pages
    company.packages.releases.append(
        ReleaseOf(tag="src", files={"internal_src-1.0.tar.gz": source_archive()})
    )
    company.write("internal-src")
    index = {"UV_DEFAULT_INDEX": "http://intranet/simple/"}
    done(company.run("uv", "sync", "--no-cache", **SETUPS["both"], **index))
    program = "import internal_src; print(internal_src.SEEN)"

    answer = done(company.run("uv", "run", "python", "-c", program, **SETUPS["both"], **index))

    assert answer.out == "intranet\n"


@pytest.mark.parametrize("version", ["0.8.24", "newest"])
def test_git_dependency(version: str, company: Company, tmp_path: Path) -> None:
    """A dependency on git+https is fetched through the user's proxy, beside ours."""
    company.use(version)
    work = tmp_path / "work"
    work.mkdir()
    (work / "pyproject.toml").write_text(
        '[project]\nname = "gitdep"\nversion = "3.0"\n'
        '[build-system]\nrequires = ["tiny-backend"]\nbuild-backend = "tiny_backend"\n'
    )
    git = ["git", "-C", str(work), "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for arguments in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *arguments], check=True)
    subprocess.run([*git, "update-server-info"], check=True)
    pages = {}
    for path in (work / ".git").rglob("*"):
        if path.is_file():
            pages[f"/gitdep.git/{path.relative_to(work / '.git')}"] = Page(body=path.read_bytes())
    company.far.pages |= pages
    company.write("internal-package", "gitdep @ git+https://pkg.test/gitdep.git")

    done(company.run("uv", "lock", "--no-cache", **SETUPS["both"]))

    assert locked(company)["gitdep"].startswith("3.0")
    assert locked(company)["internal-package"] == f"1.1.0 {company.packages.index}"
