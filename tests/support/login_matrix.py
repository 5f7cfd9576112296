"""What is said to whom: every place that a credential comes from, with every kind of source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from support.catalogue import catalogue
from support.origins import CERTIFICATE, Arrived
from support.simulator.dialect import Setup, basic, called, json_page
from support.simulator.plain import github_release
from support.simulator.rows import ROWS
from support.urls import source_settings, text_of
from support.web import Asked, Page
from uv_self_update import platforms
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.simulator.dialect import Dialect
    from uv_self_update.config.kinds import SourceSettings

USER, SECRET = "reader", "s3cret-t0ken"
KEY = "X-JFrog-Art-Api"
START, END = "0.8.24", "0.11.13"
"""Of the real uv: small ones."""

COOKIE = "session=s3cret; Path=/"
RELEASES = catalogue("0.10.0", "0.10.1")
ARCHIVE = RELEASES["0.10.1"][platforms.current().archive].content

MIRROR, OTHER, STORAGE, LINKS = (
    f"https://{name}.test" for name in ("mirror", "other", "storage", "links")
)
GITHUB, GITHUB_API = "https://github.com", "https://api.github.com"
LATEST, RELEASE, DOWNLOAD = (f"https://{name}.test" for name in ("latest", "release", "download"))


# What is asked


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A source, and the servers that a person has configured with it."""

    name: str
    column: str
    """What it is called in the tables."""

    row: str
    """Which simulated product answers."""

    origins: tuple[str, ...] = (MIRROR,)
    """What is configured; the first stands in the URL, the last is that of the API."""

    guessed: bool = False

    @property
    def host(self) -> str:
        """The host that stands in the URL."""
        return self.origins[0].partition("://")[2]

    def dialect(self) -> Dialect:
        """Return what answers."""
        row = next(row for row in ROWS if row.name == self.row)
        return row.dialect(RELEASES, Setup())

    def section(self, userinfo: str = "", **keys: Any) -> SourceSettings:  # noqa: ANN401 # any field
        """Return the source, with a login in each of its URLs, and with the keys of one."""
        section = source_settings(
            kind="urls",
            latest=f"{LATEST}/all.json",
            release=f"{RELEASE}/release/{{tag}}.json",
            download=f"{DOWNLOAD}/{{tag}}/{{asset}}",
        )
        if self.row != "urls-json":
            dialect = self.dialect()
            section = dialect.section(self.origins[0] + dialect.place)
        if userinfo:
            names = ("url", "latest", "release", "download")
            urls = {name: text_of(getattr(section, name)) for name in names}
            written: dict[str, Any] = {
                name: Url.parse(url.replace("://", f"://{userinfo}@", 1))
                for name, url in urls.items()
                if url
            }
            section = replace(section, **written)
        return replace(section, kind="auto" if self.guessed else section.kind, **keys)

    def truth(
        self, root: str | None = None, *, dialect: Dialect | None = None
    ) -> Callable[[Arrived], Page]:
        """Return what answers everybody, at whatever origin, and looks at no login.

        Args:
            root: What the server takes for its own address; None for the truth.
            dialect: What answers; None for that of the source.
        """
        dialect = dialect or self.dialect()

        def answer(arrived: Arrived) -> Page:
            asked = arrived.asked
            parts = urlsplit(asked.path)
            if parts.path.startswith("/release/"):
                return _release(parts.path.removeprefix("/release/").removesuffix(".json"))
            # The API of github.com, where it has a host of its own.
            path = f"/api/v3{asked.path}" if parts.path.startswith("/repos/") else asked.path
            plain = {name: asked.headers.get(name, "") for name in ("accept", "user-agent")}
            bare = Asked(method=asked.method, path=path, headers=plain)
            call = called(bare, dialect.setup, root or arrived.origin)
            return Page(status=404) if call is None else dialect.answer(call)

        return answer


def _release(version: str) -> Page:
    return json_page(
        github_release(RELEASES[version], repository=LINKS, api=f"{LINKS}/api", number=1000)
    )


