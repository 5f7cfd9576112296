"""The proxy of `exec`, and the index behind it, without a uv."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import socket
import threading
import time
import tracemalloc
import zipfile
from base64 import b64encode
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from support.simulator.dialect import PASSWORD
from support.simulator.packages import Packages, ReleaseOf, wheel
from support.urls import source_settings
from support.web import Page, Web
from uv_self_update.config.releases import ReleasesSettings
from uv_self_update.config.settings import Network
from uv_self_update.gateway.address import listen
from uv_self_update.gateway.package_index import PackageIndex, Served
from uv_self_update.gateway.proxy import Proxy, ProxyLimits
from uv_self_update.network.client import Upstream
from uv_self_update.releases.distribution import Claim
from uv_self_update.sources.authentication import credentials_of
from uv_self_update.sources.packages import github
from uv_self_update.sources.packages.computed import ComputedDigests
from uv_self_update.sources.packages.github import GithubRepository
from uv_self_update.uv.proxies import UvProxies

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAME, CONTENT = wheel("internal", "1.0")


@dataclass(kw_only=True)
class Run:
    """A proxy, and the repository behind its index."""

    packages: Packages
    index: PackageIndex
    proxy: str

    def ask(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Ask for a URL through the proxy, as uv does."""
        parts = urlsplit(self.proxy)
        with closing(http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=30)) as made:
            made.request(method, url, body=body, headers={**self.secret, **(headers or {})})
            answer = made.getresponse()
            return answer.status, dict(answer.headers), answer.read()

    @property
    def secret(self) -> dict[str, str]:
        """The header that carries the secret of the run."""
        parts = urlsplit(self.proxy)
        pair = f"{parts.username}:{parts.password}".encode()
        return {"Proxy-Authorization": f"Basic {b64encode(pair).decode()}"}

    @property
    def page(self) -> str:
        """The URL of a project's page."""
        return f"{self.packages.index}internal/"

    @property
    def file(self) -> str:
        """The URL of its file."""
        base = self.packages.index.replace("/simple/", "/releases/download/")
        return f"{base}v1/{NAME}"

    def connect(self) -> socket.socket:
        """Connect, and say nothing."""
        return socket.create_connection(("127.0.0.1", urlsplit(self.proxy).port or 0), timeout=30)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Start a proxy."""
    with starting(tmp_path) as made:
        yield made


@contextmanager
def starting(
    cache: Path,
    environ: Mapping[str, str] | None = None,
    *,
    waiting: int = 100,
    head_time: float = 30,
) -> Iterator[Run]:
    """Start a proxy with some options, and the variables of a user."""
    releases = [ReleaseOf(tag="v1", files={NAME: CONTENT})]
    with ExitStack() as stack:
        packages = stack.enter_context(Packages(releases=releases))
        source = source_settings(kind="github", url=packages.place)
        credentials = credentials_of(source, {"UV_GITHUB_TOKEN": PASSWORD}, given=None)
        upstream = stack.enter_context(
            closing(Upstream(Network(retries=0), credentials, environ={}))
        )
        repository = GithubRepository(ReleasesSettings(source=source, prereleases=False), upstream)
        served = Served(repository=repository, claim=Claim(patterns=("internal*",)))
        index = PackageIndex([served], ComputedDigests(directory=cache / "digests"))
        address = listen()
        proxy = Proxy(
            address,
            own=index.owns,
            answer=index.answer,
            proxy_for=UvProxies.of(environ or {}).for_host,
            limits=ProxyLimits(waiting=waiting, head_time=head_time),
        )
        stack.enter_context(closing(proxy))
        yield Run(packages=packages, index=index, proxy=address.proxy)


def test_secret_is_required(run: Run, web: Web) -> None:
    """Without the secret of the run, or with two, nothing is answered, passed on or read."""
    web.pages["/a"] = Page(body=b"yes")
    for headers in ({"Proxy-Authorization": "Basic eDp5"}, {"Proxy-Authorization": ""}):
        for url in (f"{web.url}/a", run.page, run.file):
            status, got, _ = run.ask(url, headers=headers)
            assert status == 407
            # git and curl, which ask without it first, come back with it only then.
            assert got["Connection"] == "close"
    with run.connect() as connection:
        connection.sendall(b"POST http://h/ HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 407 ")
    assert web.asked == []
    assert run.packages.asked == []
    assert run.ask(f"{web.url}/a")[2] == b"yes"


def test_only_http_urls_are_passed_on(run: Run) -> None:
    """What is no http URL is refused: a tunnel, a path, another scheme, a bad port."""
    for target in ("/a", "https://h.example/", "http://", "http://h:x/", "ftp://h/"):
        assert run.ask(target)[0] == 501
    with run.connect() as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in run.secret.items())
        connection.sendall(f"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n{head}\r\n".encode())
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 501 ")


def test_silent_connections_keep_nobody_out(tmp_path: Path) -> None:
    """Of connections that say nothing, a bounded number is kept, for a bounded time."""
    before = threading.active_count()
    with starting(tmp_path, waiting=4, head_time=0.5) as run, ExitStack() as stack:
        silent = [stack.enter_context(run.connect()) for _ in range(40)]
        assert run.ask(run.page)[0] == 200
        assert threading.active_count() - before < 20
        for connection in silent:
            assert connection.recv(1) == b""


def test_slow_head_is_ended(tmp_path: Path) -> None:
    """A head that comes byte by byte is not waited for anew with each byte."""
    with starting(tmp_path, head_time=0.4) as run, run.connect() as connection:
        begun = time.monotonic()
        connection.settimeout(0.02)
        ended = False
        while not ended and time.monotonic() - begun < 5:
            try:
                connection.sendall(b"G")
                ended = connection.recv(1) == b""
            except TimeoutError:
                pass
            except OSError:
                ended = True
        assert ended


def test_connection_is_kept(run: Run) -> None:
    """Several requests go over one connection."""
    parts = urlsplit(run.proxy)
    with closing(http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=30)) as made:
        for url in (run.page, run.file, run.page):
            made.request("GET", url, headers=run.secret)
            answer = made.getresponse()
            assert answer.status == 200
            answer.read()


def test_request_is_passed_on_as_it_was_sent(run: Run, web: Web) -> None:
    """Method, query, headers and body reach the server; what is of one connection does not."""
    web.pages["/a"] = Page(
        body=b"pong", headers={"X-Own": "1", "Connection": "X-Hop", "X-Hop": "1"}
    )
    url = f"{web.url}/a?b=%2F&c"
    headers = {"X-Mine": "2", "Connection": "X-Drop, keep-alive", "X-Drop": "3", "Host": "evil"}
    status, got, body = run.ask(url, method="PUT", headers=headers, body=b"ping")

    assert (status, body, got["X-Own"]) == (200, b"pong", "1")
    assert "X-Hop" not in got
    (asked,) = web.asked
    assert (asked.method, asked.path) == ("PUT", "/a?b=%2F&c")
    assert asked.headers["X-Mine"] == "2"
    assert asked.headers["Host"] == urlsplit(web.url).netloc
    assert not {"Proxy-Authorization", "X-Drop"} & {*asked.headers}


def test_request_is_passed_on_through_the_users_proxy(tmp_path: Path, web: Web) -> None:
    """The user's own proxy gets the whole URL and its own credentials, not the run's secret."""
    web.pages["/x"] = Page(body=b"by proxy")
    proxy = web.url.replace("://", "://me:pass%20word@")
    with starting(tmp_path, {"HTTP_PROXY": proxy}) as run:
        run.ask("http://far.example/x?y")
        (asked,) = web.asked
        assert asked.path == "http://far.example/x?y"
        assert asked.headers["Proxy-Authorization"] == "Basic bWU6cGFzcyB3b3Jk"
        assert asked.headers["Host"] == "far.example"


@pytest.mark.parametrize(
    "proxy",
    [
        *("socks5h://127.0.0.1:9", "socks4://127.0.0.1:9", "https://127.0.0.1:9", "http://x:99999"),
        *("https://jo:s3cret@127.0.0.1:9", "jo:s3cret@x:99999", "jo:s3cret@x:0"),
    ],
)
def test_proxy_that_cannot_be_used(proxy: str, tmp_path: Path) -> None:
    """What cannot be passed on is 502, with the reason, and without the proxy's password."""
    with starting(tmp_path, {"HTTP_PROXY": proxy}) as run:
        status, _, body = run.ask("http://far.example/x")
        assert status == 502
        assert b"through the proxy" in body or b"connection" in body
        assert b"s3cret" not in body


