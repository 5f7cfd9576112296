"""The real servers that other tests use: each starts, serves a file, and shows where it is."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme

from support.servers import indexes, listings, objects, running
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.web import Web

pytestmark = pytest.mark.system

LOGIN = ("jo", "a/b@c%")

NAME = "uv-x86_64-unknown-linux-gnu.tar.gz"
CONTENT = b"\x1f\x8b not what this name promises"
PLACE = "a%20b%2520%26c/1.2.3/"
"""Where the file is, in a folder whose name has to be written otherwise in a URL."""

KEY = f"<Key>a b%20&amp;c/1.2.3/{NAME}</Key>"
"""How a bucket lists it."""

WHEEL = "uv-1.2.3-py3-none-any.whl"

SERVERS: dict[str, tuple[Callable[[Path], AbstractContextManager[str]], str]] = {
    "nginx": (listings.nginx, f'<a href="{NAME}">'),
    "nginx-json": (lambda folder: listings.nginx(folder, listing="json"), f'"name":"{NAME}"'),
    "apache-plain": (lambda folder: listings.apache(folder, listing="plain"), "<ul>"),
    "apache-fancy": (lambda folder: listings.apache(folder, listing="fancy"), "<pre>"),
    "apache-table": (lambda folder: listings.apache(folder, listing="table"), "<table>"),
    "caddy": (listings.caddy, f'<a href="./{NAME}">'),
    "caddy-json": (lambda folder: listings.caddy(folder, listing="json"), f'"name":"{NAME}"'),
    "http.server": (listings.http_server, f'<li><a href="{NAME}">'),
}
"""Each server that shows a folder, and what only it makes of it."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a file deep in it."""
    path = tmp_path / "served"
    place = path / "a b%20&c" / "1.2.3"
    place.mkdir(parents=True)
    (place / NAME).write_bytes(CONTENT)
    return path


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Return a file that is called like a wheel."""
    path = tmp_path / "wheels" / WHEEL
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


@contextmanager
def fetch(
    url: str,
    *,
    accept: str = "*/*",
    login: tuple[str, str] | None = None,
    verify: ssl.SSLContext | bool = True,
) -> Iterator[httpx.Response]:
    """Ask for a URL, and follow no redirect."""
    with (
        httpx.Client(trust_env=False, verify=verify) as client,
        client.stream("GET", url, headers={"Accept": accept}, auth=login) as response,
    ):
        yield response


def raw(response: httpx.Response) -> bytes:
    """Return the body as it was sent."""
    return b"".join(response.iter_raw())


def text(
    url: str,
    *,
    accept: str = "*/*",
    login: tuple[str, str] | None = None,
    verify: ssl.SSLContext | bool = True,
) -> str:
    """Return a page that is there."""
    with fetch(url, accept=accept, login=login, verify=verify) as response:
        assert response.status_code == 200
        return response.read().decode()


@pytest.mark.parametrize("name", SERVERS)
def test_folder_is_served(name: str, folder: Path) -> None:
    """A file comes as it is, and its folder is shown in the server's own way."""
    start, mark = SERVERS[name]
    with start(folder) as url:
        listing = text(f"{url}/{PLACE}")
        with fetch(f"{url}/{PLACE}{NAME}") as response:
            assert raw(response) == CONTENT
            assert "Content-Encoding" not in response.headers

    assert mark in listing
    assert NAME in listing


def test_caddy_lists_as_json(folder: Path) -> None:
    """Caddy shows a folder as JSON to whoever wants that."""
    with listings.caddy(folder) as url:
        listing = json.loads(text(f"{url}/{PLACE}", accept="application/json"))

    assert [entry["name"] for entry in listing] == [NAME]


@pytest.mark.parametrize("server", [listings.nginx, listings.apache])
def test_listing_can_be_off(
    server: Callable[..., AbstractContextManager[str]], folder: Path
) -> None:
    """The files are there all the same."""
    with server(folder, listing="off") as url:
        with fetch(f"{url}/{PLACE}") as refused:
            assert refused.status_code == 403
        with fetch(f"{url}/{PLACE}{NAME}") as served:
            assert raw(served) == CONTENT


@pytest.mark.parametrize("server", [listings.nginx, listings.apache, objects.moto])
def test_archive_can_be_labelled_as_encoded(
    server: Callable[..., AbstractContextManager[str]], folder: Path
) -> None:
    """An archive is said to be encoded, though it is sent as it is."""
    with server(folder, gzip_label=True) as url, fetch(f"{url}/{PLACE}{NAME}") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert raw(response) == CONTENT


