"""The one HTTP client that leaves the machine, against real sockets."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from array import array
from base64 import b64encode
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from support.logins import of_urls, with_headers
from support.web import Asked, Page, Web
from uv_self_update.config.settings import Network
from uv_self_update.errors import (
    Interrupted,
    ProxyRefused,
    StatusRefused,
    TlsError,
    TooLarge,
    Unreachable,
    UpstreamError,
)
from uv_self_update.network.client import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Connect = Callable[..., Upstream]

LOGIN = "Basic " + b64encode(b"me:pa ss@word").decode()
USERINFO = "me:pa%20ss%40word@"
WAIT = 10.0  # seconds that an event may take on a busy machine


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Return a maker of clients, which are closed in the end."""
    made: list[Upstream] = []

    def make(
        *urls: str,
        environ: dict[str, str] | None = None,
        timeout: float = 30.0,
        ca_bundle: Path | None = None,
        retries: int = 0,
    ) -> Upstream:
        upstream = Upstream(
            Network(timeout=timeout, ca_bundle=ca_bundle, retries=retries),
            of_urls(*urls),
            environ=environ or {},
        )
        made.append(upstream)
        return upstream

    yield make
    for upstream in made:
        upstream.close()


@pytest.fixture
def other() -> Iterator[Web]:
    """Serve pages on another origin."""
    with Web() as server:
        yield server


