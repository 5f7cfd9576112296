"""Whose login each server is shown, and in which header each kind of source takes it."""

from __future__ import annotations

import logging
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st

from support.urls import origin_of, source_settings
from uv_self_update.auth.credentials import Login
from uv_self_update.auth.programs import Found, LoginPrograms, Question
from uv_self_update.config.kinds import KINDS, SourceSettings, check_source
from uv_self_update.redaction import Secret
from uv_self_update.sources.addresses import api_of
from uv_self_update.sources.authentication import credentials_of
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.auth.credentials import Credentials

ELSEWHERE = (
    "http://h.example/",
    "https://h.example:8443/",
    "https://i.example/",
    "https://example/",
)
"""Origins that are not that of `https://h.example/`."""


class Knowing(LoginPrograms):
    """Programs that know one thing, and keep what they are asked."""

    def __init__(self, what: Login | Secret | None) -> None:
        """Keep what is known."""
        super().__init__(uv=None, environ={})
        self.what = what
        self.questions: list[Question] = []

    def find(self, question: Question) -> Found | None:
        """Return what is known."""
        self.questions.append(question)
        return None if self.what is None else Found(what=self.what, place="keyring")


def basic(login: str) -> dict[str, str]:
    """Return the header of RFC 7617."""
    return {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    """Return the header of RFC 6750."""
    return {"Authorization": f"Bearer {token}"}


def plain(
    section: SourceSettings, environ: Mapping[str, str] | None = None, *, token: str | None = None
) -> Credentials:
    """Return the credentials of a source whose kind was said."""
    return credentials_of(section, environ or {}, given=None if token is None else Secret(token))


def source(kind: str, url: str, keys: Mapping[str, object] | None = None) -> SourceSettings:
    """Return a source as a file configures it, with a URL that fits any kind."""
    fields = {"download" if kind == "urls" else "url": url}
    section, problems = check_source({"kind": kind, **fields, **(keys or {})})
    assert problems == []
    return section


def shown(credentials: Credentials) -> dict[str, str | None]:
    """Return where the credential of each host comes from."""
    return {host: place for (_, host, _), place in credentials.described().items()}


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a user with a netrc file."""
    (tmp_path / ".netrc").write_text(
        "machine h.example login me password kept\n"
        "machine github.com login me password ghp\n"
        "default login anyone password any\n"
    )
    return {"HOME": str(tmp_path)}


@pytest.mark.parametrize(
    ("kind", "url", "headers"),
    [
        ("nexus", "https://u:p@h.example/repository/uv/", basic("u:p")),
        ("listing", "https://u:p%40%2F@h.example/uv/", basic("u:p@/")),
        ("listing", "HTTPS://u:p@H.example:443/uv/", basic("u:p")),
        ("listing", "https://h.example/uv/", {}),
        ("gitea", "https://token@h.example/o/r", basic("token:")),
        ("github", "https://me:token@h.example/o/r", basic("me:token")),
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
    credentials = plain(source_settings(kind=kind, url=url))

    assert credentials.headers_for(origin_of("https://h.example/anything")) == headers
    assert shown(credentials) == {"h.example": "the URL" if headers else None}
    for other in ELSEWHERE:
        assert credentials.headers_for(origin_of(other)) == {}


@settings(deadline=None)
@generated(user=st.text(min_size=1), password=st.text())
def test_any_login_can_be_given(user: str, password: str) -> None:
    """Any login, percent-encoded in a URL, is sent as it is."""
    try:
        expected = f"{user}:{password}".encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair is no text
    url = f"https://{quote(user, safe='')}:{quote(password, safe='')}@h.example/a"

    credentials = plain(source_settings(kind="listing", url=url))
    headers = credentials.headers_for(origin_of("https://h.example/b"))
    assert b64decode(headers["Authorization"].removeprefix("Basic ")) == expected


TOKENS = {
    "gitlab": {"PRIVATE-TOKEN": "t0ken"},
    "gitea": {"Authorization": "token t0ken"},
    **dict.fromkeys(("github", "nexus", "artifactory", "listing", "urls"), bearer("t0ken")),
}


@pytest.mark.parametrize("kind", TOKENS)
def test_each_kind(kind: str) -> None:
    """A token, and a user's password, are sent as each product takes them, wherever they are from.

    https://docs.gitlab.com/api/rest/authentication/, https://docs.gitea.com/development/api-usage
    """
    url = (
        "https://h.example/repository/{asset}"
        if kind == "urls"
        else "https://h.example/repository/uv"
    )
    section = source(kind, url, {"token-env": "T"})
    assert plain(section, {"T": " t0ken\r\n"}).headers_for(origin_of(url)) == TOKENS[kind]

    login = {"PRIVATE-TOKEN": "p:w"} if kind == "gitlab" else basic("me:p:w")
    section = source(kind, url, {"username": "me", "password-env": "P"})
    assert plain(section, {"P": "p:w\n"}).headers_for(origin_of(url)) == login

    for what, expected in (
        (Secret("t0ken"), TOKENS[kind]),
        (Login(user="me", password=Secret("p:w")), login),
    ):
        programs = Knowing(what)
        credentials = credentials_of(source(kind, url), {}, given=None, programs=programs)
        assert credentials.headers_for(origin_of(url)) == {}
        assert credentials.ask(origin_of(url)) == expected
        assert credentials.headers_for(origin_of(url)) == expected


def test_order(home: dict[str, str]) -> None:
    """Of all places that have a credential, the first counts; without it, the next."""
    environ = {**home, "TOKEN": "own", "PASSWORD": "own", "UV_GITHUB_TOKEN": "uv"}
    environ |= {"GH_HOST": "h.example", "GH_ENTERPRISE_TOKEN": "gh"}
    keys = {"username": "me", "password-env": "PASSWORD", "token-env": "TOKEN"}
    knowing = Knowing(Secret("asked"))

    def now(url: str, given: str | None = None) -> tuple[str | None, dict[str, str]]:
        section = source("github", url, keys)
        token = None if given is None else Secret(given)
        credentials = credentials_of(section, environ, given=token, programs=knowing)
        place = shown(credentials)["h.example"]
        return place, credentials.headers_for(origin_of("https://h.example/api/v3/repos/o/r"))

    assert now("https://a:b@h.example/o/r", "t") == ("the URL", basic("a:b"))
    url = "https://h.example/o/r"
    assert now(url, "t") == ("`token-env` TOKEN", bearer("own"))
    del keys["token-env"]
    assert now(url, "t") == ("`password-env` PASSWORD", basic("me:own"))
    del keys["password-env"]
    assert now(url, "t") == ("`--token`", bearer("t"))
    assert now(url) == ("UV_GITHUB_TOKEN", bearer("uv"))
    del environ["UV_GITHUB_TOKEN"]
    assert now(url) == ("GH_ENTERPRISE_TOKEN", bearer("gh"))
    del environ["GH_ENTERPRISE_TOKEN"]
    assert now(url) == (f"netrc {Path(home['HOME'], '.netrc')}", basic("me:kept"))
    assert knowing.questions == []
    keys["username"] = "anyone"
    assert now(url) == ("keyring", bearer("asked"))
    knowing.what = None
    assert now(url) == (f"netrc {Path(home['HOME'], '.netrc')}", basic("anyone:any"))
    keys["username"] = "nobody"
    assert now(url) == (None, {})


@pytest.mark.parametrize("value", [None, "", "\n"])
@pytest.mark.parametrize("key", ["token-env", "password-env", "header-env"])
def test_variable_is_not_set(
    home: dict[str, str], key: str, value: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A variable that a source names and that is not set is warned of; the next place counts."""
    named = {"X-Key": "MIRROR"} if key == "header-env" else "MIRROR"
    section = source("listing", "https://h.example/?a=b", {"username": "me", key: named})
    environ = home if value is None else {**home, "MIRROR": value}

    assert plain(section, environ).headers_for(origin_of("https://h.example/")) == basic("me:kept")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"the source https://h.example/?a=***: `{key}` names MIRROR, which is not set"
    )


