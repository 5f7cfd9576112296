"""Signed URLs of a storage that are requested again in a run."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from support.simulator.server import Storage
from support.urls import origin_of
from support.web import Page, Web
from uv_self_update.auth.credentials import Credential, Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import StatusRefused
from uv_self_update.network.client import Upstream
from uv_self_update.network.exchange import Target
from uv_self_update.network.redirect_targets import LONGEST, RedirectTargets, lifetime
from uv_self_update.redaction import Secret
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.web import Asked

FILE = bytes(range(256)) * 4
SECRET = "Bearer s3cret"  # noqa: S105 # no secret


class Forge(Web):
    """A server that redirects those with a token to a signed URL, a new one each time."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        super().__init__({"/asset": self.asset})

    def asset(self, asked: Asked) -> Page:
        if asked.headers.get("Authorization") != SECRET:
            return Page(status=404)
        return Page(status=302, headers={"Location": self.storage.signed(Page(body=FILE))})

    @property
    def file(self) -> str:
        """The URL of the file."""
        return f"{self.url}/asset"


@pytest.fixture
def forge() -> Iterator[Forge]:
    """Serve a file behind a storage that refuses any credential."""
    with Storage() as storage, Forge(storage) as made:
        storage.ranges = True
        yield made


@pytest.fixture
def client(forge: Forge) -> Iterator[Upstream]:
    """Return a client with the token."""
    headers = {"Authorization": Secret(SECRET)}
    credential = Credential(headers=headers, place="a test")
    # Even if the user has credentials for the storage, a redirect does not get them.
    known = {origin_of(url): credential for url in (forge.url, forge.storage.url)}
    with closing(Upstream(Network(retries=0, timeout=10), Credentials(known), environ={})) as made:
        yield made


def read(client: Upstream, url: str) -> bytes:
    """Read a whole file that is requested several times."""
    with client.open(url, again=True) as download:
        return b"".join(download.chunks)


def test_server_is_asked_once(forge: Forge, client: Upstream) -> None:
    """Parts of a file and the whole cost one request to the server, which gets the token."""
    assert client.tail(forge.file, 8, again=True) == FILE[-8:]
    assert client.tail(forge.file, 300, again=True) == FILE[-300:]
    assert read(client, forge.file) == FILE

    assert len(forge.asked) == 1
    assert len(forge.storage.asked) == 3
    assert all("Authorization" not in asked.headers for asked in forge.storage.asked)


def test_refused_target(forge: Forge, client: Upstream) -> None:
    """A signed URL that has expired is forgotten, and the server gives another."""
    client.tail(forge.file, 8, again=True)
    forge.storage._objects.clear()  # noqa: SLF001 # as if all had expired

    assert read(client, forge.file) == FILE

    assert len(forge.asked) == 2
    assert read(client, forge.file) == FILE
    assert len(forge.asked) == 2


def test_unreachable_target(forge: Forge, client: Upstream) -> None:
    """A storage that has gone is no reason to give up: the server may name another."""
    with Storage() as gone:
        last = Page(body=FILE, headers={"Connection": "close"})
        forge.pages["/asset"] = Page(status=302, headers={"Location": gone.signed(last)})
        assert read(client, forge.file) == FILE
    forge.pages["/asset"] = forge.asset

    assert read(client, forge.file) == FILE

    assert len(forge.asked) == 2


def test_reason_is_the_servers(forge: Forge, client: Upstream) -> None:
    """If both refuse, the server's refusal is reported."""
    client.tail(forge.file, 8, again=True)
    forge.storage._objects.clear()  # noqa: SLF001 # as if all had expired
    forge.pages["/asset"] = Page(status=404)

    with pytest.raises(StatusRefused, match="/asset") as caught:
        read(client, forge.file)

    assert caught.value.status == 404
    before = len(forge.storage.asked)
    with pytest.raises(StatusRefused):
        read(client, forge.file)
    assert len(forge.storage.asked) == before


def test_other_credentials_get_another(forge: Forge, client: Upstream) -> None:
    """What one source's token has opened is closed to another source."""
    assert read(client, forge.file) == FILE

    with pytest.raises(StatusRefused):
        read(client.logged_in(Credentials()), forge.file)


def test_not_unless_wanted(forge: Forge, client: Upstream) -> None:
    """A file that is requested once is requested of the server."""
    assert client.tail(forge.file, 8) == FILE[-8:]
    assert read(client, forge.file) == FILE
    with client.open(forge.file) as download:
        assert b"".join(download.chunks) == FILE

    assert len(forge.asked) == 3


def test_redirect_within_the_server(forge: Forge, client: Upstream) -> None:
    """A place on the server itself may need the token, so it is not remembered."""
    forge.pages["/asset"] = Page(status=307, headers={"Location": "/there"})
    forge.pages["/there"] = Page(body=FILE)

    assert read(client, forge.file) == read(client, forge.file) == FILE

    assert forge.paths() == ["/asset", "/there"] * 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", LONGEST),
        ("?X-Amz-Date=20260101T000000Z&X-Amz-Expires=30", 30.0),
        ("?x-goog-expires=7", 7.0),
        ("?X-Amz-Expires=604800", LONGEST),
        ("?X-Amz-Expires=soon", LONGEST),
        ("?X-Amz-Expires=0", 0.0),
    ],
)
def test_lifetime(query: str, expected: float) -> None:
    """A target is used as long as its URL says, and never for long."""
    assert lifetime(Url.parse(f"https://storage.test/object{query}")) == expected


def test_expiry() -> None:
    """A target that is too old is not requested."""
    clock = [0.0]
    targets = RedirectTargets(now=lambda: clock[0])
    key = "https://forge.test/asset", "*/*"
    target = Target(url=Url.parse("https://storage.test/object?X-Amz-Expires=30"), sender=None)

    assert targets.get(key) is None
    targets.keep(key, target)
    clock[0] = 29.9
    assert targets.get(key) is target
    assert targets.get((key[0], "application/json")) is None
    clock[0] = 30.0
    assert targets.get(key) is None