@dataclass(kw_only=True)
class Raw:
    """A server that sends the same bytes to everyone, whatever they ask for."""

    answer: bytes
    context: ssl.SSLContext | None = None
    keep_open: bool = False
    """Whether to wait, after the answer, for the client to leave."""

    asked: list[bytes] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    """Set when a client has left, with `keep_open`."""

    url: str = ""

    @contextmanager
    def serve(self) -> Iterator[Raw]:
        """Serve until the end of the block."""
        listener = socket.create_server(("127.0.0.1", 0))
        scheme = "http" if self.context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        thread = threading.Thread(target=self._run, args=(listener,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()

    def _run(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), connection:
                if self.context is None:
                    self._talk(connection)
                else:
                    with self.context.wrap_socket(connection, server_side=True) as encrypted:
                        self._talk(encrypted)

    def _talk(self, connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = connection.recv(1 << 16)
            if not piece:
                return
            head += piece
        self.asked.append(head)
        connection.sendall(self.answer)
        if self.keep_open and not connection.recv(1):
            self.left.set()


@contextmanager
def raw(answer: bytes, *, keep_open: bool = False) -> Iterator[Raw]:
    """Serve some bytes."""
    with Raw(answer=answer, keep_open=keep_open).serve() as server:
        yield server


def redirect(location: str, status: int = 302) -> Page:
    """Return a page that leads elsewhere."""
    return Page(status=status, headers={"Location": location})


def body_of(upstream: Upstream, url: str, **options: Any) -> bytes:  # noqa: ANN401 # of `open`
    """Fetch a file as a whole."""
    with upstream.open(url, **options) as download:
        return b"".join(download.chunks)


def authorization(asked: Asked) -> str | None:
    """Return what a request was authorised with."""
    return asked.headers.get("Authorization")


def test_read(connect: Connect, web: Web) -> None:
    """A document comes with its body, its address and its media type."""
    headers = {"Content-Type": "Application/JSON ; charset=utf-8"}
    web.pages["/a"] = Page(body=b"{}", headers=headers)
    document = connect().read(f"{web.url}/a?token=x", accept="application/json")
    assert document.body == b"{}"
    assert document.url == f"{web.url}/a?token=***"
    assert document.content_type == "application/json"
    assert web.asked[0].headers["Accept"] == "application/json"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_statuses(connect: Connect, web: Web, status: int) -> None:
    """Every kind of redirect is followed."""
    web.pages |= {"/start": redirect("/end", status), "/end": Page(body=b"there")}
    assert connect().read(f"{web.url}/start").body == b"there"


@pytest.mark.parametrize(
    ("location", "keeps"),
    [
        ("{here}/deep/end", True),
        ("/deep/end", True),
        ("end", True),
        ("./x/../end?a=b", True),
        ("//{here_host}/deep/end", True),
        ("http://someone:else@{here_host}/deep/end", True),
        ("{there}/deep/end", False),
        ("//{there_host}/deep/end", False),
        ("http://someone:else@{there_host}/deep/end", False),
        ("http://localhost:{here_port}/deep/end", False),
    ],
)
@pytest.mark.parametrize("method", ["read", "open"])
def test_redirect(
    connect: Connect, web: Web, other: Web, *, location: str, keeps: bool, method: str
) -> None:
    """A login goes along to the same origin only: scheme, host and port."""
    names = {
        "here": web.url,
        "here_host": web.url.removeprefix("http://"),
        "here_port": web.url.rpartition(":")[2],
        "there": other.url,
        "there_host": other.url.removeprefix("http://"),
    }
    web.pages["/deep/start"] = redirect(location.format(**names))
    web.pages["/deep/end"] = other.pages["/deep/end"] = Page(body=b"there")
    url = web.url.replace("//", f"//{USERINFO}") + "/deep/start"
    upstream = connect(url)

    got = upstream.read(url).body if method == "read" else body_of(upstream, url)

    assert got == b"there"
    first, last = [*web.asked, *other.asked]
    assert authorization(first) == LOGIN
    assert authorization(last) == (LOGIN if keeps else None)


def test_redirect_and_back(connect: Connect, web: Web, other: Web) -> None:
    """A login that was dropped on the way to another origin stays so: that one leads back here."""
    web.pages |= {"/start": redirect(f"{other.url}/over"), "/end": Page(body=b"home")}
    other.pages["/over"] = redirect(f"{web.url}/end")
    url = web.url.replace("//", f"//{USERINFO}")
    assert connect(url).read(f"{url}/start").body == b"home"
    assert [authorization(asked) for asked in web.asked] == [LOGIN, None]
    assert [authorization(asked) for asked in other.asked] == [None]


def test_redirect_between_two_logins(connect: Connect, web: Web, other: Web) -> None:
    """A server that another one leads to gets no login, though it has one of its own."""
    web.pages["/start"] = redirect(f"{other.url}/end")
    other.pages["/end"] = Page(body=b"there")
    upstream = connect(*(server.url.replace("//", f"//{USERINFO}") for server in (web, other)))

    assert upstream.read(f"{web.url}/start").body == b"there"
    assert upstream.read(f"{other.url}/end").body == b"there"

    assert [authorization(asked) for asked in web.asked] == [LOGIN]
    assert [authorization(asked) for asked in other.asked] == [None, LOGIN]


def test_redirect_to_plain_http(
    connect: Connect, web: Web, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """From https to http is another origin: the login stays behind, and there is a warning."""
    web.pages["/end"] = Page(body=b"there")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    answer = f"HTTP/1.1 302 Found\r\nLocation: {web.url}/end\r\nContent-Length: 0\r\n\r\n"
    with Raw(answer=answer.encode(), context=context).serve() as server:
        url = server.url.replace("//", f"//{USERINFO}")
        assert connect(url, ca_bundle=bundle).read(url).body == b"there"
        shown = server.url.replace("//", "//***@")
    assert caplog.messages == [f"{shown} redirects to {web.url}/end, which is not encrypted"]
    assert f"authorization: {LOGIN}".encode().lower() in server.asked[0].lower()
    assert [authorization(asked) for asked in web.asked] == [None]


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/start", "more than 10 redirects"),
        ("file:///etc/passwd", "it redirects to file:///etc/passwd"),
        ("ftp://me:pw@h/", "it redirects to ftp://h/"),
        ("http://[", "it redirects to an invalid URL"),
        ("http://127.0.0.1:99999/", "it redirects to an invalid URL"),
        ("http://h/a@[b", "it redirects to an invalid URL"),
    ],
)
def test_bad_redirect(connect: Connect, web: Web, location: str, reason: str) -> None:
    """A redirect that leads nowhere, or to what is not the web, is refused with the reason."""
    web.pages["/start"] = redirect(location)
    with pytest.raises(Unreachable) as caught:
        connect().read(f"{web.url}/start")
    assert reason in str(caught.value)
    assert len(web.asked) == (11 if location == "/start" else 1)


def test_end_that_is_no_end(connect: Connect, web: Web) -> None:
    """A server may take the last bytes that are requested for the first ones, and send more."""
    start = {"Content-Range": "bytes 0-8/20"}
    web.pages["/wheel"] = Page(status=206, headers=start, body=b"123456789")

    assert connect().tail(f"{web.url}/wheel", 8) is None


def test_redirect_without_location(connect: Connect, web: Web) -> None:
    """A redirect that names no place is a status like any other that is not 200."""
    web.pages["/start"] = Page(status=302)
    with pytest.raises(StatusRefused) as caught:
        connect().read(f"{web.url}/start")
    assert caught.value.status == 302


@pytest.mark.parametrize(
    ("userinfo", "expected"),
    [
        ("", None),
        ("me:pw@", b"me:pw"),
        ("me@", b"me:"),
        (":pw@", b":pw"),
        ("%C3%BC:a%3Ab%40c%2F@", "ü:a:b@c/".encode()),
    ],
)
def test_login(connect: Connect, web: Web, userinfo: str, expected: bytes | None) -> None:
    """A login in a URL becomes Basic, decoded, and does not stand in what is shown."""
    web.pages["/a"] = Page(body=b"x")
    url = web.url.replace("//", f"//{userinfo}") + "/a"
    document = connect(url).read(url)
    header = authorization(web.asked[0])
    assert header == (None if expected is None else f"Basic {b64encode(expected).decode()}")
    assert document.url == f"{web.url}/a"


def test_login_of_another_origin(connect: Connect, web: Web, other: Web) -> None:
    """A login that was given for one origin is not sent to another."""
    other.pages["/a"] = Page(body=b"x")
    upstream = connect(web.url.replace("//", f"//{USERINFO}"))
    assert upstream.read(f"{other.url}/a").body == b"x"
    assert authorization(other.asked[0]) is None


def test_token(web: Web) -> None:
    """A token is sent as a bearer, to its origin."""
    web.pages["/a"] = Page(body=b"x")
    credentials = with_headers(web.url, {"Authorization": "Bearer t0ken"})
    upstream = Upstream(Network(), credentials, environ={})
    assert upstream.read(f"{web.url}/a").body == b"x"
    upstream.close()
    assert authorization(web.asked[0]) == "Bearer t0ken"


def test_header_in_place_of_our_own(web: Web) -> None:
    """A header of the user's is sent in place of ours, and not beside it, in whatever case."""
    web.pages["/a"] = Page(body=b"x")
    upstream = Upstream(Network(), with_headers(web.url, {"user-AGENT": "mine"}), environ={})
    upstream.read(f"{web.url}/a")
    upstream.close()
    sent = [value for name, value in web.asked[0].headers.items() if name.lower() == "user-agent"]
    assert sent == ["mine"]


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (204, None),
        (304, None),
        (401, "does not accept the credentials from the URL"),
        (403, "check the credentials"),
        (404, "check the URL"),
        (407, "HTTPS_PROXY"),
        (410, None),
        (429, "try again later"),
        (500, "The server failed"),
        (503, "The server failed"),
    ],
)
@pytest.mark.parametrize("method", ["read", "open"])
def test_status(connect: Connect, web: Web, *, status: int, hint: str | None, method: str) -> None:
    """A status other than 200 is an error that names the URL, the status and what to try."""
    web.pages["/a"] = Page(status=status)
    url = web.url.replace("//", f"//{USERINFO}") + "/a"
    upstream = connect(url)
    with pytest.raises(StatusRefused) as caught:
        _ = upstream.read(url).body if method == "read" else body_of(upstream, url)
    assert caught.value.status == status
    shown = web.url.replace("//", "//***@")
    assert str(caught.value).startswith(f"{shown}/a answered {status} ")
    assert (hint or "") in (caught.value.hint or "")
    assert (caught.value.hint is None) is (hint is None)