def test_head_fetches_nothing(run: Run) -> None:
    """HEAD is answered from what is known, and no file is opened for it."""
    status, headers, body = run.ask(run.file, method="HEAD")

    assert (status, headers["Content-Length"], body) == (200, str(len(CONTENT)), b"")
    assert run.packages.calls("/assets/") == []


def test_other_methods_are_refused(run: Run) -> None:
    """Nothing is written."""
    assert run.ask(run.page, method="POST", body=b"x")[0] == 405


def test_changed_file_is_never_complete(run: Run) -> None:
    """A file whose digest is not the published one breaks off before its last byte."""
    assert run.ask(run.page)[0] == 200
    run.packages.releases[0].served = {NAME: CONTENT[:-1] + b"X"}

    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        run.ask(run.file)

    (failure,) = run.index.failures
    assert "expected sha256" in str(failure.error)


def test_what_comes_later_is_no_failure(run: Run) -> None:
    """A refusal is forgotten once the same request succeeds."""
    run.packages.limited = True
    assert run.ask(run.file)[0] in {424, 503}
    assert len(run.index.failures) == 1

    run.packages.limited = False
    assert run.ask(run.file)[0] == 200
    assert run.index.failures == []


def test_missing_files_are_explained(run: Run) -> None:
    """A missing tag is answered with the tags that there are, a missing file with the files."""
    assert run.ask(run.file.replace("/v1/", "/v9/"))[0] == 404
    assert run.ask(run.file.replace("1.0", "2.0"))[0] == 404

    first, second = (f"{failure.error} {failure.error.hint}" for failure in run.index.failures)
    assert "has no release v9" in first
    assert "It has: v1." in first
    assert f"It has: {NAME}." in second


