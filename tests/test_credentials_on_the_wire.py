"""Every place that a credential comes from, with every kind of source: which header goes where.

The hosts are in a small internet behind one proxy, which records all that a request says beyond
what each has to say. So a header too many is seen at whatever origin, whatever it is called.
"""

from __future__ import annotations

import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import trustme

from support import binaries, mirrors
from support.catalogue import catalogue
from support.certificates import identity_file
from support.origins import CERTIFICATE, Arrived, Origins
from support.proxy import trust
from support.simulator.dialect import Setup, basic, called, json_page, redirect
from support.simulator.plain import github_release
from support.simulator.rows import ROWS, fetch
from support.web import Asked, Page, Web
from uv_self_update import platforms, sources
from uv_self_update.errors import SourceError, StatusRefused
from uv_self_update.kinds import KINDS, SourceSettings
from uv_self_update.policy import NEWEST, Wanted
from uv_self_update.secret import Secret
from uv_self_update.settings import Network, Settings
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.order import find_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.homes import Home
    from support.simulator.dialect import Dialect

    Someone = Callable[..., AbstractContextManager["Person"]]

USER, SECRET = "reader", "s3cret-t0ken"
KEY = "X-JFrog-Art-Api"
START, END = "0.5.0", "0.5.31"
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
        section = SourceSettings(
            kind="urls",
            latest=f"{LATEST}/all.json",
            release=f"{RELEASE}/release/{{tag}}.json",
            download=f"{DOWNLOAD}/{{tag}}/{{asset}}",
        )
        if self.row != "urls-json":
            dialect = self.dialect()
            section = dialect.section(self.origins[0] + dialect.place)
        if userinfo:
            urls = {
                name: getattr(section, name) for name in ("url", "latest", "release", "download")
            }
            written = {
                name: url.replace("://", f"://{userinfo}@", 1) for name, url in urls.items() if url
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

_FORMS: Mapping[str, Callable[[Place], dict[str, str]]] = {
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


def due(subject: Subject, name: str) -> list[dict[str, str]]:
    """Return what a request to a configured origin may say; one of these, and all of it."""
    cell = TABLE[name, subject.column]
    found = []
    for alternative in cell.split("/"):
        headers: dict[str, str] = {}
        for form in alternative.split("+"):
            headers |= _FORMS[form](PLACES[name])
        found.append(headers)
    return found


# Where servers lead to


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a server redirects every request."""

    name: str
    ways: tuple[str, ...]
    """Templates of `Location`, one after the other as long as the origin is the same."""

    of: tuple[str, ...] = ("http", "https")
    """The schemes of the servers that do it."""

    stays: bool = False
    """Whether no other origin is asked."""


PLAIN = Shape(name="no redirect", ways=(), stays=True)
SHAPES = (
    PLAIN,
    Shape(
        name="same origin",
        ways=("{own}{path}", "{path}", "{scheme}://u:p@{HOST}:{port}{path}"),
        stays=True,
    ),
    # As servers do that do not know of the TLS before them.
    Shape(name="http of itself", ways=("http://{host}{path}",), of=("https",), stays=True),
    Shape(name="other port", ways=("{scheme}://{host}:8443{path}",)),
    Shape(name="other host", ways=("{scheme}://u:p@other.test{path}",)),
    Shape(name="host below", ways=("{scheme}://a.{host}{path}",)),
    Shape(name="http, same host", ways=("http://{host}:8080{path}",), of=("https",)),
    Shape(name="http, other host", ways=("http://other.test{path}",), of=("https",)),
    Shape(name="https, same host", ways=("https://{host}{path}",), of=("http",)),
    Shape(name="signed URL", ways=("https://storage.test{path}&X-Amz-Signature=0f00",)),
    Shape(name="there and back", ways=("{scheme}://back.{host}{path}",)),
)


FEW = tuple(shape for shape in SHAPES if shape.name in {"no redirect", "other host", "signed URL"})
EACH_WAY = {
    "URL",
    "header-env and token-env",
    "UV_GITHUB_TOKEN",
    "with CI_SERVER_URL",
    "netrc",
    "netrc of others",
    "keyring",
    "client certificate",
}
"""The places of which every shape is tried: one for each way in which a credential gets along."""


def shapes_for(subject: Subject, name: str) -> list[Shape]:
    """Return what is tried with a source and a place: few where there is nothing to lose."""
    scheme = subject.origins[0].partition(":")[0]
    at_stake = name in EACH_WAY and (due(subject, name) != [{}] or bool(PLACES[name].netrc))
    if subject.guessed:  # where every update begins with an examination
        at_stake = name == "URL"
    if at_stake:
        return [shape for shape in SHAPES if scheme in shape.of]
    return [*FEW] if due(subject, name) != [{}] else [*FEW[:2]]


def marked(path: str, way: str) -> str:
    """Return a path with a note in its query, which no product looks at."""
    return f"{path}{'&' if '?' in path else '?'}way={way}"


def on_its_way(template: str, arrived: Arrived) -> Page:
    """Return where a request is sent to."""
    parts = urlsplit(arrived.origin)
    host = parts.hostname or ""
    return redirect(
        template.format(
            own=arrived.origin,
            scheme=parts.scheme,
            host=host,
            HOST=host.upper(),
            port={"http": 80, "https": 443}[parts.scheme],
            path=marked(arrived.asked.path, "there"),
        )
    )


def answers(
    subject: Subject,
    shape: Shape,
    *,
    refused: int | None = None,
    truth: Callable[[Arrived], Page] | None = None,
) -> Callable[[Arrived], Page]:
    """Return what the servers of a source answer, and all that they lead to.

    Args:
        subject: The source.
        shape: Where its servers send every request.
        refused: What they answer to whoever tells them nothing; None for no refusal.
        truth: What is answered in the end; None for the product's own answers.
    """
    truth = truth or subject.truth()

    def answer(arrived: Arrived) -> Page:
        page = page_for(arrived)
        return replace(page, headers={**page.headers, "Set-Cookie": COOKIE})

    def page_for(arrived: Arrived) -> Page:
        path = arrived.asked.path
        if arrived.origin not in subject.origins:
            return _of_others(arrived) or truth(arrived)
        if path.endswith("way=back"):
            page = truth(arrived)
            further = page.headers.get("Location")
            return page if further is None else redirect(marked(further, "back"))
        if refused is not None and not arrived.told:
            return Page(status=refused)
        left = shape.ways[path.count("way=there") :]
        return on_its_way(left[0], arrived) if left else truth(arrived)

    return answer


def _of_others(arrived: Arrived) -> Page | None:
    """Return what is no answer of a product: a way back, or a refusal of what is not signed."""
    path = arrived.asked.path
    if "://back." in arrived.origin:
        home = arrived.origin.replace("://back.", "://")
        return redirect(home + path.replace("way=there", "way=back"))
    if "://storage." in arrived.origin:
        # As S3 and Azure do: the signature, and nothing beside it.
        if arrived.told:
            return Page(status=400)
        return None if "X-Amz-Signature=" in path else Page(status=403)
    return None


def crossings(
    arrived: Sequence[Arrived],
    subject: Subject,
    said: Sequence[Mapping[str, str]],
    *,
    refused: bool = False,
) -> list[str]:
    """Return every request that says something else than it should, in words.

    Args:
        arrived: All of them.
        subject: Whose they are.
        said: What those to the origins of the source say: one of these.
        refused: Whether the first to each of these origins says nothing.
    """
    found = []
    new = {*subject.origins} if refused else set()
    for request in arrived:
        own = request.origin in subject.origins and not request.asked.path.endswith("way=back")
        expected = said if own else [{}]
        if own and request.origin in new and not subject.guessed:
            expected = [{}]
            new.discard(request.origin)
        elif own and refused and subject.guessed:
            # What is guessed first may not be it, and each guess begins anew.
            expected = [*said, {}]
        where = f"{request.asked.method} {request.origin}{request.asked.path}"
        if request.told not in expected:
            found.append(f"{where} says {request.told}, and should say {expected}")
        if request.shows(SECRET):
            found.append(f"{where} shows the secret")
    return found


# A person, and what they have


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return whose certificates everybody has."""
    return trustme.CA()


@pytest.fixture(scope="module")
def everywhere(authority: trustme.CA) -> Iterator[Origins]:
    """Serve the whole internet."""
    with Origins(authority) as internet:
        yield internet


@pytest.fixture
def internet(everywhere: Origins) -> Origins:
    """Return the internet, in which nothing has happened yet."""
    everywhere.forget()
    return everywhere


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody who has configured one source, and has a credential somewhere."""

    subject: Subject
    opened: OpenSources
    section: SourceSettings
    folder: Path

    def update(self) -> bytes:
        """Find a release as anew, and return its archive."""
        source = sources.build(self.section, self.opened.around)
        # What `release` names is asked for an exact one only.
        wanted = NEWEST if self.section.release is None else Wanted(exact="0.10.1")
        return fetch(find_in_order((source,), wanted), self.folder)


@pytest.fixture
def person(internet: Origins, home: Home, authority: trustme.CA) -> Someone:
    """Return what makes somebody out of a source and a place."""

    @contextmanager
    def make(subject: Subject, place: Place, **keys: Any) -> Iterator[Person]:  # noqa: ANN401 # as in section
        home.bin.mkdir(parents=True, exist_ok=True)
        values = {"host": subject.host, "origin": subject.origins[0]}
        environ = {name: text.format(**values) for name, text in place.environ.items()}
        if place.netrc:
            hosts = [urlsplit(origin).hostname for origin in subject.origins]
            netrc = home.path / ".netrc"
            netrc.write_text("".join(place.netrc.format(host=host) for host in hosts))
            netrc.chmod(0o600)
        uv = home.uv  # which is not there
        if place.program == "uv":
            uv = binaries.executables(binaries.newest()) / "uv"
            for origin in subject.origins:
                _log_in(uv, origin, home)
        elif place.program is not None:
            stub(home, place.program)
        network = Network(
            timeout=10,
            retries=0,
            ca_bundle=trust(authority, home.path),
            client_cert=_identity(authority, home.path) if place.certificate else None,
        )
        section = subject.section(place.userinfo, **{**place.keys, **keys})
        environ = home.full_environ({**internet.environ(), **environ})
        token = None if place.token is None else Secret(place.token)
        settings = Settings(sources=(section,), network=network, token=token)
        opened = OpenSources(settings, uv=uv, environ=environ)
        with closing(opened), pytest.MonkeyPatch.context() as patch:
            # Those of the machine would be read for each connection: 30 ms, thousands of times.
            patch.setenv("SSL_CERT_FILE", str(network.ca_bundle))
            patch.setenv("SSL_CERT_DIR", str(home.bin))
            yield Person(subject=subject, opened=opened, section=section, folder=home.path)

    return make


def stub(home: Home, name: str, *, knows: bool = True) -> None:
    """Put a program on PATH that knows a login for everything, or nothing, and keeps a record."""
    record = home.path / f"{name}.txt"
    answer = f"{USER}\n{SECRET}" if name == "keyring" else SECRET
    program = home.bin / name
    program.write_text(
        f"#!/bin/sh\necho \"$@\" >> '{record}'\nprintf '{answer}\\n'\nexit {0 if knows else 1}\n"
    )
    program.chmod(0o755)


def _log_in(uv: Path, origin: str, home: Home) -> None:
    command = [str(uv), "auth", "login", f"{origin}/", "--username", USER, "--password", "-"]
    environ = home.full_environ()
    subprocess.run(command, input=SECRET, env=environ, capture_output=True, check=True, text=True)


def _identity(authority: trustme.CA, folder: Path) -> Path:
    return identity_file(authority.issue_cert("somebody@mirror.test"), folder / "me.pem")


# The matrix


@pytest.mark.parametrize(("name", "where"), CELLS)
def test_every_place(name: str, where: str, internet: Origins, person: Someone) -> None:
    """What is in a place goes to the source's own servers, in its header, and to no other."""
    subject, place = BY_NAME[name], PLACES[where]
    said = due(subject, where)
    refused = 401 if place.refused else None
    found = []
    with person(subject, place) as somebody:
        for shape in shapes_for(subject, where):
            internet.answers = answers(subject, shape, refused=refused)
            internet.forget()
            if refused and said == [{}]:
                with pytest.raises(SourceError):
                    somebody.update()
            else:
                assert somebody.update() == ARCHIVE, shape.name
                asked = {arrived.origin for arrived in internet.arrived}
                assert (asked <= {*subject.origins}) is shape.stays, (shape.name, asked)
            assert internet.arrived
            lines = crossings(internet.arrived, subject, said, refused=place.refused)
            found += [f"{shape.name}: {line}" for line in lines]
    assert not found, "\n".join(found)


def test_nothing_is_left_out() -> None:
    """Every place is in the tables, and every kind that downloads over HTTP is asked."""
    assert {place for place, _ in TABLE} == {*PLACES}
    assert {subject.column for subject in SUBJECTS} == {column for _, column in TABLE}
    kinds = {subject.section().kind for subject in SUBJECTS}
    assert kinds == {*KINDS} - {"index", "directory"}
    assert {*PLACES} >= EACH_WAY


# What the tables do not say


ON_GITHUB = {
    "URL": "Basic",
    "netrc": "Basic",
    "keyring": "Basic",
    "header-env": "Key",
    "token-env": "-",
    "UV_GITHUB_TOKEN": "-",
    "GH_TOKEN": "-",
    "gh": "-",
}
"""Place -> what the pages of github.com are told, beside its API."""


@pytest.mark.parametrize("where", ON_GITHUB)
def test_pages_of_github(where: str, internet: Origins, person: Someone) -> None:
    """Where the API of github.com lacks a file, its pages get a login, and never a token."""
    subject, place = BY_NAME["github.com"], PLACES[where]
    truth = answers(subject, PLAIN, refused=401 if place.refused else None)

    def answer(arrived: Arrived) -> Page:
        if arrived.origin == GITHUB:
            return subject.truth()(arrived)
        gone = "/releases/assets/" in arrived.asked.path and arrived.told
        return Page(status=404) if gone else truth(arrived)

    internet.answers = answer
    with person(subject, place) as somebody:
        assert somebody.update() == ARCHIVE
    pages = [arrived for arrived in internet.arrived if arrived.origin == GITHUB]
    assert pages
    # A login that a program has is asked for once these pages have refused, which they have not.
    told = {} if place.refused else _FORMS[ON_GITHUB[where]](place)
    assert [arrived.told for arrived in pages] == [told] * len(pages)
    rest = [arrived for arrived in internet.arrived if arrived.origin != GITHUB]
    assert not crossings(rest, subject, due(subject, where), refused=place.refused)


@pytest.mark.parametrize(
    "users",
    [("one", "two", "three"), ("one", None, None), (None, "two", None), (None, None, "three")],
)
def test_three_origins(users: tuple[str | None, ...], internet: Origins, person: Someone) -> None:
    """Each URL of a `urls` source has its own login, which the others do not get."""
    subject = BY_NAME["urls"]
    keys = ("latest", "release", "download")
    written = {
        key: getattr(subject.section(), key).replace(
            "://", f"://{user}:{SECRET}@" if user else "://"
        )
        for key, user in zip(keys, users, strict=True)
    }
    said = dict(zip(subject.origins, users, strict=True))
    internet.answers = answers(subject, PLAIN)
    with person(subject, Place(), **written) as somebody:
        assert somebody.update() == ARCHIVE
        found = find_in_order(somebody.opened.all, NEWEST)
        assert fetch(found, somebody.folder) == ARCHIVE
    assert {arrived.origin for arrived in internet.arrived} == {*subject.origins}
    for arrived in internet.arrived:
        user = said[arrived.origin]
        expected = {} if user is None else {"authorization": basic(user, SECRET)}
        assert arrived.told == expected, arrived


@pytest.mark.parametrize(
    "where", ["URL", "header-env and token-env", "netrc", "client certificate"]
)
def test_from_one_to_another(where: str, internet: Origins, person: Someone) -> None:
    """One server of a source that leads to another of it logs nobody in there: it was not asked."""
    subject = BY_NAME["urls"]
    truth = subject.truth()

    def answer(arrived: Arrived) -> Page:
        if arrived.origin == DOWNLOAD:
            return truth(arrived)
        return redirect(DOWNLOAD + marked(arrived.asked.path, "led"))

    internet.answers = answer
    with person(subject, PLACES[where]) as somebody:
        assert somebody.update() == ARCHIVE
    led = [arrived for arrived in internet.arrived if arrived.asked.path.endswith("way=led")]
    assert led
    assert [arrived.told for arrived in led] == [{}] * len(led)
    rest = [arrived for arrived in internet.arrived if arrived not in led]
    assert {arrived.origin for arrived in rest} >= {RELEASE, DOWNLOAD}
    assert not crossings(rest, subject, due(subject, where))


KNOWN = Place(
    userinfo=f"{USER}:{SECRET}",
    netrc="".join(f"machine {name}.test login {USER} password {SECRET}\n" for name in ("links",))
    + f"default login {USER} password {SECRET}\n",
    program="keyring",
    environ={"UV_KEYRING_PROVIDER": "subprocess"},
    certificate=True,
)
"""Somebody whose netrc and keyring know every server, and who has a client certificate."""

NAMED = [subject for subject in SUBJECTS if not subject.guessed and subject.host == "mirror.test"]


@pytest.mark.parametrize("subject", NAMED, ids=[subject.name for subject in NAMED])
def test_links_to_others(subject: Subject, home: Home, internet: Origins, person: Someone) -> None:
    """A server that names another, as its own address or for its files, logs nobody in there."""
    truth = subject.truth(LINKS)
    internet.answers = truth
    with person(subject, KNOWN) as somebody:
        assert somebody.update() == ARCHIVE
    assert internet.arrived
    said = due(subject, "URL")
    if subject.origins[0].startswith("https"):
        said = [headers | {CERTIFICATE: "presented"} for headers in said]
    assert not crossings(internet.arrived, subject, said)
    assert {arrived.origin for arrived in internet.arrived} == {*subject.origins}
    assert not (home.path / "keyring.txt").exists()


@pytest.mark.parametrize("status", [200, 401])
def test_files_elsewhere(status: int, home: Home, internet: Origins, person: Someone) -> None:
    """A link of GitLab that leads to another server is followed with nothing, refused or not."""
    subject = replace(BY_NAME["gitlab-releases"], row="gitlab-links")
    dialect = subject.dialect()
    dialect.elsewhere = lambda page: f"{LINKS}/files/{page.name}"  # type: ignore[attr-defined] # of this dialect
    truth = subject.truth(dialect=dialect)

    def answer(arrived: Arrived) -> Page:
        if arrived.origin != LINKS:
            return truth(arrived)
        name = arrived.asked.path.rpartition("/")[2]
        return Page(body=RELEASES["0.10.1"][name].content, status=status)

    internet.answers = answer
    with person(subject, KNOWN) as somebody:
        if status == 200:
            assert somebody.update() == ARCHIVE
        else:
            with pytest.raises(StatusRefused):
                somebody.update()
    said = [headers | {CERTIFICATE: "presented"} for headers in due(subject, "URL")]
    assert not crossings(internet.arrived, subject, said)
    assert LINKS in {arrived.origin for arrived in internet.arrived}
    assert not (home.path / "keyring.txt").exists()


def test_page_with_links_to_others(internet: Origins, person: Someone) -> None:
    """What a page links to on another server is not asked for at all."""
    subject = BY_NAME["listing"]
    truth = subject.truth()

    def answer(arrived: Arrived) -> Page:
        page = truth(arrived)
        assert isinstance(page.body, bytes)
        return replace(page, body=page.body.replace(b'href="', f'href="{LINKS}/'.encode()))

    internet.answers = answer
    with person(subject, KNOWN) as somebody, pytest.raises(SourceError):
        somebody.update()
    assert {arrived.origin for arrived in internet.arrived} == {MIRROR}


REFUSING = [subject for subject in SUBJECTS if not subject.guessed]


@pytest.mark.parametrize(
    ("name", "status"),
    [*((subject.name, 401) for subject in REFUSING), ("listing", 403), ("gitlab-packages", 404)],
)
def test_asked_once(name: str, status: int, home: Home, internet: Origins, person: Someone) -> None:
    """A server refuses once; then a program is asked, once for each server of the source."""
    subject = BY_NAME[name]
    internet.answers = answers(subject, PLAIN, refused=status)
    with person(subject, PLACES["keyring"]) as somebody:
        assert somebody.update() == ARCHIVE
        assert somebody.update() == ARCHIVE
    asked = {arrived.origin for arrived in internet.arrived}
    questions = (home.path / "keyring.txt").read_text().splitlines()
    assert len(questions) == len(asked)
    naked = [arrived.origin for arrived in internet.arrived if not arrived.told]
    # A source that is opened anew begins without.
    assert sorted(naked) == sorted([*asked] * 2)


@pytest.mark.parametrize("name", ["listing", "github", "gitlab-packages", "nexus"])
def test_asked_in_vain(name: str, home: Home, internet: Origins, person: Someone) -> None:
    """A program that knows nothing is not asked again, however often the server refuses."""
    subject = BY_NAME[name]
    internet.answers = lambda _: Page(status=401)
    with person(subject, PLACES["keyring"]) as somebody:
        stub(home, "keyring", knows=False)
        for _ in range(2):
            with pytest.raises(SourceError):
                somebody.update()
    questions = (home.path / "keyring.txt").read_text().splitlines()
    # For the URL, and for the host.
    assert len(questions) == len({*questions}) == 2
    assert not crossings(internet.arrived, subject, [{}])


REDIRECTING = [shape for shape in SHAPES if "https" in shape.of and len(shape.ways) == 1][1:]


@pytest.mark.parametrize(
    ("shape", "status"),
    [*((shape, 401) for shape in REDIRECTING), (REDIRECTING[1], 403), (REDIRECTING[1], 404)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_nobody_is_asked_for_others(
    shape: Shape, status: int, home: Home, internet: Origins, person: Someone
) -> None:
    """A server that refuses, and was not configured, gets nothing, and no program is asked."""
    subject = BY_NAME["listing"]
    lead = answers(subject, shape)

    def answer(arrived: Arrived) -> Page:
        page = lead(arrived)
        redirected = arrived.origin not in subject.origins or "way=back" in arrived.asked.path
        return Page(status=status) if redirected and page.status == 200 else page

    internet.answers = answer
    with person(subject, replace(KNOWN, userinfo="")) as somebody, pytest.raises(StatusRefused):
        somebody.update()
    assert len({arrived.origin for arrived in internet.arrived}) == 2
    assert not crossings(internet.arrived, subject, [{CERTIFICATE: "presented"}])
    assert not (home.path / "keyring.txt").exists()


# Proxies


def test_login_of_a_proxy(authority: trustme.CA, person: Someone) -> None:
    """A proxy gets its own login and no other; no server ever sees it, direct or not."""
    subject = BY_NAME["listing"]
    login = basic("way", "0ut")
    truth = subject.truth()
    with Origins(authority, login=login) as internet, Web() as direct:
        direct.page_for = lambda asked: truth(  # type: ignore[method-assign] # it serves as the other does
            Arrived(origin=direct.url, asked=asked, certificate=False)
        )

        def answer(arrived: Arrived) -> Page:
            if arrived.origin == "http://other.test":
                return redirect(direct.url + arrived.asked.path)
            return redirect(f"http://other.test{arrived.asked.path}")

        internet.answers = answer
        environ = {**internet.environ("way:0ut@"), "no_proxy": "127.0.0.1"}
        place = replace(PLACES["URL"], environ=environ)
        with person(subject, place) as somebody:
            assert somebody.update() == ARCHIVE
        tunnels = [knock for knock in internet.knocked if knock.asked.method == "CONNECT"]
        others = [knock for knock in internet.knocked if knock.asked.method != "CONNECT"]
        assert tunnels
        assert others
        for knock in internet.knocked:
            assert knock.told.pop("proxy-connection", "keep-alive").lower() == "keep-alive"
        only = {"proxy-authorization": login}
        assert [knock.told for knock in internet.knocked] == [only] * len(internet.knocked)
        assert not crossings(internet.arrived, subject, due(subject, "URL"))
    assert direct.asked
    for asked in direct.asked:
        headers = {name.lower(): value for name, value in asked.headers.items()}
        plain = Arrived(origin=direct.url, asked=replace(asked, headers=headers), certificate=False)
        assert plain.told == {}


# The real command


@pytest.mark.parametrize("shape", [SHAPES[1], *REDIRECTING], ids=lambda shape: shape.name)
def test_update(
    shape: Shape, home: Home, internet: Origins, authority: trustme.CA, tmp_path: Path
) -> None:
    """A real uv is updated through each shape, and its login goes no further than it should."""
    subject = replace(BY_NAME["listing"], name="urls")
    pages = mirrors.urls_pages([END])

    def truth(arrived: Arrived) -> Page:
        page = pages.get(urlsplit(arrived.asked.path).path, Page(status=404))
        assert isinstance(page, Page)
        return page

    internet.answers = answers(subject, shape, truth=truth)
    home.install(START)
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{MIRROR}/latest.json"\n'
        f'download = "{MIRROR}/files/{{tag}}/{{asset}}"\n'
        'token-env = "T"\nheader-env = { "X-Gate" = "G" }\n'
    )
    home.environ |= {**internet.environ(), "SSL_CERT_FILE": str(trust(authority, tmp_path))}
    home.environ |= {"T": SECRET, "G": SECRET, "SSL_CERT_DIR": str(tmp_path)}
    home.environ["SSL_CLIENT_CERT"] = str(_identity(authority, tmp_path))

    done = home.run()

    assert done.code == 0, done.err
    assert home.version() == END
    assert SECRET not in done.out + done.err
    said = [
        headers | {CERTIFICATE: "presented"} for headers in due(subject, "header-env and token-env")
    ]
    assert not crossings(internet.arrived, subject, said)