SUBJECTS = (
    Subject(name="github", column="github", row="github"),
    Subject(name="github.com", column="github.com", row="github", origins=(GITHUB, GITHUB_API)),
    Subject(name="gitlab-releases", column="gitlab", row="gitlab-releases"),
    Subject(name="gitlab-packages", column="gitlab", row="gitlab-packages"),
    Subject(name="gitea-releases", column="gitea", row="gitea-releases"),
    Subject(name="gitea-packages", column="gitea", row="gitea-packages"),
    Subject(name="nexus", column="others", row="nexus"),
    Subject(name="artifactory", column="others", row="artifactory"),
    Subject(name="s3", column="others", row="s3-path"),
    Subject(name="listing", column="others", row="listing-nginx"),
    Subject(name="astral", column="others", row="astral"),
    Subject(name="urls", column="others", row="urls-json", origins=(LATEST, RELEASE, DOWNLOAD)),
    Subject(name="auto", column="auto", row="listing-nginx", guessed=True),
    Subject(
        name="auto-gitlab",
        column="auto-gitlab",
        row="gitlab-packages",
        origins=("https://gitlab.test",),
        guessed=True,
    ),
    Subject(
        name="auto-github",
        column="auto-github",
        row="github",
        origins=("https://github.test",),
        guessed=True,
    ),
    Subject(name="http", column="http", row="listing-nginx", origins=("http://mirror.test",)),
    Subject(
        name="http-gitlab",
        column="http-gitlab",
        row="gitlab-packages",
        origins=("http://mirror.test",),
    ),
    Subject(
        name="http-github", column="http-github", row="github", origins=("http://mirror.test",)
    ),
)
BY_NAME = {subject.name: subject for subject in SUBJECTS}


