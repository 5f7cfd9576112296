"""Which header each kind of source sends a login in, and to where."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote

import pytest

from uv_self_update.kinds import SourceSettings
from uv_self_update.sources.logins import credentials_of


def basic(login: str) -> dict[str, str]:
    """Return the header of RFC 7617."""
    return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}


@pytest.mark.parametrize(
    ("kind", "url", "headers"),
    [
        ("nexus", "https://u:p@h.example/repository/uv/", basic("u:p")),
        ("listing", "https://u:p%40%2F@h.example/uv/", basic("u:p@/")),
        ("listing", "https://h.example/uv/", {}),
        ("gitea", "https://token@h.example/o/r", basic("token:")),
        ("gitlab", "https://me:secret@h.example/g/p", {"PRIVATE-TOKEN": "secret"}),
        ("gitlab", "https://secret@h.example/g/p", {"PRIVATE-TOKEN": "secret"}),
        ("gitlab", "https://gitlab-ci-token:job@h.example/g/p", {"JOB-TOKEN": "job"}),
        (
            "gitlab",
            "https://gitlab%2Bdeploy-token-1:d@h.example/g/p",
            {"DEPLOY-TOKEN": "d"},
        ),
        ("gitlab", "https://h.example/g/p", {}),
    ],
)
def test_login_of_a_url(kind: str, url: str, headers: dict[str, str]) -> None:
    """A login that stands in a URL is sent as the product takes it, to that origin alone."""
    credentials = credentials_of(SourceSettings(kind=kind, url=url), {}, given=None)

    assert credentials.headers_for("https://h.example/anything") == headers
    for other in ("http://h.example/", "https://h.example:8443/", "https://i.example/"):
        assert credentials.headers_for(other) == {}


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_token_with_the_end_of_its_line(end: str) -> None:
    """A token that was read out of a file is sent without the end of its line."""
    section = SourceSettings(kind="github", url="https://git.example/o/r")

    credentials = credentials_of(section, {"UV_GITHUB_TOKEN": f"abc{end}"}, given=None)

    assert credentials.headers_for("https://git.example/") == {"Authorization": "Bearer abc"}


@pytest.mark.parametrize("token", ["a\nb", "a\x00b", "ä", " ", "\n"])
def test_token_that_no_header_can_carry(token: str) -> None:
    """What cannot be sent is none: a client's complaint would show it."""
    section = SourceSettings(kind="github", url="https://git.example/o/r")
    gitlab = SourceSettings(kind="gitlab", url=f"https://me:{quote(token)}@git.example/g/p")

    assert credentials_of(section, {"UV_GITHUB_TOKEN": token}, given=None).by_origin == {}
    assert (
        "PRIVATE-TOKEN"
        not in credentials_of(gitlab, {}, given=None).headers_for("https://git.example/")
        or not token.strip()
    )


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://github.com/o/r", True),
        ("https://www.github.com/o/r", True),
        ("https://github.com.evil.example/o/r", False),
        ("https://git.example/o/r", False),
    ],
)
def test_token_of_a_guess(url: str, *, sent: bool) -> None:
    """Where nobody has said that it is a GitHub, a token goes to GitHub alone."""
    section = SourceSettings(kind="github", url=url)
    environ = {"UV_GITHUB_TOKEN": "abc"}

    guessed = credentials_of(section, environ, given="abc", guessed=True)

    assert bool(guessed.by_origin) is sent
    assert credentials_of(section, environ, given=None).by_origin


def test_each_origin_of_templates_has_its_own_login() -> None:
    """A source of two servers keeps their logins apart."""
    section = SourceSettings(
        kind="urls", latest="https://a:1@a.example/x", download="https://b:2@b.example/{asset}"
    )

    credentials = credentials_of(section, {}, given=None)

    assert credentials.headers_for("https://a.example/x") == basic("a:1")
    assert credentials.headers_for("https://b.example/uv.zip") == basic("b:2")


def test_secrets_do_not_show() -> None:
    """What credentials say of themselves holds no secret."""
    section = SourceSettings(kind="gitlab", url="https://me:secret@h.example/g/p")

    assert "secret" not in repr(credentials_of(section, {}, given=None))
