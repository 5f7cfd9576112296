"""Which credential goes to which origin, and who is asked for one."""

from __future__ import annotations

import threading

import pytest

from support.urls import origin_of
from uv_self_update.auth.credentials import Credential, Credentials, Login, usable_secret
from uv_self_update.redaction import Secret

HOST = origin_of("https://a.example/")
OTHER = origin_of("https://b.example/")
SOON = 20  # seconds for whatever is waited for


def credential(value: str, place: str = "a place") -> Credential:
    """Return a credential of one header."""
    return Credential(headers={"X-Login": Secret(value)}, place=place)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://a.example/x", True),
        ("https://A.EXAMPLE:443/", True),
        ("https://someone:else@a.example/", True),
        ("http://a.example/", False),
        ("https://a.example:8443/", False),
        ("https://b.a.example/", False),
        ("https://a.example.evil/", False),
        ("https://evil/?https://a.example/", False),
        ("file:///a.example/", False),
    ],
)
def test_one_origin(url: str, *, sent: bool) -> None:
    """A credential goes to its own origin, and to no other, asked for or not."""
    known = Credentials({HOST: credential("s3cret")})
    asked = Credentials(searches={HOST: lambda: credential("s3cret")})

    expected = {"X-Login": "s3cret"} if sent else {}
    assert known.headers_for(origin_of(url)) == expected
    assert known.names(origin_of(url)) is sent
    assert asked.names(origin_of(url)) is sent
    assert (asked.ask(origin_of(url)) or {}) == expected
    assert asked.headers_for(origin_of(url)) == expected


def test_nothing_configured() -> None:
    """Where nothing is configured, nothing is sent, and nobody is asked."""
    credentials = Credentials()

    assert credentials.headers_for(origin_of("https://h/")) == {}
    assert credentials.ask(origin_of("https://h/")) is None
    assert not credentials.names(origin_of("https://h/"))
    assert credentials.described() == {}


def test_what_is_known_is_not_asked_for() -> None:
    """An origin that had its credential gets no other after it was refused."""
    credentials = Credentials({HOST: credential("s3cret")})

    assert credentials.ask(origin_of("https://a.example/")) is None


@pytest.mark.parametrize("found", [None, credential("s3cret")])
def test_asked_once(found: Credential | None) -> None:
    """Programs are asked once for an origin, with or without success, by all threads together."""
    started, go_on = threading.Event(), threading.Event()
    asked: list[int] = []

    def search() -> Credential | None:
        asked.append(1)
        started.set()
        assert go_on.wait(SOON)
        return found

    credentials = Credentials(searches={HOST: search})
    answers: list[dict[str, str] | None] = []

    def ask() -> None:
        answers.append(credentials.ask(origin_of("https://a.example/x")))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    threads[0].start()
    assert started.wait(SOON)
    for thread in threads[1:]:
        thread.start()
    # Whoever sends its first request meanwhile does not wait.
    assert credentials.headers_for(origin_of("https://a.example/y")) == {}
    go_on.set()
    for thread in threads:
        thread.join(SOON)

    expected = None if found is None else {"X-Login": "s3cret"}
    assert answers == [expected] * 4
    assert asked == [1]
    assert credentials.headers_for(origin_of("https://a.example/y")) == (expected or {})


def test_described() -> None:
    """Each origin is told with the place of its credential, and never with its value."""
    credentials = Credentials(
        {HOST: credential("s3cret", "GH_TOKEN")},
        {OTHER: lambda: credential("s3cret", "keyring"), ("http", "::1", 81): lambda: None},
    )

    assert credentials.described() == {
        HOST: "GH_TOKEN",
        OTHER: "keyring",
        ("http", "::1", 81): None,
    }


def test_nothing_shows() -> None:
    """What a credential, a login and a whole set of them say of themselves holds no secret."""
    shown = (
        credential("s3cret"),
        Login(user="s3cret", password=Secret("s3cret")),
        Credentials({HOST: credential("s3cret")}),
    )
    assert "s3cret" not in "".join(map(repr, shown)) + "".join(map(str, shown))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abc", "abc"),
        (" abc\r\n", "abc"),
        ("a b", "a b"),
        (None, None),
        ("", None),
        ("\n", None),
        ("a\nb", None),
        ("a\x00b", None),
        ("ä", None),
        ("\udcff", None),
    ],
)
def test_usable_secret(value: str | None, expected: str | None) -> None:
    """A token is sent without the end of its line; what no header can carry is none."""
    secret = usable_secret(value)

    assert (None if secret is None else secret.reveal()) == expected
