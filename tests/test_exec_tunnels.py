"""What the proxy of `exec` does with https, without a uv."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from base64 import b64encode
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme

from support.direct import SDIST, WHEEL, SecurePackages
from support.proxy import trust
from support.simulator.dialect import PASSWORD
from support.simulator.packages import ReleaseOf, wheel
from support.urls import source_settings
from support.web import Page, Web
from uv_self_update.config.releases import ReleasesSettings
from uv_self_update.config.settings import Network
from uv_self_update.gateway.address import listen
from uv_self_update.gateway.authority import Authority
from uv_self_update.gateway.direct_urls import DirectUrls
from uv_self_update.gateway.package_index import PackageIndex, Served
from uv_self_update.gateway.proxy import Proxy
from uv_self_update.gateway.tunnels import SecureHost, Tunnels
from uv_self_update.network.client import Upstream
from uv_self_update.network.tls import Trust
from uv_self_update.releases.distribution import Claim
from uv_self_update.releases.release_urls import OF_KIND
from uv_self_update.sources.authentication import credentials_of
from uv_self_update.sources.packages.computed import ComputedDigests
from uv_self_update.sources.packages.github import GithubRepository
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

UV = "uv/0.13.9 {}"
GIT = "git/2.39.5"
GUESS = "0" * 48


@dataclass(kw_only=True)
class Run:
    """A proxy, and the private repository over TLS."""

    packages: SecurePackages
    index: PackageIndex
    proxy: str
    authority: Authority
    real: ssl.SSLContext
    """Trusts the repository's own certificate, and not that of the run."""

    def tunnel(
        self,
        agent: str,
        *,
        secret: str | None = None,
        context: ssl.SSLContext | None = None,
        url: str | None = None,
    ) -> http.client.HTTPSConnection:
        """Return a connection through the proxy, to the repository or to the host of `url`."""
        parts, host = urlsplit(self.proxy), urlsplit(url or self.packages.url)
        pair = f"{parts.username}:{parts.password if secret is None else secret}".encode()
        made = http.client.HTTPSConnection(
            "127.0.0.1", parts.port or 0, timeout=30, context=context or self.ours
        )
        headers = {"Proxy-Authorization": f"Basic {b64encode(pair).decode()}", "User-Agent": agent}
        made.set_tunnel(host.hostname or "", host.port, headers)
        return made

    @property
    def ours(self) -> ssl.SSLContext:
        """What trusts the authority of the run, and no other."""
        return ssl.create_default_context(cadata=self.authority.certificate.decode())

    def ask(
        self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Ask for a path of the repository's host, as uv does."""
        with closing(self.tunnel(UV)) as made:
            made.request(method, path, headers=dict(headers or {}))
            answer = made.getresponse()
            return answer.status, dict(answer.headers), answer.read()

    def path(self, name: str = WHEEL[0], tag: str = "v1.1.0") -> str:
        """Return the path that GitHub gives a file."""
        return urlsplit(self.packages.release_file(name, tag)).path


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Start a proxy."""
    with starting(tmp_path) as made:
        yield made


@contextmanager
def starting(place: Path, *, proxy: str | None = None, trusted: bool = True) -> Iterator[Run]:
    """Start a proxy; `proxy` is the user's own, and only a trusted repository is verified."""
    company = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    company.issue_cert("127.0.0.1").configure_cert(context)
    bundle = trust(company, place)
    network = Network(retries=0, ca_bundle=bundle)
    releases = [ReleaseOf(tag="v1.1.0", files=dict([WHEEL, SDIST]))]
    with ExitStack() as stack:
        packages = stack.enter_context(SecurePackages(releases=releases, context=context))
        source = source_settings(kind="github", url=packages.place)
        credentials = credentials_of(source, {"UV_GITHUB_TOKEN": PASSWORD}, given=None)
        upstream = stack.enter_context(closing(Upstream(network, credentials, environ={})))
        repository = GithubRepository(ReleasesSettings(source=source, prereleases=True), upstream)
        served = Served(repository=repository, claim=Claim(patterns=("internal-*",)))
        index = PackageIndex([served], ComputedDigests(directory=place / "digests"))
        authority = Authority(["127.0.0.1"])
        netloc = urlsplit(packages.url).netloc
        verifying = Trust(network if trusted else Network(), environ={})
        host = SecureHost(
            netloc=netloc,
            server=authority.contexts["127.0.0.1"],
            client=lambda: verifying.context_for(Url.parse(packages.url), identified=False),
        )
        tunnels = Tunnels(
            {netloc: host},
            DirectUrls([(served, OF_KIND["github"])], index),
            proxy_for=lambda _: proxy,
        )
        address = listen()
        served_by = Proxy(
            address,
            own=index.owns,
            answer=index.answer,
            proxy_for=lambda _: None,
            tunnels=tunnels,
        )
        stack.enter_context(closing(served_by))
        yield Run(
            packages=packages,
            index=index,
            proxy=address.proxy,
            authority=authority,
            real=ssl.create_default_context(cafile=str(bundle)),
        )


def test_file_comes_from_the_api(run: Run) -> None:
    """A release file is asked of the API, whole, and uv keeps it for a year."""
    status, headers, body = run.ask(run.path())

    assert (status, body) == (200, WHEEL[1])
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert len(run.packages.calls("/assets/")) == 1
    # The site itself, which would say 404, is not asked.
    assert [path for path in run.packages.paths() if not path.startswith("/api/")] == []


def test_path_in_any_case_and_without_a_body(run: Run) -> None:
    """GitHub's paths are the same in any case, and HEAD fetches nothing."""
    path = run.path().replace("/acme/tools/", "/Acme/TOOLS/")
    status, headers, body = run.ask(path, method="HEAD")

    assert (status, headers["Content-Length"], body) == (200, str(len(WHEEL[1])), b"")
    assert run.packages.calls("/assets/") == []


def test_several_requests_on_one_connection(run: Run) -> None:
    """A tunnel carries one request after the other, ours and the host's."""
    run.packages.pages["/api/v3/x"] = Page(body=b"x")
    with closing(run.tunnel(UV)) as made:
        for path, expected in ((run.path(), 200), ("/other", 404), (run.path(SDIST[0]), 200)):
            made.request("GET", path)
            answer = made.getresponse()
            assert answer.status == expected
            answer.read()


def test_secret_is_required(run: Run) -> None:
    """Without the secret of the run there is no tunnel, to our host or any other."""
    for agent in (UV, GIT):
        with (
            closing(run.tunnel(agent, secret=GUESS)) as made,
            pytest.raises(OSError, match="407"),
        ):
            made.connect()
    assert run.packages.asked == []


def test_tls_ends_for_uv_alone(run: Run) -> None:
    """git, curl and a client without a name get the host's own certificate, end to end."""
    for agent in (GIT, "curl/8", "python-uv/1", ""):
        with closing(run.tunnel(agent, context=run.real)) as made:
            made.request("GET", run.path())
            assert made.getresponse().status == 404
        with closing(run.tunnel(agent)) as made, pytest.raises(ssl.SSLCertVerificationError):
            made.connect()
    uv = run.tunnel(UV, context=run.real)
    with closing(uv) as made, pytest.raises(ssl.SSLCertVerificationError):
        made.connect()


def test_tls_of_other_hosts_is_passed_on(run: Run) -> None:
    """For a host without a repository, uv itself gets that host's own certificate."""
    company, real = trustme.CA(), ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    company.issue_cert("127.0.0.1").configure_cert(context)
    company.configure_trust(real)
    with (
        Web({"/a": Page(body=b"there")}, context=context) as other,
        closing(run.tunnel(UV, context=real, url=other.url)) as made,
    ):
        made.request("GET", "/a")
        assert made.getresponse().read() == b"there"


def test_only_http_1(run: Run) -> None:
    """A client that would take h2 gets HTTP/1.1."""
    context = run.ours
    context.set_alpn_protocols(["h2", "http/1.1"])
    with closing(run.tunnel(UV, context=context)) as made:
        made.connect()
        assert isinstance(made.sock, ssl.SSLSocket)
        assert made.sock.selected_alpn_protocol() == "http/1.1"


def test_other_paths_are_passed_on(run: Run) -> None:
    """Method, query, headers and credentials reach the host; a redirect comes back as it is."""
    run.packages.public["/other/repo/releases/download/v1/x.whl"] = b"public"
    status, headers, _ = run.ask("/other/repo/releases/download/v1/x.whl?a=%2F")
    assert status == 302
    assert headers["Location"].startswith("https://127.0.0.1:")
    own = {
        "Authorization": "Basic b3duOnBhc3M=",
        "X-Own": "1",
        "Connection": "X-Drop",
        "X-Drop": "2",
    }
    run.ask("/x/y.git/git-upload-pack?service=z", method="POST", headers=own)

    last = run.packages.asked[-1]
    assert (last.method, last.path) == ("POST", "/x/y.git/git-upload-pack?service=z")
    assert last.headers["Authorization"] == "Basic b3duOnBhc3M="
    assert last.headers["Host"] == urlsplit(run.packages.url).netloc
    assert last.headers["X-Own"] == "1"
    assert not {"X-Drop", "Proxy-Authorization"} & {*last.headers}


def test_credentials_stay_where_they_belong(run: Run) -> None:
    """The client's own credential does not reach the API, and the token not the site."""
    own = {"Authorization": "Basic b3duOnBhc3M="}
    assert run.ask(run.path(), headers=own)[0] == 200
    run.ask("/acme/tools/archive/v1.zip")

    for asked in run.packages.asked:
        credential = asked.headers.get("Authorization")
        assert credential == (f"Bearer {PASSWORD}" if asked.path.startswith("/api/") else None)


def test_host_that_is_not_verified_is_not_asked(tmp_path: Path) -> None:
    """Where the host's own certificate is not trusted, nothing is passed on to it."""
    with starting(tmp_path, trusted=False) as run:
        status, _, body = run.ask("/other")

        assert status == 502
        assert b"certificate" in body.lower()
        assert run.packages.asked == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("tag", "has no release v9, which should hold internal_package-1.1.0-py3-none-any.whl"),
        ("file", "release v1.1.0 of {place} does not hold internal_package-7-py3-none-any.whl"),
        ("limit", "403"),
        ("token", "answered 404"),
    ],
)
def test_refusals_are_explained(change: str, expected: str, run: Run) -> None:
    """What is missing or forbidden is remembered, with what exists instead."""
    path = run.path()
    if change == "tag":
        path = run.path(tag="v9")
    elif change == "file":
        path = run.path("internal_package-7-py3-none-any.whl")
    elif change == "limit":
        run.packages.limited = True
    else:
        run.packages.page_for = lambda _: Page(status=404)  # type: ignore[method-assign, assignment]

    assert run.ask(path)[0] >= 400

    (failure,) = run.index.failures
    assert expected.format(place=run.packages.place) in str(failure.error)


