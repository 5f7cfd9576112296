"""What the client hands on beside bodies: lines, answers of any status, what headers say."""

from __future__ import annotations

import gzip
import os
import ssl
import sys
import time
from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
import trustme

from support.logins import of_urls, with_headers
from support.web import Page, Web
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import (
    Interrupted,
    ProxyRefused,
    RateLimited,
    StatusRefused,
    TooLarge,
    Unreachable,
    UpstreamError,
)
from uv_self_update.network.client import Upstream
from uv_self_update.network.limits import Limits
from uv_self_update.url import Url

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = "ab" * 32


def lines(upstream: Upstream, url: str, limit: int = 1 << 20) -> list[bytes]:
    """Return every line of a document."""
    with upstream.lines(url, limit=limit) as found:
        return list(found)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", [b""]),
        (b"one", [b"one"]),
        (b"one\ntwo\n\nfour", [b"one", b"two", b"", b"four"]),
        (b"x" * 300_000 + b"\n" + b"y" * 300_000, [b"x" * 300_000, b"y" * 300_000]),
    ],
)
@pytest.mark.parametrize("kind", ["plain", "gzip", "file"])
def test_lines(  # a table of cases, and what they need
    upstream: Upstream, web: Web, tmp_path: Path, body: bytes, expected: list[bytes], kind: str
) -> None:
    """A document is read line by line, however it comes."""
    url = f"{web.url}/a"
    if kind == "file":
        (tmp_path / "a").write_bytes(body)
        url = (tmp_path / "a").as_uri()
    elif kind == "gzip":
        web.pages["/a"] = Page(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
    else:
        web.pages["/a"] = Page(body=body)

    assert lines(upstream, url) == expected


def test_first_line_comes_first(upstream: Upstream, web: Web) -> None:
    """Whoever has found what he looks for need not read on, though the rest never comes."""
    web.pages["/a"] = Page(body=b"one\ntwo", length=1 << 30)

    with upstream.lines(f"{web.url}/a", limit=1 << 31) as found:
        assert next(found) == b"one"
        with pytest.raises(Interrupted):
            next(found)


def test_limits_of_lines(upstream: Upstream, web: Web) -> None:
    """Neither a document nor a line of it can grow without bound."""
    web.pages["/a"] = Page(body=b"x\n" * 1000)
    web.pages["/b"] = Page(body=b"x" * (5 << 20))

    with pytest.raises(TooLarge):
        lines(upstream, f"{web.url}/a", 100)
    with pytest.raises(TooLarge):
        lines(upstream, f"{web.url}/b", 1 << 30)


@pytest.mark.parametrize("size", [1000, 1001])
def test_limit_of_a_document(web: Web, size: int) -> None:
    """A document that is read as a whole has a limit of its own, smaller than that of a list."""
    limits = Limits(document=1000)
    client = Upstream(Network(retries=0), Credentials(), environ={}, limits=limits)
    web.pages["/a"] = Page(body=b"x" * size)

    with closing(client):
        if size > limits.document:
            with pytest.raises(TooLarge, match="limit of 1,000 bytes"):
                client.read(f"{web.url}/a")
        else:
            assert len(client.read(f"{web.url}/a").body) == size


def test_lines_that_are_refused(upstream: Upstream, web: Web) -> None:
    """A status other than 200 has no lines."""
    with pytest.raises(StatusRefused):
        lines(upstream, f"{web.url}/missing")


@pytest.mark.parametrize("status", [200, 401, 404, 500])
def test_look(upstream: Upstream, web: Web, status: int) -> None:
    """An answer can be looked at whatever its status, with its headers and after redirects."""
    web.pages |= {
        "/start": Page(status=302, headers={"Location": "/end?token=secret"}),
        "/end": Page(status=status, body=b"body", headers={"X-Product": "Nexus"}),
    }

    answer = upstream.look(f"{web.url}/start")

    assert (answer.status, answer.body) == (status, b"body")
    assert answer.headers["x-product"] == "Nexus"
    assert answer.url == f"{web.url}/end?token=***"


def test_look_at_the_start_only(upstream: Upstream, web: Web) -> None:
    """No more than the start of a large body is looked at."""
    web.pages["/a"] = Page(body=b"x" * (8 << 20))

    assert 1 << 20 <= len(upstream.look(f"{web.url}/a").body) < 2 << 20


@pytest.mark.parametrize(
    ("header", "expected"),
    [(DIGEST, DIGEST), (DIGEST.upper(), DIGEST), ("ab", None), ("", None), (None, None)],
)
def test_digest_in_a_header(
    upstream: Upstream, web: Web, header: str | None, expected: str | None
) -> None:
    """The digest that Artifactory and GitLab send comes with the download."""
    headers = {} if header is None else {"X-Checksum-Sha256": header}
    web.pages["/a"] = Page(body=b"x", headers=headers)

    with upstream.open(f"{web.url}/a") as download:
        assert download.sha256 == expected


def test_wait_that_is_asked_for(upstream: Upstream, web: Web) -> None:
    """`Retry-After` says when to come back."""
    web.pages["/a"] = Page(status=429, headers={"Retry-After": "600"})

    before = time.time()
    with pytest.raises(RateLimited) as caught:
        upstream.read(f"{web.url}/a")

    until = datetime.fromisoformat(str(caught.value).rpartition(" ")[2]).timestamp()
    assert before + 599 <= until <= time.time() + 600


@pytest.mark.parametrize("retries", [0, 2, 5])
def test_retries_are_those_of_the_settings(web: Web, retries: int) -> None:
    """A failed request is repeated `network.retries` times: three by default."""
    assert Network().retries == 3
    web.pages["/a"] = Page(status=503)
    limits = Limits(first_wait=0)
    client = Upstream(Network(retries=retries), Credentials(), environ={}, limits=limits)

    with closing(client), pytest.raises(StatusRefused):
        client.read(f"{web.url}/a")

    assert len(web.asked) == 1 + retries


def test_logins_of_one_source(upstream: Upstream, web: Web) -> None:
    """Two sources on one origin have a login each, and share the connections."""
    web.pages["/a"] = Page(body=b"x")
    one = upstream.logged_in(of_urls(web.url.replace("//", "//one:1@")))
    two = upstream.logged_in(of_urls(web.url.replace("//", "//two:2@")))

    for client in (one, two, upstream):
        client.read(f"{web.url}/a")

    place = Url.parse(web.url)
    assert [one.login_for(place), upstream.login_for(place)] == ["the URL", None]
    assert len({asked.headers.get("Authorization") for asked in web.asked}) == 3
    upstream.close()
    with pytest.raises(Unreachable, match="interrupted"):
        one.read(f"{web.url}/a")


@pytest.mark.parametrize("location", ["http://127.0.0.1:{port}/a/", "http://127.0.0.1:1/a/"])
def test_server_that_does_not_know_of_its_tls(web: Web, tmp_path: Path, location: str) -> None:
    """A redirect to the same folder by http stays on https, with the login, and on its port."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with Web({"/a/": Page(body=b"there")}, context=context) as server:
        port = server.url.rpartition(":")[2]
        server.pages["/a"] = Page(status=301, headers={"Location": location.format(port=port)})
        url = server.url.replace("//", "//me:secret@")
        credentials = of_urls(url)
        client = Upstream(Network(timeout=10, ca_bundle=bundle, retries=0), credentials, environ={})

        assert client.read(f"{url}/a").body == b"there"

        client.close()
        assert ["Authorization" in asked.headers for asked in server.asked] == [True, True]
    assert web.asked == []


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_no_regular_file(upstream: Upstream, tmp_path: Path, kind: str) -> None:
    """What is no file is not read: a pipe would be waited for, and a device has no end."""
    path = tmp_path / "uv.zip"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()

    with pytest.raises(UpstreamError), upstream.open(path.as_uri()) as download:
        next(download.chunks)


def test_file_that_grows(upstream: Upstream, tmp_path: Path) -> None:
    """Of a file that grows no more is read than it had."""
    path = tmp_path / "uv.zip"
    path.write_bytes(b"content")

    with upstream.open(path.as_uri()) as download:
        with path.open("ab") as file:
            file.write(b" and more")
        assert b"".join(download.chunks) == b"content"


def test_header_that_cannot_be_sent(upstream: Upstream, web: Web) -> None:
    """What a client says of a header would show what is in it."""
    client = upstream.logged_in(with_headers(web.url, {"PRIVATE-TOKEN": "very\nsecret"}))

    with pytest.raises(UpstreamError, match="check the credentials") as caught:
        client.read(web.url)

    assert "secret" not in f"{caught.value} {caught.value.hint}"


def test_proxy_that_needs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that speaks SOCKS, without what that takes, is an error that says how to get it."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.delitem(sys.modules, "httpcore._sync.socks_proxy", raising=False)
    proxy = {"ALL_PROXY": "socks5://127.0.0.1:9"}
    client = Upstream(Network(timeout=10, retries=0), Credentials(), environ=proxy)

    with pytest.raises(ProxyRefused, match="SOCKS") as caught:
        client.read("http://mirror.example/")
    assert "uv-self-update[socks]" in (caught.value.hint or "")


def test_login_and_proxy_in_the_log(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    """With `-v`, each request tells where its login comes from, and which proxy it went through."""
    caplog.set_level("DEBUG", logger="uv_self_update")
    web.pages["/a"] = Page(body=b"x")
    credentials = with_headers("http://mirror.test", {"Authorization": "Bearer s3cret"})
    client = Upstream(Network(retries=0), credentials, environ={"http_proxy": web.url})

    client.read("http://mirror.test/a")
    client.close()

    assert f"answers 200 (credentials: the test) (proxy: {web.url} (http_proxy))" in caplog.text
    assert "s3cret" not in caplog.text


def test_no_login(upstream: Upstream, web: Web) -> None:
    """Where none was sent, it is said how to give one."""
    web.pages["/a"] = Page(status=401)

    with pytest.raises(StatusRefused) as caught:
        upstream.read(f"{web.url}/a")

    assert "The server requires credentials" in (caught.value.hint or "")


def test_login_that_another_server_did_not_get(upstream: Upstream, web: Web) -> None:
    """What refuses after a redirect has got no login, and is not said to have refused one."""
    with Web({"/b": Page(status=401)}) as other:
        web.pages["/a"] = Page(status=302, headers={"Location": f"{other.url}/b"})
        client = upstream.logged_in(of_urls(web.url.replace("//", "//me:secret@")))

        with pytest.raises(StatusRefused) as caught:
            client.read(f"{web.url}/a")

    assert "The server requires credentials" in (caught.value.hint or "")
