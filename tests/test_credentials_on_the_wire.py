"""Every place that a credential comes from, with every kind of source: which header goes where.

The hosts are in a small internet behind one proxy, which records all that a request says beyond
what each has to say. So a header too many is seen at whatever origin, whatever it is called.
"""

from __future__ import annotations

import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import trustme

from support import binaries, mirrors
from support.certificates import identity_file
from support.login_matrix import (
    ARCHIVE,
    BY_NAME,
    CELLS,
    COOKIE,
    DOWNLOAD,
    END,
    FORMS,
    GITHUB,
    LINKS,
    MIRROR,
    PLACES,
    RELEASE,
    RELEASES,
    SECRET,
    START,
    SUBJECTS,
    TABLE,
    USER,
    Place,
    Subject,
    due,
    first_of_column,
)
from support.origins import CERTIFICATE, Arrived, Origins
from support.proxy import trust
from support.simulator.dialect import basic, redirect
from support.simulator.rows import fetch
from support.web import Page, Web
from uv_self_update.config.kinds import KINDS, SourceSettings
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import SourceError, StatusRefused
from uv_self_update.network import system_authorities
from uv_self_update.redaction import Secret
from uv_self_update.releases.target import NEWEST, Wanted
from uv_self_update.sources import context as sources
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.order import find_in_order
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.homes import Home

    Someone = Callable[..., AbstractContextManager["Person"]]


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

OFTEN = [cell for cell in CELLS if first_of_column(*cell)]
"""One source of those that share a column of the tables: what is not slow."""

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


def sampled() -> dict[tuple[str, str], list[Shape]]:
    """Return few shapes for each cell: each shape with every source, and with every place.

    Without a redirect wherever a credential is sent.
    """
    whole = {cell: shapes_for(BY_NAME[cell[0]], cell[1]) for cell in OFTEN}
    missing = {(key, shape) for cell in OFTEN for key in cell for shape in whole[cell]}
    sample: dict[tuple[str, str], list[Shape]] = {cell: [] for cell in OFTEN}
    for least in (2, 1):  # first what shows a new pair of both
        for cell in OFTEN:
            for shape in whole[cell]:
                new = {(key, shape) for key in cell} & missing
                if len(new) >= least:
                    missing -= new
                    sample[cell].append(shape)
    for (name, where), shapes in sample.items():
        if PLAIN not in shapes and (not shapes or due(BY_NAME[name], where) != [{}]):
            shapes.append(PLAIN)
    return sample


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
        source = sources.build(self.section, self.opened.context)
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
            # Those of the machine would be read for each context: 20 ms, hundreds of times.
            patch.setattr(system_authorities, "load", lambda *_: None)
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


@pytest.mark.sampled(60)
@pytest.mark.parametrize(
    ("name", "where", "shapes"),
    [
        *(pytest.param(*cell, shapes, id="-".join(cell)) for cell, shapes in sampled().items()),
        *(
            pytest.param(
                *cell,
                shapes_for(BY_NAME[cell[0]], cell[1]),
                id=f"{'-'.join(cell)}-all",
                marks=pytest.mark.slow,
            )
            for cell in CELLS
        ),
    ],
)
def test_every_place(
    name: str, where: str, shapes: Sequence[Shape], internet: Origins, person: Someone
) -> None:
    """What is in a place goes to the source's own servers, in its header, and to no other."""
    subject, place = BY_NAME[name], PLACES[where]
    said = due(subject, where)
    refused = 401 if place.refused else None
    found = []
    with person(subject, place) as somebody:
        for shape in shapes:
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


def test_sample_leaves_out_no_pair() -> None:
    """Every source meets each shape, and so does every place; each cell is tried."""
    sample = sampled()
    pairs, found = (
        {(key, shape.name) for cell, shapes in cells.items() for key in cell for shape in shapes}
        for cells in ({cell: shapes_for(BY_NAME[cell[0]], cell[1]) for cell in OFTEN}, sample)
    )

    assert found == pairs
    assert all(sample[cell] for cell in OFTEN)


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
    told = {} if place.refused else FORMS[ON_GITHUB[where]](place)
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
        key: Url.parse(
            getattr(subject.section(), key).text.replace(
                "://", f"://{user}:{SECRET}@" if user else "://"
            )
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


def test_login_of_a_proxy(
    authority: trustme.CA, person: Someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy gets its own login and no other; no server ever sees it, direct or not."""
    # The direct server stands for one elsewhere: only loopback is to be had here.
    for module in ("connections", "exchange"):
        monkeypatch.setattr(f"uv_self_update.network.{module}.is_local", lambda _host: False)
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