@pytest.mark.parametrize("value", ["s3\ncret", "s3\x00cret", "s3crét", "\udcffs3cret"])
def test_variable_that_no_header_can_carry(value: str, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be sent is none, and is not shown: a client's complaint would show it."""
    token = source("listing", "https://h.example/", {"token-env": "MIRROR"})
    header = source("listing", "https://h.example/", {"header-env": {"X-Key": "MIRROR"}})
    for section in (token, header):
        caplog.clear()
        assert plain(section, {"MIRROR": value}).headers_for(origin_of("https://h.example/")) == {}
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
        assert "the value of MIRROR is not valid in a header" in caplog.text
        assert "cret" not in caplog.text
    github = source_settings(kind="github", url="https://h.example/o/r")
    for credentials in (plain(github, {"UV_GITHUB_TOKEN": value}), plain(github, token=value)):
        assert credentials.headers_for(origin_of("https://h.example/")) == {}


def test_password_that_is_no_text() -> None:
    """A password of bytes that are no text is not sent, and fails nothing."""
    section = source("listing", "https://h.example/", {"username": "me", "password-env": "P"})

    assert plain(section, {"P": "\udcff"}).headers_for(origin_of("https://h.example/")) == {}


@pytest.mark.parametrize(
    ("url", "keys", "expected", "place"),
    [
        ("https://h.example/", {}, {"X-JFrog-Art-Api": "k3y"}, "`header-env` KEY"),
        (
            "https://u:p@h.example/",
            {},
            {"X-JFrog-Art-Api": "k3y", **basic("u:p")},
            "the URL and `header-env` KEY",
        ),
        (
            "https://h.example/",
            {"token-env": "T"},
            {"X-JFrog-Art-Api": "k3y", **bearer("t0ken")},
            "`token-env` T and `header-env` KEY",
        ),
    ],
)
def test_header(
    home: dict[str, str], url: str, keys: dict[str, str], expected: dict[str, str], place: str
) -> None:
    """A header that a source names is sent beside its own login, and beside no other."""
    section = source("listing", url, {"header-env": {"X-JFrog-Art-Api": "KEY"}, **keys})
    credentials = plain(section, {**home, "KEY": "k3y", "T": "t0ken"})

    assert credentials.headers_for(origin_of("https://h.example/")) == expected
    assert shown(credentials) == {"h.example": place}


def test_header_in_place_of_a_login() -> None:
    """A header that a source names counts more than a login that would be sent in the same."""
    headers = {"authorization": "KEY", "Cookie": "SESSION"}
    section = source("listing", "https://u:p@h.example/", {"header-env": headers})

    sent = plain(section, {"KEY": "Digest x", "SESSION": "id=1"})
    expected = {"authorization": "Digest x", "Cookie": "id=1"}
    assert sent.headers_for(origin_of("https://h.example/")) == expected


GITHUB, TENANT, GHES = "https://github.com/o/r", "https://t.ghe.com/o/r", "https://ghes.example/o/r"
BOTH = {"GH_TOKEN": "b", "GITHUB_TOKEN": "c"}
ENTERPRISE = {"GH_ENTERPRISE_TOKEN": "e", "GITHUB_ENTERPRISE_TOKEN": "f"}
ON_GHES = {"GITHUB_SERVER_URL": "https://ghes.example"}
ON_GITHUB = {"GITHUB_SERVER_URL": "https://github.com"}


@pytest.mark.parametrize(
    ("url", "environ", "given", "expected"),
    [
        (GITHUB, {}, None, None),
        (GITHUB, {"GITHUB_TOKEN": "c"}, None, "c"),
        (GITHUB, BOTH, None, "b"),
        (GITHUB, {"UV_GITHUB_TOKEN": "a", **BOTH}, None, "a"),
        (GITHUB, {"UV_GITHUB_TOKEN": "a"}, "t", "t"),
        (GITHUB, {"UV_GITHUB_TOKEN": "", "GH_TOKEN": "b"}, "", "b"),
        ("https://www.github.com/o/r", BOTH, None, "b"),
        (TENANT, BOTH, None, "b"),
        ("https://ghe.com/o/r", BOTH, None, None),
        ("https://github.com.example/o/r", BOTH, None, None),
        ("https://evilghe.com/o/r", BOTH, None, None),
        (GHES, BOTH, None, None),
        (GHES, {"UV_GITHUB_TOKEN": "a"}, None, "a"),
        (GHES, {}, "t", "t"),
        # Those of an Enterprise Server are for the one that is named, and for no other.
        (GHES, ENTERPRISE, None, None),
        (GHES, {**ENTERPRISE, "GH_HOST": "ghes.example"}, None, "e"),
        (GHES, {"GITHUB_ENTERPRISE_TOKEN": "f", "GH_HOST": "GHES.example"}, None, "f"),
        (GHES, {**ENTERPRISE, "GH_HOST": "other.example"}, None, None),
        ("https://ghes.example:8443/o/r", {**ENTERPRISE, "GH_HOST": "ghes.example"}, None, None),
        (
            "https://ghes.example:8443/o/r",
            {**ENTERPRISE, "GH_HOST": "ghes.example:8443"},
            None,
            "e",
        ),
        (GHES, {**ENTERPRISE, **ON_GHES}, None, "e"),
        (GHES, {**ENTERPRISE, **ON_GITHUB}, None, None),
        (GITHUB, {**ENTERPRISE, "GH_HOST": "github.com"}, None, None),
        # A job's own token is for the server that runs the job.
        (GHES, {**BOTH, **ON_GHES}, None, "c"),
        (GHES, {**BOTH, **ON_GITHUB}, None, None),
        (GITHUB, {"GITHUB_TOKEN": "c", **ON_GHES}, None, None),
        (GITHUB, {**BOTH, **ON_GHES}, None, "b"),
        (GITHUB, {"GITHUB_TOKEN": "c", **ON_GITHUB}, None, "c"),
        ("https://www.github.com/o/r", {"GITHUB_TOKEN": "c", **ON_GITHUB}, None, "c"),
        (GHES, {**BOTH, "GITHUB_SERVER_URL": "https://ghes.example:x"}, None, None),
        ("https://ghes.example:8443/o/r", {**BOTH, **ON_GHES}, None, None),
        # No token goes over a line that others may listen to.
        ("http://github.com/o/r", {"UV_GITHUB_TOKEN": "a", **BOTH}, "t", None),
        ("http://ghes.example/o/r", {"UV_GITHUB_TOKEN": "a"}, "t", None),
        ("http://127.0.0.1:8080/o/r", {"UV_GITHUB_TOKEN": "a"}, None, "a"),
        ("http://[::1]:8080/o/r", {"UV_GITHUB_TOKEN": "a"}, None, "a"),
    ],
)
def test_github(url: str, environ: dict[str, str], given: str | None, expected: str | None) -> None:
    """A token of GitHub's variables goes to the server that it is for, and not over an open line.

    https://cli.github.com/manual/gh_help_environment
    """
    credentials = plain(source_settings(kind="github", url=url), environ, token=given)

    assert credentials.headers_for(api_of(Url.parse(url)).origin) == (
        {} if expected is None else bearer(expected)
    )


def test_token_is_for_the_api_alone(home: dict[str, str]) -> None:
    """A token goes to github.com's API, and not to its pages; a login of netrc to both."""
    section = source_settings(kind="github", url=GITHUB)
    credentials = plain(section, {"GH_TOKEN": "abc"})
    assert credentials.headers_for(origin_of("https://api.github.com/repos/o/r")) == bearer("abc")
    assert credentials.headers_for(origin_of(GITHUB)) == {}
    assert credentials.names(origin_of(GITHUB))

    credentials = plain(section, home)
    for url in ("https://api.github.com/repos/o/r", GITHUB):
        assert credentials.headers_for(origin_of(url)) == basic("me:ghp")
    asked = credentials_of(section, {}, given=None, programs=Knowing(Secret("abc")))
    assert asked.ask(origin_of("https://api.github.com/repos/o/r")) == bearer("abc")
    assert asked.ask(origin_of(GITHUB)) is None


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (GITHUB, True),
        ("https://www.github.com/o/r", True),
        (TENANT, True),
        ("https://github.com.evil.example/o/r", False),
        ("https://git.example/o/r", False),
    ],
)
def test_token_of_a_guess(url: str, *, sent: bool) -> None:
    """Where nobody has said that it is a GitHub, a token goes to GitHub alone, and so does gh's."""
    section = source("github", url)
    environ = {"UV_GITHUB_TOKEN": "abc", **BOTH, **ENTERPRISE, "GH_HOST": "git.example"}
    environ["GITHUB_SERVER_URL"] = "https://git.example"

    guessed = credentials_of(section, environ, given=Secret("abc"), guessed=True)
    assert any(place is not None for place in guessed.described().values()) is sent
    assert any(place is not None for place in plain(section, environ).described().values())

    knowing = Knowing(None)
    credentials_of(section, {}, given=None, guessed=True, programs=knowing).ask(origin_of(url))
    assert [question.github is not None for question in knowing.questions] == [sent]


