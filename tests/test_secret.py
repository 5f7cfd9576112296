"""What must never be shown, and where it may be sent."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.urls import origin_of
from uv_self_update.redaction import Secret, redact, redact_url
from uv_self_update.url import Url


def test_secret() -> None:
    """A secret shows itself only when it is asked to."""
    secret = Secret("s3cret")
    assert secret.reveal() == "s3cret"
    assert [str(secret), repr(secret), f"{secret}", f"{secret!r:>4}", str([secret])] == [
        "***",
        "***",
        "***",
        " ***",
        "[***]",
    ]


def test_secrets_are_compared_by_value() -> None:
    """Two secrets are equal if what they hide is."""
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/a", "https://h/a"),
        ("https://h:8443/a%20b;c", "https://h:8443/a%20b;c"),
        ("https://me:pw@h/a", "https://***@h/a"),
        ("https://token@h/a", "https://***@h/a"),
        ("https://:pw@h/a", "https://***@h/a"),
        ("https://me:p@w@h:1/a", "https://***@h:1/a"),
        ("https://me:pw@[::1]:1/a", "https://***@[::1]:1/a"),
        ("https://h/@scope/a", "https://***@scope/a"),
        ("https://h/a?sig=x&se=y", "https://h/a?sig=***&se=***"),
        ("https://h/a?sig=x=y==", "https://h/a?sig=***"),
        ("https://h/a?t0ken", "https://h/a?***"),
        ("https://h/a?&&b=", "https://h/a?b=***"),
        ("https://h/a#t0ken", "https://h/a"),
        ("file:///a/b", "file:///a/b"),
        ("C:\\Mirror@x\\uv", "C:\\Mirror@x\\uv"),
        ("C:/Mirror", "C:/Mirror"),
        ("c://me:pw@h/a", "c://***@h/a"),
        ("https://me:pw@h/{tag}/{asset}", "https://***@h/{tag}/{asset}"),
        ("http://me:pw@[", "***"),
        ("https://me:pw@h\uff0fx/", "***"),
        ("", ""),
    ],
)
def test_redact_url(url: str, expected: str) -> None:
    """Of a URL that is shown, the login, the values of its query and its fragment are left out."""
    assert redact_url(url) == expected
    assert redact_url(redact_url(url)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing", "nothing"),
        ("mail me@h.example: a@b", "mail me@h.example: a@b"),
        ("see https://me:pw@h/a for more", "see https://***@h/a for more"),
        ('`https://me:pw@h/`, "https://h/?a=b".', '`https://***@h/`, "https://h/?a=***".'),
        ("<https://me:pw@h/>", "<https://***@h/>"),
        ("https://h/a,https://me:pw@h/b", "https://h/a,https://***@h/b"),
        ("x=https://me:p'w@h/", "x=https://***@h/"),
        ('x=https://me:p"w@h/', "x=https://***@h/"),
        ("x=https://me:p`w@h/", "x=https://***@h/"),
        ("x=https://me:p<w>@h/", "x=https://***@h/"),
        ("proxy http://me:pw@p:3128", "proxy http://***@p:3128"),
        ("a\nhttps://me:pw@h\nb", "a\nhttps://***@h\nb"),
        ("git+ssh://me:pw@h", "git+ssh://***@h"),
    ],
)
def test_redact(text: str, expected: str) -> None:
    """In a text, every URL is shown without its secrets, and nothing else is changed."""
    assert redact(text) == expected


PASSWORD = st.text(string.ascii_letters + string.digits, min_size=6, max_size=10)
SIGNS = st.text("!$&'()*+,;=:@%._~-\"`<>|^{}\\", max_size=5)
AROUND = st.text("ab /:.'\"`,<>()?&=\n", max_size=10)


@settings(deadline=None)
@given(before=AROUND, user=SIGNS, password=PASSWORD, sign=SIGNS, after=AROUND)
def test_login_is_never_shown(before: str, user: str, password: str, sign: str, after: str) -> None:
    """Whatever signs a login has, and whatever stands around its URL, it is not shown."""
    url = f"https://{user}:{sign}{password}{sign}@host.example/path"
    assert password not in redact(f"{before} {url} {after}")
    assert password not in redact_url(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/a", ("https", "h", 443)),
        ("http://h/a", ("http", "h", 80)),
        ("HTTPS://H:443/a", ("https", "h", 443)),
        ("https://h:8443", ("https", "h", 8443)),
        ("https://me:pw@h/a", ("https", "h", 443)),
        ("https://[::1]/a", ("https", "::1", 443)),
        ("https://me:pw@[2001:DB8::1]:81/a", ("https", "2001:db8::1", 81)),
        ("file:///a", ("file", "", None)),
        ("https://h/{tag}", ("https", "h", 443)),
    ],
)
def test_origin(url: str, expected: tuple[str, str, int | None]) -> None:
    """An origin is scheme, host and port, however they are written."""
    assert origin_of(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:pw@h:1/a?b#c", "https://h:1/a?b#c"),
        ("https://me:p@w@h/a", "https://h/a"),
        ("https://me@[::1]:1/a@b", "https://[::1]:1/a@b"),
        ("https://h/a", "https://h/a"),
    ],
)
def test_without_userinfo(url: str, expected: str) -> None:
    """A URL is asked for without the login in it."""
    assert Url.parse(url).wire == Url.parse(url).bare.text == expected


def test_redact_takes_its_time_linearly() -> None:
    """A long word that is no URL is looked at once, not once for each of its letters."""
    assert redact("a" * 1_000_000) == "a" * 1_000_000