@pytest.mark.parametrize("page", ["/login?return_to=%2Facme", "/users/sign_in", "/user/login"])
def test_page_to_sign_in_at_is_no_file(page: str, run: Run) -> None:
    """A site that asks for a session has no file for everyone: our reason counts."""
    run.packages.limited = True
    target = f"{run.packages.url}{page}"
    moved = Page(status=302, headers={"Location": target})
    answer = run.packages.page_for
    run.packages.page_for = lambda asked: answer(asked) if "/api/" in asked.path else moved  # type: ignore[method-assign]

    assert run.ask(run.path())[0] >= 400
    (failure,) = run.index.failures
    assert "403" in str(failure.error)


def test_public_file_needs_no_api(run: Run) -> None:
    """Where the API refuses, and the site has the file for everyone, it comes from there."""
    run.packages.limited = True
    run.packages.public[run.path()] = WHEEL[1]

    assert run.ask(run.path())[0] == 302
    assert run.index.failures == []


def test_unclaimed_file_is_the_hosts_own_affair(run: Run) -> None:
    """A project that is not claimed is asked of the site, without a credential."""
    name, content = wheel("other", "1.0")
    run.packages.releases[0].files[name] = content

    assert run.ask(run.path(name))[0] == 404
    assert run.packages.calls("/api/") == []