@pytest.mark.parametrize("guessed", [False, True])
def test_what_is_kept_for_a_host(home: dict[str, str], *, guessed: bool) -> None:
    """What netrc, a store or the source's keys have is for the host, whatever its kind."""
    section = source_settings(kind="gitlab", url="https://h.example/g/p")
    kept = credentials_of(section, home, given=None, guessed=guessed)
    assert kept.headers_for(origin_of("https://h.example/")) == {"PRIVATE-TOKEN": "kept"}

    own = source("gitlab", "https://h.example/g/p", {"token-env": "T"})
    credentials = credentials_of(own, {"T": "abc"}, given=None, guessed=guessed)
    assert credentials.headers_for(origin_of("https://h.example/")) == {"PRIVATE-TOKEN": "abc"}
    asked = credentials_of(
        section, {}, given=None, guessed=guessed, programs=Knowing(Secret("abc"))
    )
    assert asked.ask(origin_of("https://h.example/")) == {"PRIVATE-TOKEN": "abc"}


@pytest.mark.parametrize(
    ("url", "environ", "sent"),
    [
        ("https://gl.example/g/p", {"CI_SERVER_URL": "https://gl.example"}, True),
        ("https://gl.example/g/p", {"CI_API_V4_URL": "https://gl.example/x/api/v4"}, True),
        ("https://gl.example:443/g/p", {"CI_SERVER_URL": "https://gl.example"}, True),
        ("https://gl.example:81/g/p", {"CI_SERVER_URL": "https://gl.example"}, False),
        ("https://other.example/g/p", {"CI_SERVER_URL": "https://gl.example"}, False),
        ("https://gl.example/g/p", {}, False),
        ("https://gl.example/g/p", {"CI_SERVER_URL": "nonsense"}, False),
        ("http://gl.example/g/p", {"CI_SERVER_URL": "http://gl.example"}, False),
        ("http://localhost:81/g/p", {"CI_SERVER_URL": "http://localhost:81"}, True),
    ],
)
def test_token_of_a_job(url: str, environ: dict[str, str], *, sent: bool) -> None:
    """The token of a GitLab job goes to the GitLab that runs the job, and to no other server."""
    environ = {**environ, "CI_JOB_TOKEN": "job"}
    expected = {"JOB-TOKEN": "job"} if sent else {}

    gitlab, gitea = (
        plain(source_settings(kind=kind, url=url), environ) for kind in ("gitlab", "gitea")
    )
    assert gitlab.headers_for(origin_of(url)) == expected
    assert gitea.headers_for(origin_of(url)) == {}
    guess = credentials_of(
        source_settings(kind="gitlab", url=url), environ, given=None, guessed=True
    )
    assert guess.headers_for(origin_of(url)) == {}