def test_raw_file(connect: Connect, web: Web) -> None:
    """A file labelled as compressed arrives as it is stored, and is not asked for otherwise."""
    packed = gzip.compress(b"content" * 1000)
    web.pages["/uv.tar.gz"] = Page(body=packed, headers={"Content-Encoding": "gzip"})
    assert body_of(connect(), f"{web.url}/uv.tar.gz") == packed
    assert web.asked[0].headers["Accept-Encoding"] == "identity"


LARGE = array("I", range(3 << 18)).tobytes()  # 3 MiB, no two places alike


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
def test_large_file(connect: Connect, web: Web, headers: dict[str, str]) -> None:
    """Of a large file every byte comes, in order, labelled or not."""
    web.pages["/a"] = Page(body=LARGE, headers=headers)
    assert body_of(connect(), f"{web.url}/a") == LARGE


def test_interrupted_large_file(connect: Connect) -> None:
    """A large file that ends too early is an error that says how far it came."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + LARGE
    with raw(answer) as server:
        with pytest.raises(Interrupted) as caught:
            body_of(connect(), server.url)
        assert "was interrupted after 3,145,728 of 4,000,000 bytes: " in str(caught.value)


def test_stalled_large_file(connect: Connect) -> None:
    """A large file that stops to come is given up after the time limit."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n" + LARGE
    with raw(answer, keep_open=True) as server:
        with pytest.raises(Interrupted, match=r"no data for 0\.2 seconds$"):
            body_of(connect(timeout=0.2), server.url)
        assert server.left.wait(WAIT)