def test_changed_file_is_never_complete(run: Run) -> None:
    """A file whose digest is not the published one breaks off, which the client sees."""
    run.packages.releases[0].served = {WHEEL[0]: WHEEL[1][:-1] + b"X"}

    with pytest.raises((http.client.IncompleteRead, OSError)):
        run.ask(run.path())
    assert "expected sha256" in str(run.index.failures[0].error)


def test_tunnel_through_the_users_proxy(tmp_path: Path, web: Web) -> None:
    """The user's proxy is asked for the tunnel with its own credentials; its refusal is said."""
    with starting(tmp_path, proxy=web.url.replace("://", "://me:pass%20word@")) as run:
        with closing(run.tunnel(GIT)) as made, pytest.raises(OSError, match="502"):
            made.connect()
        assert run.ask("/other")[0] == 502
        for asked in web.asked:
            assert (asked.method, asked.path) == ("CONNECT", urlsplit(run.packages.url).netloc)
            assert asked.headers["Proxy-Authorization"] == "Basic bWU6cGFzcyB3b3Jk"
        assert len(web.asked) == 2


@pytest.mark.parametrize(
    "target", ["", "h", "h:0", "h:x", "h:99999", "u@h:1", "http://h:1", "h:1/a"]
)
def test_target_has_to_be_a_host_and_a_port(target: str, run: Run) -> None:
    """Anything else is refused."""
    parts = urlsplit(run.proxy)
    pair = b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    head = (
        f"CONNECT {target or '/'} HTTP/1.1\r\nHost: h\r\nProxy-Authorization: Basic {pair}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=30) as made:
        made.sendall(head.encode())
        assert made.recv(1 << 16).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 502 "))


def test_tunnel_passes_whatever_comes(tmp_path: Path) -> None:
    """Bytes pass both ways in any order, and each side may end before the other."""
    with starting(tmp_path) as run, socket.create_server(("127.0.0.1", 0)) as far:
        parts = urlsplit(run.proxy)
        pair = b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        port = far.getsockname()[1]
        head = (
            f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: h\r\nProxy-Authorization: Basic {pair}\r\n"
        )
        with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=30) as made:
            # A client may send before it knows that there is a tunnel.
            made.sendall(head.encode() + b"\r\nearly ")
            server, _ = far.accept()
            with server:
                server.settimeout(30)
                made.sendall(b"late")
                made.shutdown(socket.SHUT_WR)
                got = b"".join(iter(lambda: server.recv(100), b""))
                server.sendall(b"answer")
                server.shutdown(socket.SHUT_WR)
                sent = b"".join(iter(lambda: made.recv(100), b""))
        assert got == b"early late"
        assert sent.endswith(b"\r\n\r\nanswer")


