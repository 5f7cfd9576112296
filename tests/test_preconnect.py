"""The connection that is begun before the HTTP client is imported: where it leads, and its end."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import trustme

from support import certificates
from support.logins import of_urls
from support.proxy import HOST, Proxy, trust
from support.servers.greeter import server_context, written
from support.urls import source_settings, text_of
from support.web import Page, Web
from uv_self_update.background import Background
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import TlsError, Unreachable, UpstreamError
from uv_self_update.network.access import Access
from uv_self_update.network.client import Upstream
from uv_self_update.network.limits import Limits
from uv_self_update.redaction import Secret
from uv_self_update.sources.addresses import first_url, preconnect
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from uv_self_update.config.kinds import SourceSettings

WAIT = 10.0
"""Seconds that an event may take on a busy machine."""

PASSPHRASE = "correct horse"  # noqa: S105 # of a key that nobody uses


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return an authority that only `bundle` names."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    """Return a file with its certificate."""
    return written(authority, tmp_path / "authority.pem")


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Web]:
    """Serve a page over TLS."""
    context = server_context(authority.issue_cert("127.0.0.1"))
    with Web({"/a": Page(body=b"there")}, context=context) as server:
        yield server


@contextmanager
def client(access: Access, *urls: str, limits: Limits | None = None) -> Iterator[Upstream]:
    """Return a client of a run, with the credentials in some URLs."""
    upstream = Upstream(
        access.network, of_urls(*urls), environ={}, access=access, limits=limits or Limits()
    )
    with closing(upstream):
        yield upstream


def begun(access: Access) -> None:
    """Wait until the connection is made."""
    assert access.preconnection is not None
    last = access.preconnection.securing or access.preconnection.connecting
    assert last.wait(WAIT)


def test_one_connection(web: Web) -> None:
    """The first request uses the connection, and so does the second one."""
    web.pages["/a"] = Page(body=b"there")
    access = Access(Network(retries=0), {})
    access.preconnect(Url.parse(f"{web.url}/elsewhere"))
    with client(access) as upstream:
        assert [upstream.read(f"{web.url}/a").body for _ in range(2)] == [b"there", b"there"]
    assert web.connections == 1


@pytest.mark.parametrize("finished", [True, False])
def test_one_connection_with_tls(secure: Web, bundle: Path, *, finished: bool) -> None:
    """The same with TLS, whether or not the handshake is over before the request."""
    access = Access(Network(ca_bundle=bundle, retries=0), {})
    access.preconnect(Url.parse(secure.url))
    if finished:
        begun(access)
    with client(access, secure.url) as upstream:
        assert [upstream.read(f"{secure.url}/a").body for _ in range(2)] == [b"there", b"there"]
        assert access.preconnection is not None
        assert access.preconnection.securing is not None
        assert isinstance(access.preconnection.securing.result(), ssl.SSLSocket)
    assert secure.connections == 1


def test_another_server(web: Web, secure: Web, bundle: Path) -> None:
    """A request to another server uses a connection of its own."""
    web.pages["/a"] = Page(body=b"here")
    access = Access(Network(ca_bundle=bundle, retries=0), {})
    access.preconnect(Url.parse(web.url))
    begun(access)
    with client(access, secure.url) as upstream:
        assert upstream.read(f"{secure.url}/a").body == b"there"
        assert upstream.read(f"{web.url}/a").body == b"here"
    assert (web.connections, secure.connections) == (1, 1)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_through_a_proxy(web: Web, authority: trustme.CA, tmp_path: Path, scheme: str) -> None:
    """The connection leads to the proxy of the URL, and the request uses it."""
    web.pages["/a"] = Page(body=b"there")
    with Proxy(web, authority) as proxy:
        access = Access(
            Network(ca_bundle=trust(authority, tmp_path), retries=0),
            {f"{scheme}_proxy": proxy.url},
        )
        access.preconnect(Url.parse(f"{scheme}://{HOST}/a"))
        begun(access)
        assert access.preconnection is not None
        assert access.preconnection.peer == ("127.0.0.1", urlsplit(proxy.url).port)
        with client(access) as upstream:
            assert upstream.read(f"{scheme}://{HOST}/a").body == b"there"
    assert proxy.connections == 1


def test_no_proxy(web: Web) -> None:
    """A host in NO_PROXY is connected to directly."""
    web.pages["/a"] = Page(body=b"there")
    access = Access(Network(retries=0), {"http_proxy": "http://127.0.0.1:9", "no_proxy": "*"})
    access.preconnect(Url.parse(web.url))
    with client(access) as upstream:
        assert upstream.read(f"{web.url}/a").body == b"there"
    assert web.connections == 1


@pytest.mark.parametrize(
    ("url", "environ"),
    [
        ("file:///srv/uv", {}),
        ("http://", {}),
        ("http://bücher.example", {}),
        ("https://h.example", {"https_proxy": "gopher://h"}),
        ("https://h.example", {"https_proxy": "https://h"}),
    ],
)
def test_nothing_to_begin(url: str, environ: dict[str, str]) -> None:
    """Invalid settings are left to the request, and a proxy behind TLS is, too."""
    access = Access(Network(), environ)
    access.preconnect(Url.parse(url))
    assert access.preconnection is None


@pytest.mark.parametrize("encrypted", [True, False])
def test_unused(authority: trustme.CA, bundle: Path, *, encrypted: bool) -> None:
    """A connection that was not used ends as the server expects, without a reset."""
    access = Access(Network(ca_bundle=bundle), {})
    with listening() as listener:
        access.preconnect(Url.parse(f"http{'s' * encrypted}://{address_of(listener)}/"))
        connection, _ = listener.accept()
        with connection:
            if encrypted:
                context = server_context(authority.issue_cert("127.0.0.1"))
                connection = context.wrap_socket(
                    connection, server_side=True, suppress_ragged_eofs=False
                )
            begun(access)
            access.close()
            connection.settimeout(WAIT)
            assert connection.recv(1) == b""
            connection.close()


def test_closed_while_it_is_made(authority: trustme.CA, bundle: Path) -> None:
    """A connection that is closed too early closes itself when it is made."""
    access = Access(Network(ca_bundle=bundle), {})
    with listening() as listener:
        access.preconnect(Url.parse(f"https://{address_of(listener)}/"))
        connection, _ = listener.accept()
        access.close()
        context = server_context(authority.issue_cert("127.0.0.1"))
        with context.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False) as tls:
            tls.settimeout(WAIT)
            assert tls.recv(1) == b""


def test_unusable_authorities(tmp_path: Path) -> None:
    """A connection whose authorities cannot be read is closed, and the request says why."""
    access = Access(Network(ca_bundle=tmp_path / "missing.pem", retries=0), {})
    with listening() as listener:
        url = f"https://{address_of(listener)}/"
        access.preconnect(Url.parse(url))
        with listener.accept()[0] as connection:
            connection.settimeout(WAIT)
            assert connection.recv(1) == b""
        with client(access, url) as upstream, pytest.raises(TlsError, match="cannot be used"):
            upstream.read(url)


@pytest.mark.parametrize("idle", [0.0, 20.0])
def test_old(idle: float) -> None:
    """A connection that is too old, or that the server has closed, is replaced by a new one."""
    access = Access(Network(retries=0), {})
    with Web({"/a": Page(body=b"there")}) as web:
        access.preconnect(Url.parse(web.url))
        begun(access)
        assert access.preconnection is not None
        if idle:
            access.preconnection.connecting.result().shutdown(socket.SHUT_RD)
        with client(access, limits=Limits(idle=idle)) as upstream:
            assert upstream.read(f"{web.url}/a").body == b"there"
    assert web.connections == 2


def test_failures_are_those_of_a_request(secure: Web) -> None:
    """A failure to connect is reported once, in the words of any request, and not repeated."""
    with listening() as listener:
        refusing = f"http://{address_of(listener)}/"
    for url, kind in ((refusing, Unreachable), (f"{secure.url}/", TlsError)):
        assert failure(url, early=True) == failure(url, early=False)
        assert isinstance(caught(url, early=True), kind)


def failure(url: str, *, early: bool) -> tuple[str, str | None, bool]:
    """Return what is said about a request that fails."""
    error = caught(url, early=early)
    return str(error), error.hint, error.passing


def caught(url: str, *, early: bool) -> UpstreamError:
    """Return the error of a request."""
    access = Access(Network(retries=0), {})
    if early:
        access.preconnect(Url.parse(url))
        begun(access)
    with client(access, url) as upstream, pytest.raises(UpstreamError) as error:
        upstream.read(url)
    return error.value


def test_interrupted(bundle: Path) -> None:
    """A run that ends does not wait for a handshake that the server does not answer."""
    access = Access(Network(ca_bundle=bundle, retries=3), {})
    with listening() as listener:
        url = f"https://{address_of(listener)}/"
        access.preconnect(Url.parse(url))
        with client(access, url) as upstream, listener.accept()[0] as connection:
            reading = Background(lambda: upstream.read(url))
            assert connection.recv(1)  # the handshake has begun
            upstream.close()
            with pytest.raises(Unreachable, match="interrupted"):
                reading.result()


def test_silent_server(bundle: Path) -> None:
    """A handshake has the time of a connection, and is not tried again."""
    access = Access(Network(ca_bundle=bundle, retries=3, connect_timeout=0.2), {})
    with listening() as listener:
        url = f"https://{address_of(listener)}/"
        access.preconnect(Url.parse(url))
        expected = pytest.raises(Unreachable, match=r"no connection within 0\.2 seconds")
        with client(access, url) as upstream, expected:
            upstream.read(url)


def test_client_certificate(authority: trustme.CA, bundle: Path, tmp_path: Path) -> None:
    """The client certificate is presented, with the passphrase of its key."""
    context = server_context(authority.issue_cert("127.0.0.1"))
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    identity = certificates.identity_file(
        authority.issue_cert("jo@example.com", common_name="jo"),
        tmp_path / "me.pem",
        passphrase=PASSPHRASE,
    )
    network = Network(
        ca_bundle=bundle, client_cert=identity, passphrase=Secret(PASSPHRASE), retries=0
    )
    with listening() as listener, closing(Access(network, {})) as access:
        access.preconnect(Url.parse(f"https://{address_of(listener)}/"))
        with context.wrap_socket(listener.accept()[0], server_side=True) as presented:
            assert presented.getpeercert()
    with Web({"/a": Page(body=b"there")}, context=context) as web:
        access = Access(network, {})
        access.preconnect(Url.parse(web.url))
        with client(access, web.url) as upstream:
            assert upstream.read(f"{web.url}/a").body == b"there"
    assert web.connections == 1


def test_certificate_of_another_origin(secure: Web, bundle: Path, tmp_path: Path) -> None:
    """A request without the client certificate does not use the connection that presented it."""
    identity = certificates.identity_file(
        trustme.CA().issue_cert("jo@example.com"), tmp_path / "me.pem", passphrase=None
    )
    access = Access(Network(ca_bundle=bundle, client_cert=identity, retries=0), {})
    access.preconnect(Url.parse(secure.url))
    begun(access)
    with client(access) as upstream:  # the user has not configured this origin
        assert upstream.read(f"{secure.url}/a").body == b"there"
    assert secure.connections == 2


def test_first_of_two_sources(web: Web) -> None:
    """The connection leads to the source that is queried first."""
    with listening() as other:
        urls = (web.url, f"http://{address_of(other)}")
        sources = tuple(source_settings(kind="listing", url=url) for url in urls)
        with closing(preconnect(Settings(sources=sources), {})) as access:
            begun(access)
            assert access.preconnection is not None
            assert access.preconnection.peer == ("127.0.0.1", urlsplit(web.url).port)


@pytest.mark.parametrize(
    ("section", "exact", "expected"),
    [
        (source_settings(), False, None),
        (source_settings(kind="index", url="https://h/simple/"), False, None),
        (source_settings(kind="directory", path="/srv"), False, None),
        (source_settings(kind="listing", url="https://h/uv/"), False, "https://h/uv/"),
        (
            source_settings(kind="github", url="https://github.com/o/r"),
            False,
            "https://api.github.com/repos/o/r",
        ),
        (
            source_settings(kind="urls", latest="https://l", download="https://d"),
            False,
            "https://l",
        ),
        (source_settings(kind="urls", latest="https://l", download="https://d"), True, "https://d"),
        (
            source_settings(kind="urls", release="https://r/{tag}", download="https://d"),
            True,
            "https://r/{tag}",
        ),
        (source_settings(kind="urls", download="https://d"), False, None),
        (source_settings(kind="urls", download="https://{tag}.h/{asset}"), True, None),
    ],
)
def test_first_url(section: SourceSettings, expected: str | None, *, exact: bool) -> None:
    """The first request of a source is known from its settings."""
    assert text_of(first_url(section, exact=exact)) == expected


@contextmanager
def listening() -> Iterator[socket.socket]:
    """Listen on a free port, and accept nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def address_of(listener: socket.socket) -> str:
    """Return its host and port."""
    return f"127.0.0.1:{listener.getsockname()[1]}"