# Where credentials come from


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place that a credential comes from; `{host}` and `{origin}` are those of the source."""

    user: str = USER
    password: str = SECRET
    userinfo: str = ""
    keys: Mapping[str, object] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    token: str | None = None
    netrc: str = ""
    program: str | None = None
    certificate: bool = False
    refused: bool = False
    """Whether it is asked for a credential only once the server has refused."""


_NETRC_OF_OTHERS = "".join(
    f"machine {host} login {USER} password {SECRET}\n"
    for host in ("other.test", "storage.test", "links.test", "a.{host}", "a.api.github.com")
)

PLACES = {
    "URL": Place(userinfo=f"{USER}:{SECRET}"),
    "URL, a token alone": Place(userinfo=SECRET, user=SECRET, password=""),
    "URL, a job's user": Place(userinfo=f"gitlab-ci-token:{SECRET}", user="gitlab-ci-token"),
    "URL, a deploy token's": Place(
        userinfo=f"gitlab%2Bdeploy-token-1:{SECRET}", user="gitlab+deploy-token-1"
    ),
    "token-env": Place(keys={"token_env": "T"}, environ={"T": SECRET}),
    "password-env": Place(keys={"username": USER, "password_env": "P"}, environ={"P": SECRET}),
    "header-env": Place(keys={"header_env": ((KEY, "T"),)}, environ={"T": SECRET}),
    "header-env, two": Place(
        keys={"header_env": ((KEY, "T"), ("X-Gate", "G"))}, environ={"T": SECRET, "G": SECRET}
    ),
    "header-env and token-env": Place(
        keys={"header_env": (("X-Gate", "G"),), "token_env": "T"},
        environ={"T": SECRET, "G": SECRET},
    ),
    "UV_GITHUB_TOKEN": Place(environ={"UV_GITHUB_TOKEN": SECRET}),
    "--token": Place(token=SECRET),
    "GH_TOKEN": Place(environ={"GH_TOKEN": SECRET}),
    "GITHUB_TOKEN": Place(environ={"GITHUB_TOKEN": SECRET}),
    "GITHUB_TOKEN, job here": Place(
        environ={"GITHUB_TOKEN": SECRET, "GITHUB_SERVER_URL": "{origin}"}
    ),
    "GITHUB_TOKEN, elsewhere": Place(environ={"GITHUB_TOKEN": SECRET, "GITHUB_SERVER_URL": OTHER}),
    "GH_ENTERPRISE_TOKEN": Place(environ={"GH_ENTERPRISE_TOKEN": SECRET}),
    "with GH_HOST": Place(environ={"GH_ENTERPRISE_TOKEN": SECRET, "GH_HOST": "{host}"}),
    "with GH_HOST elsewhere": Place(
        environ={"GH_ENTERPRISE_TOKEN": SECRET, "GH_HOST": "other.test"}
    ),
    "CI_JOB_TOKEN": Place(environ={"CI_JOB_TOKEN": SECRET}),
    "with CI_SERVER_URL": Place(environ={"CI_JOB_TOKEN": SECRET, "CI_SERVER_URL": "{origin}"}),
    "with CI_SERVER_URL else": Place(environ={"CI_JOB_TOKEN": SECRET, "CI_SERVER_URL": OTHER}),
    "netrc": Place(netrc=f"machine {{host}} login {USER} password {SECRET}\n"),
    "netrc of others": Place(netrc=_NETRC_OF_OTHERS),
    "netrc, default": Place(netrc=f"default login {USER} password {SECRET}\n", refused=True),
    "uv's store": Place(program="uv", refused=True),
    "keyring": Place(
        program="keyring", environ={"UV_KEYRING_PROVIDER": "subprocess"}, refused=True
    ),
    "gh": Place(program="gh", refused=True),
    "client certificate": Place(certificate=True),
}


# What goes where

FORMS: Mapping[str, Callable[[Place], dict[str, str]]] = {
    "-": lambda _: {},
    "Basic": lambda place: {"authorization": basic(place.user, place.password)},
    "Bearer": lambda _: {"authorization": f"Bearer {SECRET}"},
    "token": lambda _: {"authorization": f"token {SECRET}"},
    "PRIVATE": lambda _: {"private-token": SECRET},
    "JOB": lambda _: {"job-token": SECRET},
    "DEPLOY": lambda _: {"deploy-token": SECRET},
    "Key": lambda _: {KEY.lower(): SECRET},
    "Gate": lambda _: {"x-gate": SECRET},
    "TLS": lambda _: {CERTIFICATE: "presented"},
}

SAID = """
                         | github      github.com  gitlab       gitea       others
URL                      | Basic       Basic       PRIVATE      Basic       Basic
URL, a token alone       | Basic       Basic       PRIVATE      Basic       Basic
URL, a job's user        | Basic       Basic       JOB          Basic       Basic
URL, a deploy token's    | Basic       Basic       DEPLOY       Basic       Basic
token-env                | Bearer      Bearer      PRIVATE      token       Bearer
password-env             | Basic       Basic       PRIVATE      Basic       Basic
header-env               | Key         Key         Key          Key         Key
header-env, two          | Key+Gate    Key+Gate    Key+Gate     Key+Gate    Key+Gate
header-env and token-env | Bearer+Gate Bearer+Gate PRIVATE+Gate token+Gate  Bearer+Gate
UV_GITHUB_TOKEN          | Bearer      Bearer      -            -           -
--token                  | Bearer      Bearer      -            -           -
GH_TOKEN                 | -           Bearer      -            -           -
GITHUB_TOKEN             | -           Bearer      -            -           -
GITHUB_TOKEN, job here   | Bearer      Bearer      -            -           -
GITHUB_TOKEN, elsewhere  | -           -           -            -           -
GH_ENTERPRISE_TOKEN      | -           -           -            -           -
with GH_HOST             | Bearer      -           -            -           -
with GH_HOST elsewhere   | -           -           -            -           -
CI_JOB_TOKEN             | -           -           -            -           -
with CI_SERVER_URL       | -           -           JOB          -           -
with CI_SERVER_URL else  | -           -           -            -           -
netrc                    | Basic       Basic       PRIVATE      Basic       Basic
netrc of others          | -           -           -            -           -
netrc, default           | Basic       Basic       PRIVATE      Basic       Basic
uv's store               | Basic       Basic       PRIVATE      Basic       Basic
keyring                  | Basic       Basic       PRIVATE      Basic       Basic
gh                       | Bearer      Bearer      -            -           -
client certificate       | TLS         TLS         TLS          TLS         TLS
"""
"""Place -> kind of source, as a person has named it -> what its server is told."""

GUESSED = """
                         | auto         auto-gitlab               auto-github