def test_wrongly_labelled_file(connect: Connect, web: Web) -> None:
    """A file labelled as compressed that is not arrives as well."""
    web.pages["/uv.zip"] = Page(body=b"PK plain", headers={"Content-Encoding": "gzip"})
    assert body_of(connect(), f"{web.url}/uv.zip") == b"PK plain"


def test_compressed_document(connect: Connect, web: Web) -> None:
    """A document that was compressed for the way is decoded."""
    web.pages["/a"] = Page(body=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    assert connect().read(f"{web.url}/a").body == b"{}"
    assert "gzip" in web.asked[0].headers["Accept-Encoding"]


def test_wrongly_labelled_document(connect: Connect, web: Web) -> None:
    """A document that cannot be decoded is an error that names its URL."""
    web.pages["/a"] = Page(body=b"{}", headers={"Content-Encoding": "gzip"})
    with pytest.raises(Interrupted, match=f"^{web.url}/a was interrupted after 0 bytes: "):
        connect().read(f"{web.url}/a")


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd"])
def test_document_encoded_otherwise(connect: Connect, web: Web, encoding: str) -> None:
    """What was encoded twice, and could be of any size, is refused before it is decoded."""
    body = gzip.compress(gzip.compress(bytes(1 << 20)))
    web.pages["/a"] = Page(body=body, headers={"Content-Encoding": encoding})
    with pytest.raises(Unreachable, match="unexpected `Content-Encoding`"):
        connect().read(f"{web.url}/a")


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
BODY = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "size"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", 11),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\nContent-Length: 11\r\n\r\nhello world", 11),
        (b"HTTP/1.1 200 OK\r\n\r\nhello world", None),
        (b"HTTP/1.0 200 OK\r\n\r\nhello world", None),
        (b"HTTP/1.0 200\r\n\r\nhello world", None),
        (CHUNKED + b"\r\n" + BODY, None),
        (CHUNKED + b"Content-Length: 3\r\n\r\n" + BODY, None),
    ],
    ids=["length", "length twice", "no length", "1.0", "no phrase", "chunked", "both"],
)
def test_framing(connect: Connect, answer: bytes, size: int | None) -> None:
    """However a body's end is marked, the whole of it comes, and its size if that is sure."""
    with raw(answer) as server, connect().open(server.url) as download:
        assert b"".join(download.chunks) == b"hello world"
        assert download.size == size


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhello", "after 5 of 1,000 bytes"),
        (CHUNKED + b"\r\n5\r\nhello\r\n", "after 5 bytes"),
        (CHUNKED + b"\r\n5\r\nhello\r\nnonsense\r\n", "after 5 bytes"),
    ],
    ids=["length", "chunked", "not chunks"],
)
def test_interrupted(connect: Connect, answer: bytes, said: str) -> None:
    """A body that ends before it should is an error that says how far it came."""
    with raw(answer) as server:
        with pytest.raises(Interrupted) as caught:
            body_of(connect(), f"{server.url}/a?sig=x")
        assert str(caught.value).startswith(f"{server.url}/a?sig=*** was interrupted {said}: ")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    ],
    ids=["nothing", "half", "ssh", "negative", "digits", "two lengths", "large head"],
)
def test_no_answer(connect: Connect, answer: bytes) -> None:
    """What is not HTTP is no answer."""
    with (
        raw(answer) as server,
        pytest.raises(Unreachable, match=f"^failed to fetch `{server.url}`: ."),
    ):
        connect().read(server.url)