def test_each_origin_of_templates_has_its_own_login() -> None:
    """A source of two servers keeps their logins apart; what its keys name is for both."""
    section = source_settings(
        kind="urls", latest="https://a:1@a.example/x", download="https://b:2@b.example/{asset}"
    )
    credentials = plain(section)
    assert credentials.headers_for(origin_of("https://a.example/x")) == basic("a:1")
    assert credentials.headers_for(origin_of("https://b.example/uv.zip")) == basic("b:2")

    rest = {"latest": "https://a:1@a.example/x", "release": "file:///x", "token-env": "T"}
    section = source("urls", "https://b.example/{asset}", rest)
    credentials = plain(section, {"T": "abc"})
    assert credentials.headers_for(origin_of("https://a.example/x")) == basic("a:1")
    assert credentials.headers_for(origin_of("https://b.example/uv.zip")) == bearer("abc")
    assert not credentials.names(origin_of("file:///x"))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_open_line(home: dict[str, str], scheme: str) -> None:
    """What was kept for a host is sent over any line, and what is for any host is not."""
    url = f"{scheme}://h.example/"
    credentials = plain(source_settings(kind="listing", url=url), home)
    assert credentials.headers_for(origin_of(url)) == basic("me:kept")

    url = f"{scheme}://other.example/"
    credentials = plain(source_settings(kind="listing", url=url), home)
    assert credentials.headers_for(origin_of(url)) == {}
    assert credentials.ask(origin_of(url)) == (basic("anyone:any") if scheme == "https" else None)