@pytest.mark.parametrize("target", ["@127.0.0.1:9/x", "https://h/x", ".evil.example/", "*"])
def test_target_within_a_tunnel_is_a_path(target: str, run: Run) -> None:
    """What is not a path could name another host, and is asked of none."""
    with closing(run.tunnel(UV)) as made:
        made.connect()
        made.sock.sendall(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        assert made.sock.recv(1000).startswith(b"HTTP/1.1 400 ")
    assert run.packages.asked == []


def test_server_that_speaks_first(tmp_path: Path) -> None:
    """What a server says at once, together with the proxy's head, is passed on."""
    with socket.create_server(("127.0.0.1", 0)) as far:
        proxy = f"http://127.0.0.1:{far.getsockname()[1]}"
        with starting(tmp_path, proxy=proxy) as run:
            parts = urlsplit(run.proxy)
            pair = b64encode(f"{parts.username}:{parts.password}".encode()).decode()
            head = f"CONNECT h:22 HTTP/1.1\r\nHost: h\r\nProxy-Authorization: Basic {pair}\r\n\r\n"
            with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=30) as made:
                made.sendall(head.encode())
                server, _ = far.accept()
                with server:
                    assert server.recv(1000).startswith(b"CONNECT h:22 HTTP/1.1\r\n")
                    server.sendall(b"HTTP/1.0 200 OK\r\nVia: x\r\n\r\nSSH-2.0-x\r\n")
                    server.shutdown(socket.SHUT_WR)
                    got = b"".join(iter(lambda: made.recv(100), b""))
    assert got.endswith(b"\r\n\r\nSSH-2.0-x\r\n")