def test_unclaimed_file_is_not_served(run: Run) -> None:
    """What is not claimed is served by no URL, its metadata neither."""
    name, content = wheel("other", "1.0")
    run.packages.releases[0].files[name] = content
    base = run.file.removesuffix(NAME)

    assert run.ask(f"{run.packages.index}other/")[0] == 404
    assert run.ask(base + name)[0] == 404
    assert run.ask(f"{base}{name}.metadata")[0] == 404


@pytest.mark.parametrize("sized", [True, False])
@pytest.mark.parametrize("ranges", [206, 200, 400, 416, 501])
@pytest.mark.parametrize("at", ["end", "begin"])
def test_metadata_wherever_it_is(
    at: str,
    ranges: int,
    sized: bool,  # noqa: FBT001 # a case
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """METADATA comes from the last 64 KiB, or from the whole wheel where it is not in them.

    A server may send the whole wheel, or refuse the request for a part; and a list may have no
    sizes, as a page of links.
    """
    body = io.BytesIO()
    info = "internal-1.0.dist-info/METADATA"
    with zipfile.ZipFile(body, "w") as file:
        entries = [(info, b"Name: internal\n"), ("internal/data", bytes(200_000))]
        for name, content in entries if at == "begin" else reversed(entries):
            file.writestr(name, content)
    run.packages.releases[0].files[NAME] = body.getvalue()
    storage = run.packages.storage
    storage.ranges = ranges == HTTPStatus.PARTIAL_CONTENT
    if ranges >= HTTPStatus.BAD_REQUEST:
        page_for = storage.page_for
        refused = Page(status=ranges)
        monkeypatch.setattr(
            storage, "page_for", lambda it: refused if "Range" in it.headers else page_for(it)
        )
    if not sized:
        monkeypatch.setattr(github, "stated_size", lambda _: None)

    status, _, metadata = run.ask(f"{run.file}.metadata")

    assert (status, metadata) == (200, b"Name: internal\n")
    whole = [asked for asked in storage.asked if "Range" not in asked.headers]
    assert len(whole) == (at != "end" or not storage.ranges)


@pytest.mark.parametrize("content", [b"", b"PK", CONTENT[:-30], b"x" * 70_000])
def test_broken_wheel_has_no_metadata(content: bytes, run: Run) -> None:
    """What is no wheel has none, which is 404 and no crash."""
    run.packages.releases[0].files[NAME] = content

    assert run.ask(f"{run.file}.metadata")[0] == 404
    assert run.index.failures == []


def test_large_file_is_not_held_in_memory(run: Run) -> None:
    """A large wheel passes in pieces: the memory that is used does not grow with it."""
    size = 48 << 20
    content = bytes(size)
    run.packages.releases[0].files[NAME] = content
    parts = urlsplit(run.proxy)
    digest, read = hashlib.sha256(), 0
    tracemalloc.start()
    with closing(http.client.HTTPConnection("127.0.0.1", parts.port or 0, timeout=60)) as made:
        made.request("GET", run.file, headers=run.secret)
        answer = made.getresponse()
        while piece := answer.read(1 << 20):
            digest.update(piece)
            read += len(piece)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert read == size
    assert digest.digest() == hashlib.sha256(content).digest()
    assert peak < 16 << 20


def test_computed_digests_are_kept(tmp_path: Path) -> None:
    """An asset without a digest is read once, also by the next run; a replaced one anew."""
    with starting(tmp_path) as run:
        run.packages.releases[0].digests = False
        (file,) = json.loads(run.ask(run.page)[2])["files"]
        assert file["hashes"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()
        assert len(run.packages.calls("/assets/")) == 1
        run.ask(run.page)
        assert len(run.packages.calls("/assets/")) == 1
    kept = [*(tmp_path / "digests").iterdir()]
    assert [path.read_text() for path in kept] == [hashlib.sha256(CONTENT).hexdigest()]
    kept[0].write_text("not a digest")

    with starting(tmp_path) as run:
        run.packages.releases[0].digests = False
        (file,) = json.loads(run.ask(run.page)[2])["files"]
        assert file["hashes"]["sha256"] == hashlib.sha256(CONTENT).hexdigest()


def test_digests_are_computed_side_by_side(run: Run) -> None:
    """Several assets are read at once, and no more than four."""
    files = dict(wheel("internal", f"1.{number}") for number in range(12))
    run.packages.releases[0].files = files
    run.packages.releases[0].digests = False
    together, more, now, most = threading.Event(), threading.Event(), 0, 0
    lock = threading.Lock()
    asset = run.packages.storage.page_for

    def counted(asked: Any) -> Page:  # noqa: ANN401 # as Storage has it
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == 4:
                together.set()
            elif now > 4:
                more.set()
        together.wait(5)
        more.wait(0.05)
        page = asset(asked)
        with lock:
            now -= 1
        return page

    run.packages.storage.page_for = counted  # type: ignore[method-assign]
    document = json.loads(run.ask(run.page)[2])

    assert {file["filename"]: file["hashes"]["sha256"] for file in document["files"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert most == 4


def test_repository_that_fails_is_asked_once(run: Run) -> None:
    """Where the list cannot be read, other pages of the run fail without another request."""
    run.packages.limited = True
    for project in ("internal", "internal-a", "internal-b"):
        assert run.ask(f"{run.packages.index}{project}/")[0] in {424, 503}

    assert len(run.packages.asked) == 1
    assert len(run.index.failures) == 1
    assert run.index.failures[0].page


def test_sso_is_explained(run: Run) -> None:
    """A token without the organization's SSO is told where to get it, without the URL's query."""
    headers = {"X-GitHub-SSO": "required; url=https://h.example/orgs/acme/sso?authorization=SECRET"}
    run.packages.page_for = lambda _: Page(status=403, headers=headers)  # type: ignore[method-assign, assignment]

    assert run.ask(run.page)[0] == 424

    hint = run.index.failures[0].error.hint or ""
    assert "open https://h.example/orgs/acme/sso to authorize it" in hint
    assert "SECRET" not in hint