def test_no_origin_but_those_that_are_configured(home: dict[str, str]) -> None:
    """A host that netrc knows, or programs would, gets nothing unless the person named it."""
    section = source_settings(kind="listing", url="https://elsewhere.example/")
    credentials = credentials_of(section, home, given=None, programs=Knowing(Secret("abc")))

    for other in ("https://h.example/", "https://github.com/", *ELSEWHERE):
        assert credentials.headers_for(origin_of(other)) == {}
        assert credentials.ask(origin_of(other)) is None
        assert not credentials.names(origin_of(other))


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        (
            source_settings(kind="github", url="https://ghes.example:8443/o/r", username="me"),
            Question(
                urls=("https://ghes.example:8443/o/r",),
                username="me",
                github="ghes.example:8443",
            ),
        ),
        (
            source_settings(kind="github", url="http://ghes.example/o/r"),
            Question(urls=("http://ghes.example/o/r",)),
        ),
        (
            source_settings(kind="s3", url="https://s3.example/uv?sig=s3cret#s3cret"),
            Question(urls=("https://s3.example/uv",)),
        ),
        (
            source_settings(
                kind="urls",
                latest="https://u.example/latest?t=s3cret",
                download="https://u.example/uv/{tag}/{asset}",
            ),
            Question(urls=("https://u.example/latest", "https://u.example/uv/")),
        ),
    ],
)
def test_question(section: SourceSettings, expected: Question) -> None:
    """Programs are asked about the URLs that were configured, without what is secret in them."""
    knowing = Knowing(None)
    url = section.urls[0]

    credentials_of(section, {}, given=None, programs=knowing).ask(url.origin)

    assert knowing.questions == [expected]