def test_absurd_length(connect: Connect) -> None:
    """A file that says it is too large is refused before its first byte."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n"
    with raw(answer, keep_open=True) as server:
        with pytest.raises(TooLarge, match="exceeds the limit of 100 bytes"):
            body_of(connect(), server.url, limit=100)
        assert server.left.wait(WAIT)


@pytest.mark.parametrize("size", [100, 101])
@pytest.mark.parametrize("kind", ["document", "compressed document", "file", "endless file"])
def test_limit(connect: Connect, web: Web, kind: str, size: int) -> None:
    """A body is taken up to its limit and no further, whatever it looked like on its way."""
    body = b"x" * size
    web.pages["/plain"] = Page(body=body)
    web.pages["/gzip"] = Page(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    upstream = connect()
    with raw(b"HTTP/1.0 200 OK\r\n\r\n" + body) as server:
        fetch: dict[str, Callable[[], bytes]] = {
            "document": lambda: upstream.read(f"{web.url}/plain", limit=100).body,
            "compressed document": lambda: upstream.read(f"{web.url}/gzip", limit=100).body,
            "file": lambda: body_of(upstream, f"{web.url}/plain", limit=100),
            "endless file": lambda: body_of(upstream, server.url, limit=100),
        }
        if size <= 100:
            assert fetch[kind]() == body
        else:
            with pytest.raises(TooLarge):
                fetch[kind]()


def test_connection_refused(connect: Connect) -> None:
    """A server that is not there is named, with the system's reason."""
    # Bound but not listening, so that nothing else can have this port meanwhile.
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable, match=f"^failed to fetch `{url}/a`: .*refused"):
            connect().read(f"{url}/a")


def test_unknown_host(connect: Connect) -> None:
    """A name that does not exist is named, and what to look at is said."""
    with pytest.raises(
        Unreachable, match=r"^failed to fetch `http://nowhere\.invalid/`: ."
    ) as caught:
        connect().read("http://nowhere.invalid/")
    assert "HTTPS_PROXY" in (caught.value.hint or "")


@pytest.mark.parametrize("url", ["http://h:99999/", "http://u:p@h:x/", "http://\x00/"])
@pytest.mark.parametrize("method", ["read", "open"])
def test_not_a_url(connect: Connect, url: str, method: str) -> None:
    """What is not a URL is an error of ours, which repeats none of what may be a password."""
    upstream = connect()
    with pytest.raises(Unreachable) as caught:
        _ = upstream.read(url).body if method == "read" else body_of(upstream, url)
    assert str(caught.value).endswith("invalid URL")


def test_silent_server(connect: Connect, web: Web) -> None:
    """A server that takes a request and says nothing is given up after the time limit."""
    over = threading.Event()

    def wait(_: Asked) -> Page:
        over.wait(WAIT)
        return Page()

    web.pages["/a"] = wait
    try:
        with pytest.raises(Unreachable, match=r"no data for 0\.2 seconds$"):
            connect(timeout=0.2).read(f"{web.url}/a")
    finally:
        over.set()


def test_stalled_body(connect: Connect) -> None:
    """A body that stops to come is given up after the time limit."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello"
    with raw(answer, keep_open=True) as server:
        with pytest.raises(Interrupted, match=r"5 of 10 bytes: no data for 0\.2 seconds$"):
            body_of(connect(timeout=0.2), server.url)
        assert server.left.wait(WAIT)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return a certificate authority that no machine knows."""
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Raw]:
    """Serve over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"
    with Raw(answer=answer, context=context).serve() as server:
        yield server


@pytest.mark.parametrize("where", ["network.ca-bundle", "SSL_CERT_FILE"])
def test_own_authority(
    connect: Connect, secure: Raw, authority: trustme.CA, tmp_path: Path, where: str
) -> None:
    """A company's own certificate authority is trusted where it is configured."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    if where == "SSL_CERT_FILE":
        upstream = connect(environ={"SSL_CERT_FILE": str(bundle)})
    else:
        upstream = connect(ca_bundle=bundle)
    assert upstream.read(secure.url).body == b"secret"


def test_unknown_authority(connect: Connect, secure: Raw) -> None:
    """A certificate of an authority that is not trusted is refused, and the message says so."""
    with pytest.raises(TlsError, match=r"127\.0\.0\.1") as caught:
        connect().read(secure.url)
    assert "network.ca-bundle" in (caught.value.hint or "")


def test_file(connect: Connect, tmp_path: Path) -> None:
    """A file on the own machine is read like a page, its URL decoded."""
    path = tmp_path / "a folder ü" / "50%.json"
    path.parent.mkdir()
    path.write_bytes(b"{}")
    url = path.as_uri()
    assert "%20" in url
    upstream = connect()
    with upstream.open(url) as download:
        assert (download.url, download.size, b"".join(download.chunks)) == (url, 2, b"{}")
    assert upstream.read(url).body == b"{}"
    assert upstream.read(url.replace("file://", "file://localhost")).body == b"{}"
    assert upstream.status(url) == 200