def test_nginx_wants_a_login(folder: Path) -> None:
    """Without it, the answer is 401."""
    with listings.nginx(folder, login=LOGIN) as url:
        with fetch(url) as refused:
            assert refused.status_code == 401
        assert NAME in text(f"{url}/{PLACE}", login=LOGIN)


def test_nginx_behind_tls_redirects_to_http(folder: Path) -> None:
    """HTTPS ends before nginx, which therefore redirects to where nobody is let in."""
    authority = trustme.CA()
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    with listings.nginx_behind_tls(folder, authority) as url:
        with fetch(f"{url}/{PLACE}".removesuffix("/"), verify=context) as redirect:
            assert redirect.status_code == 301
            assert redirect.headers["Location"].startswith("http://127.0.0.1:")
        with fetch(redirect.headers["Location"]) as refused:
            assert refused.status_code == 403
        assert NAME in text(f"{url}/{PLACE}", verify=context)


def test_devpi_has_what_was_uploaded(wheel: Path) -> None:
    """The index of its own has the wheel."""
    with indexes.devpi([wheel]) as url:
        assert WHEEL in text(f"{url}uv/")


def test_pypiserver_has_the_wheels_of_a_folder(wheel: Path) -> None:
    """The index has the wheel."""
    with indexes.pypiserver(wheel.parent) as url:
        assert WHEEL in text(f"{url}uv/")


def test_proxpi_has_what_another_index_has(web: Web) -> None:
    """The index has what is on the plain one behind it."""
    html = {"Content-Type": "text/html"}
    link = f'<a href="/{WHEEL}">{WHEEL}</a>'.encode()
    web.pages["/simple/"] = Page(body=b'<a href="uv/">uv</a>', headers=html)
    web.pages["/simple/uv/"] = Page(body=link, headers=html)
    web.pages[f"/{WHEEL}"] = Page(body=CONTENT)
    with indexes.proxpi(f"{web.url}/simple/") as url:
        assert WHEEL in text(f"{url}uv/")
        with fetch(f"{url}uv/{WHEEL}") as response:
            assert raw(response) == CONTENT


def test_moto_has_the_files_of_a_folder(folder: Path) -> None:
    """Everybody can list the bucket, and read what is in it."""
    with objects.moto(folder) as url:
        assert KEY in text(f"{url}?list-type=2")
        with fetch(f"{url}/{PLACE}{NAME}") as response:
            assert raw(response) == CONTENT


def test_moto_lists_page_by_page(folder: Path) -> None:
    """A page has as few names as is wanted."""
    for name in ("1", "2"):
        (folder / name).touch()
    with objects.moto(folder, page=2) as url:
        listing = text(f"{url}?list-type=2")

    assert listing.count("<Key>") == 2
    assert KEY not in listing
    assert "<NextContinuationToken>" in listing


def test_moto_keeps_what_is_not_public(folder: Path) -> None:
    """Nobody can read what is in a bucket that is not public."""
    with objects.moto(folder, public=False) as url, fetch(f"{url}/{PLACE}{NAME}") as response:
        assert response.status_code == 403


@pytest.mark.parametrize("find", [running.program, running.script])
@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)]
)
def test_server_is_missing(
    find: Callable[[str], str],
    ci: str,
    outcome: type[BaseException],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A test that lacks its server is skipped with its name, and fails in CI."""
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome, match="no-such-server"):
        find("no-such-server")


def test_server_ends_before_it_listens(tmp_path: Path) -> None:
    """What it has written is shown."""
    command = ("sh", "-c", "echo out of order; exit 3")

    with (
        running.free_port() as port,
        pytest.raises(AssertionError, match=r"(?s)has ended \(3\).*out of order"),
        running.running(*command, port=port, work=tmp_path),
    ):
        pytest.fail("it does not run")


def test_kept_port_is_free_for_who_asks_for_it_alone() -> None:
    """A server can listen there; whoever asks for any port gets another."""
    with running.free_port() as port, socket.create_server(("127.0.0.1", port)) as server:
        with socket.create_server(("127.0.0.1", 0)) as other:
            assert other.getsockname()[1] != port
        assert server.getsockname()[1] == port