URL                      | Basic        Basic/PRIVATE             Basic
token-env                | Bearer       Bearer/PRIVATE            Bearer
password-env             | Basic        Basic/PRIVATE             Basic
header-env, two          | Key+Gate     Key+Gate                  Key+Gate
header-env and token-env | Bearer+Gate  Bearer+Gate/PRIVATE+Gate  Bearer+Gate
UV_GITHUB_TOKEN          | -            -                         -
--token                  | -            -                         -
GH_TOKEN                 | -            -                         -
GITHUB_TOKEN, job here   | -            -                         -
with GH_HOST             | -            -                         -
with CI_SERVER_URL       | -            -                         -
netrc                    | Basic        Basic/PRIVATE             Basic
netrc of others          | -            -                         -
netrc, default           | Basic        Basic/PRIVATE             Basic
uv's store               | Basic        Basic/PRIVATE             Basic
keyring                  | Basic        Basic/PRIVATE             Basic
gh                       | -            -                         -
client certificate       | TLS          TLS                       TLS
"""
"""The same where nobody has said what the server is: any could pretend to be a GitHub."""

OVERHEARD = """
                         | http         http-gitlab   http-github
URL                      | Basic        PRIVATE       Basic
token-env                | Bearer       PRIVATE       Bearer
password-env             | Basic        PRIVATE       Basic
header-env, two          | Key+Gate     Key+Gate      Key+Gate
UV_GITHUB_TOKEN          | -            -             -
--token                  | -            -             -
GH_TOKEN                 | -            -             -
GITHUB_TOKEN, job here   | -            -             -
with GH_HOST             | -            -             -
with CI_SERVER_URL       | -            -             -
netrc                    | Basic        PRIVATE       Basic
netrc of others          | -            -             -
netrc, default           | -            -             -
keyring                  | Basic        PRIVATE       Basic
gh                       | -            -             -
client certificate       | -            -             -
"""
"""The same over http, where whoever listens gets it too: nothing but what is for this server."""


def _read(table: str) -> dict[tuple[str, str], str]:
    """Return a table: place and column -> cell."""
    heads, *lines = table.strip("\n").splitlines()
    columns = heads.partition("|")[2].split()
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        place, _, cells = line.partition("|")
        found |= {
            (place.strip(), column): cell
            for column, cell in zip(columns, cells.split(), strict=True)
        }
    return found


TABLE = _read(SAID) | _read(GUESSED) | _read(OVERHEARD)
CELLS = [
    (subject.name, place)
    for subject, place in product(SUBJECTS, PLACES)
    if (place, subject.column) in TABLE
]


_FIRST = {(place, BY_NAME[name].column): name for name, place in reversed(CELLS)}


def first_of_column(name: str, place: str) -> bool:
    """Return whether a kind is the first of those that share a column of the tables."""
    return _FIRST[place, BY_NAME[name].column] == name


def due(subject: Subject, name: str) -> list[dict[str, str]]:
    """Return what a request to a configured origin may say; one of these, and all of it."""
    cell = TABLE[name, subject.column]
    found = []
    for alternative in cell.split("/"):
        headers: dict[str, str] = {}
        for form in alternative.split("+"):
            headers |= FORMS[form](PLACES[name])
        found.append(headers)
    return found
