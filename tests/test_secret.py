"""What must never be shown, and where it may be sent."""

from __future__ import annotations

import string
from base64 import b64decode, b64encode
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uv_self_update.credentials import Credentials, github_token, origin_of, without_userinfo
from uv_self_update.secret import Secret, redact, redact_url


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
        ("https://h/@scope/a", "https://h/@scope/a"),
        ("https://h/a?sig=x&se=y", "https://h/a?sig=***&se=***"),
        ("https://h/a?sig=x=y==", "https://h/a?sig=***"),
        ("https://h/a?t0ken", "https://h/a?***"),
        ("https://h/a?&&b=", "https://h/a?b=***"),
        ("https://h/a#t0ken", "https://h/a"),
        ("file:///a/b", "file:///a/b"),
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


@settings(deadline=None)
@given(user=st.text(min_size=1), password=st.text())
def test_any_login_can_be_given(user: str, password: str) -> None:
    """Any login, percent-encoded in a URL, is sent as it is."""
    try:
        expected = f"{user}:{password}".encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text
    url = f"https://{quote(user, safe='')}:{quote(password, safe='')}@h.example/a"
    header = Credentials.collect([url]).headers_for("https://h.example/b")["Authorization"]
    assert b64decode(header.removeprefix("Basic ")) == expected
    assert without_userinfo(url) == "https://h.example/a"
    assert redact(url) == "https://***@h.example/a"


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
    assert without_userinfo(url) == expected


def basic(login: str) -> dict[str, str]:
    """Return the header of a login."""
    return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x", basic("me:pw")),
        ("https://A.EXAMPLE:443/", basic("me:pw")),
        ("https://someone:else@a.example/", basic("me:pw")),
        ("http://a.example/", {}),
        ("https://a.example:8443/", {}),
        ("https://b.a.example/", {}),
        ("https://a.example.evil/", {}),
        ("https://evil/?https://a.example/", {}),
        ("http://[::1]:81/", basic("six:")),
        ("http://[::1]/", {}),
        ("https://api.example/repos", {"Authorization": "Bearer t0ken"}),
        ("https://none.example/", {}),
        ("file:///a.example/", {}),
    ],
)
def test_headers(url: str, expected: dict[str, str]) -> None:
    """A credential goes to its own origin, and to no other."""
    credentials = Credentials.collect(
        [
            "https://me:pw@a.example/one/{tag}",
            "https://a.example/two",
            "http://six@[::1]:81/",
            "https://none.example/",
            "https://@none.example/",
        ],
        tokens={"https://api.example/repos/o/r": Secret("t0ken")},
    )
    assert credentials.headers_for(url) == expected
    assert "t0ken" not in repr(credentials)


def test_no_credentials() -> None:
    """With nothing configured, nothing is sent."""
    assert Credentials().headers_for("https://h/") == {}


@pytest.mark.parametrize(
    ("url", "environ", "given", "expected"),
    [
        ("https://github.com/o/r", {}, None, None),
        ("https://github.com/o/r", {"GITHUB_TOKEN": "c"}, None, "c"),
        ("https://github.com/o/r", {"GH_TOKEN": "b", "GITHUB_TOKEN": "c"}, None, "b"),
        ("https://github.com/o/r", {"UV_GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, None, "a"),
        ("https://github.com/o/r", {"UV_GITHUB_TOKEN": "a"}, "t", "t"),
        ("https://github.com/o/r", {"UV_GITHUB_TOKEN": "", "GH_TOKEN": "b"}, "", "b"),
        ("https://github.com.example/o/r", {"GH_TOKEN": "b"}, None, None),
        ("https://git.example/o/r", {"GH_TOKEN": "b", "GITHUB_TOKEN": "c"}, None, None),
        ("https://git.example/o/r", {"UV_GITHUB_TOKEN": "a"}, None, "a"),
        ("https://git.example/o/r", {}, "t", "t"),
        ("http://github.com/o/r", {"UV_GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, "t", None),
        ("http://git.example/o/r", {"UV_GITHUB_TOKEN": "a"}, "t", None),
        ("http://127.0.0.1:8080/o/r", {"UV_GITHUB_TOKEN": "a"}, None, "a"),
    ],
)
def test_github_token(
    url: str, environ: dict[str, str], given: str | None, expected: str | None
) -> None:
    """GitHub's own variables are for GitHub alone, and no token goes over an open line."""
    token = github_token(url, environ, given=given)

    assert (None if token is None else token.reveal()) == expected


def test_redact_takes_its_time_linearly() -> None:
    """A long word that is no URL is looked at once, not once for each of its letters."""
    assert redact("a" * 1_000_000) == "a" * 1_000_000