def test_requests_side_by_side(run: Run) -> None:
    """Many requests at once reach a server that makes one TLS connection after the other."""
    found: list[int] = []

    def ask() -> None:
        found.append(run.ask("/other")[0])

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [404] * 16


def test_tunnels_leave_no_threads(run: Run) -> None:
    """When a client leaves, what served it ends."""
    before = threading.active_count()
    for agent in (UV, GIT) * 5:
        context = run.ours if agent is UV else run.real
        with closing(run.tunnel(agent, context=context)) as made:
            made.request("GET", "/other")
            made.getresponse().read()
    deadline = threading.Event()
    for _ in range(100):
        if threading.active_count() <= before:
            break
        deadline.wait(0.05)
    assert threading.active_count() <= before


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=-10", slice(-10, None)),
        ("bytes=0-0", slice(0, 1)),
        ("bytes=5-20", slice(5, 21)),
        ("bytes=5-", slice(5, None)),
        ("bytes=7-99999999", slice(7, None)),
        ("bytes=-99999999", slice(0, None)),
        ("bytes=-0", None),
        ("bytes=99999999-", None),
        ("bytes=9-5", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("lines=0-1", None),
    ],
)
def test_parts_of_a_file(wanted: str, expected: slice | None, run: Run) -> None:
    """A part of a file is that part; a range that makes no sense gets the whole file."""
    status, headers, body = run.ask(run.path(), headers={"Range": wanted})

    if expected is None:
        assert (status, body) == (200, WHEEL[1])
        return
    assert (status, body) == (206, WHEEL[1][expected])
    first, last, _ = expected.indices(len(WHEEL[1]))
    assert headers["Content-Range"] == f"bytes {first}-{last - 1}/{len(WHEEL[1])}"


def test_parts_cost_one_request(run: Run) -> None:
    """What uv reads of a wheel's end in pieces is fetched once."""
    _, headers, _ = run.ask(run.path(), method="HEAD")
    assert headers["Accept-Ranges"] == "bytes"
    for wanted in ("bytes=-100", "bytes=-200", "bytes=3-40"):
        assert run.ask(run.path(), headers={"Range": wanted})[0] == 206

    assert len(run.packages.calls("/assets/")) == 1


@pytest.mark.parametrize("why", ["storage", "condition", "far"])
def test_whole_file_instead_of_a_part(why: str, run: Run) -> None:
    """Where the storage sends no part, or it is far from the end, the whole file is sent."""
    headers = {"Range": "bytes=0-9"}
    content = WHEEL[1]
    if why == "storage":
        run.packages.storage.ranges = False
    elif why == "condition":
        headers["If-Range"] = '"x"'
    else:
        content = bytes(9 << 20)
        run.packages.releases[0].files[WHEEL[0]] = content

    assert run.ask(run.path(), headers=headers)[::2] == (200, content)


def test_part_of_what_is_missing(run: Run) -> None:
    """A part of a file that does not exist is refused, and explained."""
    path = run.path(tag="v9")
    assert run.ask(path, headers={"Range": "bytes=-1"})[0] == 404
    assert "has no release v9" in str(run.index.failures[0].error)