@pytest.mark.parametrize("path", ["missing", "file/missing"])
def test_missing_file(connect: Connect, tmp_path: Path, path: str) -> None:
    """A file that is missing is the same as one that a server does not have."""
    (tmp_path / "file").touch()
    url = f"{tmp_path.as_uri()}/{path}"
    with pytest.raises(StatusRefused, match=f"^{url} answered 404 ") as caught:
        body_of(connect(), url)
    assert caught.value.status == 404
    assert connect().status(url) == 404


@pytest.mark.parametrize("path", ["folder", "a%00b", "x" * 5000])
def test_unreadable_file(connect: Connect, tmp_path: Path, path: str) -> None:
    """What cannot be opened is refused with the reason."""
    (tmp_path / "folder").mkdir()
    url = f"{tmp_path.as_uri()}/{path}"
    with pytest.raises(Unreachable, match=f"^failed to fetch `{url}`: ."):
        connect().read(url)


def test_file_above_its_limit(connect: Connect, tmp_path: Path) -> None:
    """A file above its limit is refused before it is read."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * 101)
    with pytest.raises(TooLarge):
        body_of(connect(), path.as_uri(), limit=100)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/here", 200), ("/moved", 200), ("/missing", 404), ("/refused", 405), ("/broken", 500)],
)
def test_head(connect: Connect, web: Web, path: str, expected: int) -> None:
    """Whether a file is there is asked without fetching it, redirects followed."""
    web.pages |= {
        "/here": Page(body=b"large"),
        "/moved": redirect("/here"),
        "/refused": Page(status=405),
        "/broken": Page(status=500),
    }
    assert connect().status(web.url + path) == expected
    assert {asked.method for asked in web.asked} <= {"HEAD", "GET"}
    confirmed = [asked for asked in web.asked if asked.method == "GET"]
    assert bool(confirmed) == (expected in {404, 405})
    assert {asked.headers["Range"] for asked in confirmed} <= {"bytes=0-0"}


@pytest.mark.parametrize("status", [403, 404, 405, 410, 501, 400])
@pytest.mark.parametrize("found", [200, 206, 416])
def test_refused_head_is_confirmed(connect: Connect, web: Web, status: int, found: int) -> None:
    """A file that its server has for `GET` alone is there."""

    def page(asked: Asked) -> Page:
        return Page(status=status if asked.method == "HEAD" else found)

    web.pages["/uv"] = page
    assert connect().status(f"{web.url}/uv") == 200
    assert [asked.method for asked in web.asked] == ["HEAD", "GET"]


def test_head_that_needs_credentials_is_not_repeated(connect: Connect, web: Web) -> None:
    """A `GET` without credentials would be refused as well."""
    web.pages["/uv"] = Page(status=401)
    assert connect().status(f"{web.url}/uv") == 401
    assert [asked.method for asked in web.asked] == ["HEAD"]


def test_head_without_answer(connect: Connect) -> None:
    """A server that does not answer has no status."""
    with raw(b"") as server, pytest.raises(Unreachable):
        connect().status(server.url)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", {}),
        ('<{url}/b?page=2>; rel="next"', {"next": "{url}/b?page=2"}),
        ('</b?page=2>; rel="next", <?page=9>; rel="last"', {"next": "{url}/b?page=2", "last": ""}),
        (
            "<https://api.example.com/b?page=2>; rel=next",
            {"next": "https://api.example.com/b?page=2"},
        ),
        ('<http://[>; rel="next"', {}),
        ("nonsense", None),
    ],
)
def test_links(connect: Connect, web: Web, header: str, expected: dict[str, str] | None) -> None:
    """The other pages that a document names come as absolute URLs."""
    web.pages["/a"] = Page(headers={"Link": header.format(url=web.url)})
    links = connect().read(f"{web.url}/a").links
    if expected is None:
        assert "next" not in links
        return
    assert links.keys() == expected.keys()
    if "next" in expected:
        assert links["next"] == expected["next"].format(url=web.url)


def test_close(connect: Connect) -> None:
    """Closing ends the connections that were kept for more requests; it may be done twice."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    with raw(answer, keep_open=True) as server:
        upstream = connect()
        upstream.read(server.url)
        assert not server.left.is_set()
        upstream.close()
        upstream.close()
        assert server.left.wait(WAIT)


def test_every_failure_is_an_upstream_error() -> None:
    """Whoever asks catches one class."""
    leaves = (TlsError, Interrupted, ProxyRefused, StatusRefused, TooLarge, Unreachable)
    assert all(issubclass(leaf, UpstreamError) for leaf in leaves)
