"""A login goes to the server that it was given for, and to none that this one leads to.

A stub stands for the storage behind signed URLs, which answers 400 to whoever shows it a credential
beside the signature, as S3 and Azure do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import pytest

from support.catalogue import catalogue
from support.simulator.dialect import PASSWORD, USER, Setup, basic, redirect
from support.simulator.rows import ROWS, Row, User, published
from support.simulator.server import (
    CREDENTIAL_HEADERS,
    Elsewhere,
    Simulator,
    Storage,
    credentials_in,
)
from support.web import Asked, Page, Web
from uv_self_update.releases.target import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.homes import Home

COOKIE = "session=s3cret; Path=/"
STABLE = Wanted(exact="0.10.1")
RELEASES = catalogue("0.10.0", "0.10.1", "0.9.9")

WEB = [row for row in ROWS if row.kind != "directory"]
LOGIN = [row for row in WEB if row.kind != "s3"]
"""Those with a login: a bucket takes none, and its own signature is part of each URL."""


def named(rows: list[Row]) -> pytest.MarkDecorator:
    """Run a test for each of the rows."""
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


@pytest.fixture
def storage() -> Iterator[Storage]:
    """Return an origin that wants a signature and nothing else."""
    with Storage() as server:
        yield server


def carrying(simulator: Simulator) -> list[Asked]:
    """Return the requests that came with a credential."""
    return [asked for asked in simulator.asked if credentials_in(asked)]


@named(LOGIN)
@pytest.mark.parametrize("cookie", [None, COOKIE], ids=["", "cookie"])
def test_signed_storage(row: Row, home: Home, storage: Storage, cookie: str | None) -> None:
    """A file that is redirected to a signed URL arrives, and no credential goes there."""
    with row.simulator(RELEASES, Setup(login=True)) as simulator:
        simulator.storage, simulator.cookie = storage, cookie
        user = User(row=row, simulator=simulator, home=home)
        assert user.obtain(STABLE) == published(row, RELEASES, "0.10.1")
    assert carrying(simulator)
    assert storage.asked
    assert [credentials_in(asked) for asked in storage.asked] == [set()] * len(storage.asked)


@named([row for row in WEB if row.kind == "s3"])
def test_signed_storage_behind_a_bucket(row: Row, home: Home, storage: Storage) -> None:
    """The signature of a bucket does not go to another place that it redirects to."""
    with row.simulator(RELEASES, Setup()) as simulator:
        simulator.storage = storage
        user = User(row=row, simulator=simulator, home=home)
        assert user.obtain(STABLE) == published(row, RELEASES, "0.10.1")
    assert storage.asked
    assert not [asked for asked in storage.asked if "sig=" in asked.path]


@named(LOGIN)
@pytest.mark.parametrize("status", [302, 307])
def test_everything_elsewhere(row: Row, home: Home, status: Literal[302, 307]) -> None:
    """A server that redirects every request to another origin is followed without the login."""
    elsewhere = row.simulator(RELEASES, Setup())
    elsewhere.dialect.setup = Setup(layout=elsewhere.dialect.setup.layout)
    with Elsewhere(elsewhere, status) as servers:
        user = User(row=row, simulator=servers.front, home=home)
        assert user.obtain(STABLE, password=PASSWORD) == published(row, RELEASES, "0.10.1")
    assert carrying(servers.front)
    assert servers.to.asked
    assert [credentials_in(asked) for asked in servers.to.asked] == [set()] * len(servers.to.asked)


@named([row for row in LOGIN if row.kind not in {"index", "urls"} and row.name != "gitlab-links"])
def test_addresses_of_another_server(row: Row, home: Home, storage: Storage) -> None:
    """A server that names another as its own sends nobody there."""
    with row.simulator(RELEASES, Setup(login=True, address=storage.url, page=1)) as simulator:
        user = User(row=row, simulator=simulator, home=home)
        assert user.obtain(STABLE) == published(row, RELEASES, "0.10.1")
    assert carrying(simulator)
    assert storage.asked == []


@pytest.mark.parametrize("own", [True, False], ids=["own", "storage"])
def test_links_to_another_server(home: Home, storage: Storage, *, own: bool) -> None:
    """A link of GitLab that leads to another server is followed without the token.

    What GitLab calls itself may be that other server, too: then its API is asked for the way.
    """
    row = next(row for row in ROWS if row.name == "gitlab-links")
    address = None if own else storage.url
    with row.simulator(RELEASES, Setup(login=True, address=address)) as simulator:
        simulator.dialect.elsewhere = storage.signed  # type: ignore[attr-defined] # of this dialect
        user = User(row=row, simulator=simulator, home=home)
        assert user.obtain(STABLE) == published(row, RELEASES, "0.10.1")
    assert carrying(simulator)
    assert storage.asked
    assert not [asked for asked in storage.asked if credentials_in(asked)]


@named([row for row in LOGIN if row.name in {"listing-nginx", "nexus", "gitlab-packages"}])
def test_netrc(row: Row, home: Home, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login that a `.netrc` has for the other host is not for whom a server sends there."""
    netrc = home.path / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(home.path))
    with row.simulator(RELEASES, Setup(login=True)) as simulator:
        simulator.storage = storage
        user = User(row=row, simulator=simulator, home=home)
        assert user.obtain(STABLE) == published(row, RELEASES, "0.10.1")
    assert storage.asked


@named([row for row in LOGIN if row.name in {"listing-nginx", "gitlab-packages"}])
def test_there_and_back(row: Row, home: Home) -> None:
    """A login that was dropped on the way to another origin does not come back with it."""
    with row.simulator(RELEASES, Setup()) as simulator, Web() as other:
        user = User(row=row, simulator=simulator, home=home)
        other.page_for = lambda asked: redirect(simulator.url + asked.path.replace("there", "back"))  # type: ignore[method-assign] # it sends all back

        def lead(asked: Asked, truth: Page) -> Page:
            query = urlsplit(asked.path).query
            if query.endswith("way=back"):
                return truth
            return redirect(f"{other.url}{asked.path}{'&' if query else '?'}way=there")

        simulator.fault = lead
        assert user.obtain(STABLE, password=PASSWORD) == published(row, RELEASES, "0.10.1")
    back = [asked for asked in simulator.asked if asked.path.endswith("way=back")]
    assert back
    assert not [asked for asked in (*back, *other.asked) if credentials_in(asked)]
    assert len(carrying(simulator)) == len(simulator.asked) - len(back)


@pytest.mark.parametrize("name", sorted(CREDENTIAL_HEADERS))
def test_stub_refuses(storage: Storage, name: str) -> None:
    """The stub itself refuses each header that could hold a credential, and nothing else."""
    path = storage.signed(Page(body=b"content")).removeprefix(storage.url)
    plain = Asked(method="GET", path=path, headers={"Accept": "*/*"})
    assert storage.page_for(plain).status == 200
    loaded = Asked(method="GET", path=path, headers={name.title(): "x"})
    assert storage.page_for(loaded).status == 400
    hidden = Asked(method="GET", path=path, headers={"X-Other": basic("", PASSWORD)})
    assert storage.page_for(hidden).status == 400
    unsigned = Asked(method="GET", path=path.partition("?")[0], headers={})
    assert storage.page_for(unsigned).status == 403