@settings(deadline=None, max_examples=200)
@generated(
    kind=st.sampled_from([kind for kind in KINDS if kind not in {"index", "directory"}]),
    guessed=st.booleans(),
    host=st.sampled_from(["h.example", "github.com", "t.ghe.com", "127.0.0.1:81"]),
    scheme=st.sampled_from(["http", "https"]),
    keys=st.sets(st.sampled_from(["token-env", "password-env", "header-env"])),
    variables=st.sets(
        st.sampled_from(["S1", "S2", "S3", "UV_GITHUB_TOKEN", *BOTH, *ENTERPRISE, "CI_JOB_TOKEN"])
    ),
    server=st.sampled_from(["", "https://h.example", "https://i.example"]),
)
def test_nothing_crosses(  # noqa: PLR0913 # one for each choice
    kind: str,
    *,
    guessed: bool,
    host: str,
    scheme: str,
    keys: set[str],
    variables: set[str],
    server: str,
) -> None:
    """Whatever is set, only origins that were configured get a credential, and none is shown."""
    url = f"{scheme}://{host}/repository/uv"
    values = {"token-env": "S1", "password-env": "S2", "header-env": {"X-Key": "S3"}}
    section = source(
        kind,
        url + ("/{asset}" if kind == "urls" else ""),
        {"username": "me", **{key: values[key] for key in keys}},
    )
    environ = dict.fromkeys(variables, "s3cret")
    environ |= {"GITHUB_SERVER_URL": server, "CI_SERVER_URL": server, "GH_HOST": server[8:]}
    login = Login(user="me", password=Secret("s3cret"))
    credentials = credentials_of(
        section, environ, given=Secret("s3cret"), guessed=guessed, programs=Knowing(login)
    )

    described = credentials.described()
    own = {f"{scheme}://{host}/", *(["https://api.github.com/"] if kind == "github" else [])}
    for other in {"https://h.example/", "https://i.example/", "https://evil.example/"} - own:
        assert credentials.headers_for(origin_of(other)) == {}
    assert "s3cret" not in repr(described) + repr(credentials) + repr(section)
    if scheme == "http" and not host.startswith("127."):
        assert not set(described.values()) & {"`--token`", *BOTH, *ENTERPRISE, "CI_JOB_TOKEN"}
