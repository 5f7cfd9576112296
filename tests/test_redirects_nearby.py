"""A server elsewhere cannot send a request to this machine, or to the link that it is on."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from support.networks import MACHINE, OUTSIDE, WebAt, networks
from support.web import Page, Web
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import RedirectRefused
from uv_self_update.network.client import Upstream
from uv_self_update.network.redirects import is_local

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.networks import Networks

NAME = "inside.example"
"""A name of this machine that does not say so."""

LOCAL = ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "0.0.0.0", "[::ffff:127.0.0.1]", NAME)  # noqa: S104 # it is not bound


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("127.1", True),
        ("0177.0.0.1", True),
        ("0x7f000001", True),
        ("2130706433", True),
        ("0.0.0.0", True),  # noqa: S104 # it is not bound
        ("169.254.169.254", True),
        ("::1", True),
        ("::", True),
        ("fe80::1", True),
        ("fe80::1%eth0", True),
        ("::ffff:127.0.0.1", True),
        ("::ffff:a9fe:a9fe", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("mirror.localhost", True),
        ("10.0.0.1", False),
        ("192.168.1.1", False),
        ("::ffff:10.0.0.1", False),
        ("fd00::1", False),
        ("128.0.0.1", False),
        ("mirror.example", False),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("", False),
    ],
)
def test_near(host: str, *, expected: bool) -> None:
    """Loopback and link-local are known in every form that a resolver takes for them."""
    assert is_local(host) is expected


class Places:
    """A server on this machine, one elsewhere, and a client of this machine."""

    def __init__(self, near: Web, far: WebAt, client: Upstream) -> None:
        self.near, self.far, self.client = near, far, client
        self.near.pages["/secret"] = Page(body=b"secret")

    @property
    def port(self) -> str:
        """The port of the server on this machine."""
        return self.near.url.rpartition(":")[2]


@pytest.fixture(scope="module")
def both() -> Iterator[Networks]:
    """Return this machine, and what is elsewhere."""
    with networks() as made:
        yield made


@pytest.fixture
def places(both: Networks, monkeypatch: pytest.MonkeyPatch) -> Iterator[Places]:
    """Start both servers, each in a network of its own."""
    resolve = socket.getaddrinfo

    def resolved(host: str, *rest: object, **more: object) -> object:
        return resolve("127.0.0.1" if host == NAME else host, *rest, **more)  # type: ignore[arg-type] # handed on

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    client = Upstream(Network(timeout=10, retries=0), Credentials(), environ={})
    with (
        closing(client),
        both.outside.inside(),
        WebAt(OUTSIDE) as far,
        both.machine.inside(),
        Web() as near,
    ):
        yield Places(near, far, client)


def lead(url: str) -> Page:
    """Return a redirect."""
    return Page(status=302, headers={"Location": url})


@pytest.mark.parametrize("host", LOCAL)
def test_from_elsewhere(places: Places, host: str) -> None:
    """What is refused was not sent, whichever way the target is written."""
    target = f"http://{host}:{places.port}/secret"
    places.far.pages["/list"] = lead(target)

    with pytest.raises(RedirectRefused) as caught:
        places.client.read(f"{places.far.url}/list")

    assert places.near.asked == []
    assert str(caught.value) == (
        f"{places.far.url}/list redirects to {target}, which is a loopback or link-local address: "
        "the redirect was not followed"
    )
    assert "configure its target" in (caught.value.hint or "")


@pytest.mark.parametrize("way", ["read", "open", "status", "lines"])
def test_every_kind_of_request(places: Places, way: str) -> None:
    """Lists, files and questions are all bound by it."""
    places.far.pages["/list"] = lead(f"{places.near.url}/secret")
    url = f"{places.far.url}/list"

    with pytest.raises(RedirectRefused):  # noqa: PT012 # lazy ones have to be read
        match way:
            case "read" | "status":
                getattr(places.client, way)(url)
            case "open":
                with places.client.open(url) as download:
                    list(download.chunks)
            case _:
                with places.client.lines(url) as lines:
                    list(lines)

    assert places.near.asked == []


def test_examined(places: Places) -> None:
    """Where a server is examined, the redirect is what is seen; by a name, it is an error."""
    places.far.pages["/list"] = lead(f"{places.near.url}/secret")
    places.far.pages["/named"] = lead(f"http://{NAME}:{places.port}/secret")

    answer = places.client.look(f"{places.far.url}/list")
    with pytest.raises(RedirectRefused):
        places.client.look(f"{places.far.url}/named")

    assert (answer.status, answer.headers["location"]) == (302, f"{places.near.url}/secret")
    assert places.near.asked == []


def test_over_one_more_step(places: Places) -> None:
    """The step from elsewhere is refused, though it was this machine that led there."""
    places.near.pages["/list"] = lead(f"{places.far.url}/back")
    places.far.pages["/back"] = lead(f"{places.near.url}/secret")

    with pytest.raises(RedirectRefused):
        places.client.read(f"{places.near.url}/list")

    assert places.near.paths() == ["/list"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", NAME])
@pytest.mark.parametrize("start", ["127.0.0.1", NAME])
def test_within_this_machine(places: Places, start: str, host: str) -> None:
    """A server on this machine, by whatever name, may lead to another."""
    places.near.pages["/list"] = lead(f"http://{host}:{places.port}/secret")

    document = places.client.read(f"http://{start}:{places.port}/list")

    assert document.body == b"secret"


def test_to_the_private_network(places: Places) -> None:
    """Hosts of a company lead to each other as before."""
    places.far.pages |= {"/list": lead(f"http://{OUTSIDE}:{places.far.url.rpartition(':')[2]}/b")}
    places.far.pages["/b"] = Page(body=b"there")

    assert places.client.read(f"{places.far.url}/list").body == b"there"
    assert not is_local(MACHINE)
