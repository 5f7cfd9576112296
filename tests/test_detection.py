"""What a URL is, found out by asking: each kind in its usual shapes, and what only looks like one.

Every row says which verdict is due. For all of them, nothing but `GET` and `HEAD` is asked, and not
often: see `MOST`.
"""

from __future__ import annotations

import json
import re
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from support import binaries, mirrors
from support import detection_servers as front
from support.catalogue import catalogue
from support.detection_lures import ARCHIVE, LURES, MOST, REDIRECTED, Lure
from support.detection_places import HOSTED, NEWEST, ROWS, VERSIONS, Hosted, Row
from support.servers import indexes, listings
from support.servers import objects as stores
from support.simulator import github, gitlab, listing, objects, plain, repositories
from support.simulator.dialect import PASSWORD, USER, Dialect, Setup
from support.simulator.gitea import GiteaReleases
from support.simulator.index import Index
from support.simulator.server import Simulator
from support.urls import text_of
from support.web import Page
from uv_self_update.config.kinds import parse_source
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import NoArchive, NoSuchVersion, NotDetected, SourceError, Unreachable
from uv_self_update.releases.target import parse_target
from uv_self_update.sources.detection.detect import detect
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.tree import TreeSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.catalogue import Catalogue
    from support.homes import Home
    from support.web import Asked, Web
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.detection.detect import Detection

    Start = Callable[[Path], AbstractContextManager[str]]

UV = "0.8.24"
"""The uv that an index is asked through."""

SECRET = "s3cret-word"  # noqa: S105 # of nobody


@pytest.mark.parametrize("status", [200, 401, 403, 404])
def test_token_is_not_for_whoever_may_be_github(
    environ: dict[str, str], web: Web, status: int
) -> None:
    """A token of the environment goes to no server that is only taken for a GitHub."""
    page = Page(status=status, body=b"[]", headers={"X-GitHub-Request-Id": "1"})
    web.page_for = lambda asked: page  # type: ignore[method-assign] # noqa: ARG005 # for all

    with pytest.raises(SourceError):
        examined(f"{web.url}/acme/tools", {**environ, "UV_GITHUB_TOKEN": SECRET})

    assert [asked.path for asked in web.asked if SECRET in str(asked.headers)] == []
    assert len(web.asked) > 1


@pytest.fixture
def environ(home: Home) -> dict[str, str]:
    """Return the environment of somebody who has a uv, and waits for nothing."""
    return home.full_environ({"UV_HTTP_RETRIES": "0"})


@contextmanager
def around(spec: str, environ: dict[str, str]) -> Iterator[Context]:
    """Yield what a source works with."""
    settings = Settings(sources=(parse_source(spec),), network=Network(timeout=5, retries=0))
    uv = binaries.executables(UV) / "uv"
    with closing(OpenSources(settings, uv=uv, environ=environ)) as opened:
        yield opened.context


def examined(spec: str, environ: dict[str, str]) -> Detection:
    """Return the verdict."""
    with around(spec, environ) as surroundings:
        return detect(parse_source(spec), surroundings)


def assert_harmless(asked: list[Asked], *, most: int = MOST) -> None:
    """Nothing was changed, and little was asked."""
    assert {one.method for one in asked} <= {"GET", "HEAD"}
    assert len(asked) <= most, [one.path for one in asked]


def assert_no_folders(asked: list[Asked]) -> None:
    """No folder of an Artifactory was asked for by its own URL, which can do harm."""
    paths = [one.path.partition("?")[0] for one in asked if "/api/storage/" not in one.path]
    assert all(path.endswith(("/uv.ndjson", f"/{ARCHIVE}")) for path in paths), paths


@contextmanager
def served(row: Row, releases: Catalogue) -> Iterator[tuple[Simulator, str, str]]:
    """Yield the server of a row, the URL that is examined, and the one that is due."""
    with Simulator(row.server(releases, Setup(**row.setup))) as simulator:  # type: ignore[arg-type] # the fields of a table
        place = simulator.dialect.place
        configured = text_of(simulator.dialect.section(simulator.place).url) or ""
        section = configured.removeprefix(simulator.url)
        url = row.url.format(place=place, section=section)
        due = row.url if row.found is None else row.found
        yield (
            simulator,
            simulator.url + url,
            simulator.url + due.format(place=place, section=section),
        )


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_recognised(row: Row, environ: dict[str, str]) -> None:
    """A URL is recognised for what it is, with the newest release, by a few harmless requests."""
    with served(row, catalogue(*VERSIONS)) as (simulator, url, due):
        detection = examined(url, {**environ, **row.environ})
        assert (detection.settings.kind, text_of(detection.settings.url)) == (row.kind, due)
        assert detection.newest is not None
        assert (detection.newest.version, detection.lack) == (row.newest, None)
        assert detection.reason.startswith(row.because)
        assert simulator.dialect.poisoned == []
        assert_harmless(simulator.asked)
        if row.kind == "artifactory":
            assert_no_folders(simulator.asked)


@pytest.mark.parametrize("row", HOSTED, ids=[row.name for row in HOSTED])
def test_recognised_by_host(row: Hosted, environ: dict[str, str]) -> None:
    """Well-known hosts are recognised at once; a proxy stands for all of them here."""
    with Simulator(row.server(catalogue(*VERSIONS), Setup(before=row.before))) as simulator:
        detection = examined(row.url, {**environ, "HTTP_PROXY": simulator.url, "NO_PROXY": ""})
        due = row.found or row.url
        assert (detection.settings.kind, text_of(detection.settings.url)) == (row.kind, due)
        assert detection.newest is not None
        assert (detection.newest.version, detection.lack) == (NEWEST, None)
        assert detection.reason.startswith(("the host is ", "the path "))
        assert_harmless(simulator.asked, most=10)
        if row.kind == "index":  # nobody but uv has asked
            assert {"/simple/uv/" in one.path for one in simulator.asked} == {True}


REAL: dict[str, tuple[Start, str]] = {
    "nginx": (listings.nginx, "listing"),
    "nginx, JSON": (partial(listings.nginx, listing="json"), "listing"),
    "Apache, plain": (partial(listings.apache, listing="plain"), "listing"),
    "Apache, fancy": (partial(listings.apache, listing="fancy"), "listing"),
    "Apache, table": (partial(listings.apache, listing="table"), "listing"),
    "Caddy": (listings.caddy, "listing"),
    "Python": (listings.http_server, "listing"),
    "moto": (stores.moto, "s3"),
}
"""Real servers of a folder, and what they are."""


@pytest.mark.system
@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("slash", ["", "/"], ids=["", "slash"])
def test_recognised_for_real(
    name: str, slash: str, environ: dict[str, str], tmp_path: Path
) -> None:
    """Real servers look as the simulated ones do, down to their headers."""
    start, kind = REAL[name]
    plain.Directory(catalogue(*VERSIONS), Setup(folder=tmp_path / "share", below=("uv",)))
    with start(tmp_path / "share") as url:
        place = f"{url.rstrip('/')}/uv{slash}"
        detection = examined(place, environ)
    assert (detection.settings.kind, text_of(detection.settings.url)) == (kind, place)
    assert detection.newest is not None
    assert detection.newest.version == NEWEST


@pytest.mark.system
def test_index_recognised_for_real(environ: dict[str, str], tmp_path: Path) -> None:
    """So do real indexes, also by the pages that they have for people."""
    wheel = binaries.wheel(UV)
    (tmp_path / wheel.name).symlink_to(wheel)
    with indexes.pypiserver(tmp_path) as url, indexes.devpi([wheel]) as other:
        page = other.removesuffix("+simple/")
        for place, due in ((url, url), (other, other), (page, other)):
            detection = examined(place, environ)
            assert (detection.settings.kind, text_of(detection.settings.url)) == ("index", due)
            assert detection.newest is not None
            assert detection.newest.version == UV


def devpi(web: Web, *indexes: str) -> str:
    """Serve what devpi has at its root, with uv in some indexes; return the URL of the root."""
    headers = {"X-Devpi-API-Version": "2", "Content-Type": "text/html"}
    wheel = binaries.wheel(UV)
    users: dict[str, object] = {
        "root": {"indexes": {"pypi": {}}},
        "jo": {"indexes": {"dev": {}, "prod": {}}},
    }
    root = json.dumps({"type": "list:userconfig", "result": users}).encode()

    def page(asked: Asked) -> Page:
        as_json = asked.headers.get("Accept") == "application/json"
        return Page(body=root if as_json else b"<title>devpi</title>", headers=headers)

    web.pages["/github/versions/main/v1/uv.ndjson"] = Page(status=404, headers=headers)
    web.pages["/"] = page
    for index in indexes:
        link = f'<a href="/{wheel.name}#sha256={mirrors.sha256(wheel)}">{wheel.name}</a>'
        web.pages[f"/{index}/+simple/uv/"] = Page(body=link.encode(), headers=headers)
    web.pages[f"/{wheel.name}"] = Page(body=wheel)
    return f"{web.url}/"


def test_root_of_devpi(environ: dict[str, str], web: Web) -> None:
    """From the root of a devpi, the only index that has uv is found."""
    detection = examined(devpi(web, "jo/prod"), environ)

    found = detection.settings
    assert (found.kind, text_of(found.url)) == ("index", f"{web.url}/jo/prod/+simple/")
    assert_harmless(web.asked, most=MOST + 4)


def test_root_of_devpi_with_several(environ: dict[str, str], web: Web) -> None:
    """Of several indexes the user chooses: from each, uv could be another."""
    with pytest.raises(NotDetected) as caught:
        examined(devpi(web, "root/pypi", "jo/prod"), environ)

    hint = str(caught.value.hint)
    for index in ("root/pypi", "jo/prod"):
        assert f"index+{web.url}/{index}/+simple/" in hint
    assert "jo/dev" not in hint


@pytest.mark.parametrize("body", ["[]", '{"result": 1}', '{"result": {"a": 1}}', "<html>", "{"])
def test_root_of_something_like_devpi(environ: dict[str, str], web: Web, body: str) -> None:
    """A server that says it is devpi, and answers anything else, is not found to be anything."""
    root = devpi(web)
    web.pages["/"] = Page(body=body.encode(), headers={"X-Devpi-API-Version": "2"})

    with pytest.raises(NotDetected):
        examined(root, environ)


def test_root_of_proxpi(environ: dict[str, str], web: Web) -> None:
    """From the root of a proxpi, its index is found."""
    wheel = binaries.wheel(UV)
    html = {"Content-Type": "text/html"}
    link = f'<a href="/{wheel.name}#sha256={mirrors.sha256(wheel)}">{wheel.name}</a>'
    web.pages |= {
        "/": Page(body=b"<title>proxpi</title>", headers=html),
        "/index/uv/": Page(body=link.encode(), headers=html),
        f"/{wheel.name}": Page(body=wheel),
    }

    found = examined(f"{web.url}/", environ).settings

    assert (found.kind, text_of(found.url)) == ("index", f"{web.url}/index/")


def test_table() -> None:
    """Each row is another server, or another URL of it; every kind is there, in several shapes."""
    assert len({row.name for row in ROWS}) == len(ROWS) >= 35
    kinds = [row.kind for row in ROWS]
    assert set(kinds) == {
        *("index", "github", "astral", "listing"),
        *("nexus", "artifactory", "gitlab", "gitea", "s3"),
    }
    assert min(kinds.count(kind) for kind in kinds) >= 3
    assert len({lure.name for lure in LURES}) == len(LURES)


@pytest.mark.parametrize("form", ["{path}", "{path}/", "file://{path}", "directory+{path}"])
def test_folder(form: str, environ: dict[str, str], tmp_path: Path) -> None:
    """The path of a folder, or its `file` URL, needs no examination."""
    dialect = plain.Directory(catalogue(*VERSIONS), Setup(folder=tmp_path / "share"))
    detection = examined(form.format(path=tmp_path / "share"), environ)
    assert detection.settings.kind == dialect.kind
    assert detection.newest is not None
    assert (detection.newest.version, detection.reason) == (NEWEST, "")


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.found is None], ids=lambda row: row.name
)
def test_kind_that_is_said(row: Row, environ: dict[str, str]) -> None:
    """A kind that is written before the URL is proved, and no other is looked for."""
    with served(row, catalogue(*VERSIONS)) as (simulator, url, _):
        detection = examined(f"{row.kind}+{url}", {**environ, **row.environ})
        assert (detection.settings.kind, text_of(detection.settings.url)) == (row.kind, url)
        assert detection.newest is not None
        assert (detection.newest.version, detection.reason) == (row.newest, "")
        assert simulator.dialect.poisoned == []
        assert_harmless(simulator.asked)
        if row.kind == "artifactory":
            assert_no_folders(simulator.asked)


def test_wrong_kind_that_is_said(environ: dict[str, str]) -> None:
    """If the server is not what was said, that is the error, and nothing else is tried."""
    with Simulator(listing.NginxHtml(catalogue(*VERSIONS), Setup())) as simulator:
        with pytest.raises(SourceError, match="answered 404"):
            examined(f"nexus+{simulator.url}/repository/uv/", environ)
        assert {one.path.split("/")[1] for one in simulator.asked} == {"repository", "service"}


def test_in_use(environ: dict[str, str]) -> None:
    """A source whose kind nobody said is found out when it is used, once."""
    with Simulator(listing.NginxHtml(catalogue(*VERSIONS), Setup())) as simulator:
        settings = Settings(sources=(parse_source(simulator.url + "/"),))
        with closing(OpenSources(settings, uv=binaries.executables(UV), environ=environ)) as opened:
            found = opened.find(parse_target("0.10"))
            assert (found.release.version, found.source.name) == ("0.10.1", f"{simulator.url}/")
            assert isinstance(found.source, TreeSource)
            before = len(simulator.asked)
            assert opened.find(parse_target("0.9")).release.version == "0.9.9"
            assert [one.path for one in simulator.asked[before:]] == ["/0.9.9/"]
            (unknown,) = opened.all
            assert unknown.find(parse_target("0.9")).version == "0.9.9"
            assert [release.version for release in unknown.releases(2)] == ["1.0.0rc1", "0.10.1"]


CLOSED = (
    Index,
    GiteaReleases,
    gitlab.GitlabPackages,
    listing.NginxHtml,
    plain.Astral,
    repositories.ArtifactoryRemote,
    repositories.Nexus,
)
"""Servers that take a login out of the URL."""


@pytest.mark.parametrize("server", CLOSED, ids=lambda server: server.__name__)
def test_login(server: type[Dialect], environ: dict[str, str]) -> None:
    """With a login in the URL, what is hidden without one is recognised; the login is kept."""
    with Simulator(server(catalogue(*VERSIONS), Setup(login=True))) as simulator:
        login = f"://{USER}:{quote(PASSWORD, safe='')}@"
        url = simulator.place.replace("://", login) + "/"
        detection = examined(url, environ)
        assert (detection.settings.kind, text_of(detection.settings.url)) == (server.kind, url)
        assert detection.newest is not None
        assert "s3cret" not in f"{detection.reason}{detection.source.name}"
        assert_harmless(simulator.asked)


@pytest.mark.parametrize("server", CLOSED, ids=lambda server: server.__name__)
def test_no_login(server: type[Dialect], environ: dict[str, str]) -> None:
    """Without a login, the advice is to put one into the URL."""
    with Simulator(server(catalogue(*VERSIONS), Setup(login=True))) as simulator:
        with pytest.raises(NotDetected) as caught:
            examined(simulator.place + "/", environ)
        assert re.search("(token|password)-env", caught.value.hint or "")
        assert_harmless(simulator.asked, most=REDIRECTED)


@pytest.mark.parametrize("lure", LURES, ids=[lure.name for lure in LURES])
def test_not_taken_in(lure: Lure, environ: dict[str, str]) -> None:
    """What only looks like a source is an error: what was tried, what came, what to write."""
    with front.Trap(lure.answer) as server:
        login = server.url.replace("://", f"://reader:{SECRET}@")
        with pytest.raises(SourceError) as caught:
            examined(login + lure.path, environ)
        shown = f"{caught.value}\n{caught.value.hint}"
        assert type(caught.value) is lure.error
        for texts, parts in ((str(caught.value), lure.said), (caught.value.hint or "", lure.hint)):
            plainly = texts.replace("://***@", "://")
            for part in parts:
                assert part.format(url=server.url) in plainly
        assert SECRET not in shown
        lines = str(caught.value).splitlines()
        assert len({*lines}) == len(lines), "something was tried twice"
        kinds = re.findall(r"(?:^  tried|^  not| or) `(\w+)`", str(caught.value), re.MULTILINE)
        assert len({*kinds}) == len(kinds), "a kind was tried twice"
        assert_harmless(server.asked, most=lure.most)
        if "Artifactory" in lure.name:
            assert_no_folders(server.asked)


def test_nobody_listens(environ: dict[str, str]) -> None:
    """A server that cannot be reached is that error, and not one about what may be there."""
    with front.Trap(front.paths({})) as server:
        url = server.url
    with pytest.raises(Unreachable) as caught:
        examined(url.replace("://", f"://reader:{SECRET}@") + "/uv/", environ)
    assert str(caught.value).startswith(f"failed to fetch `{url.replace('://', '://***@')}/uv/`: ")
    assert SECRET not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize(
    "server", [listing.NginxHtml, repositories.Nexus, objects.S3Path, plain.Astral]
)
def test_other_platforms_only(server: type[Dialect], environ: dict[str, str]) -> None:
    """Where no release is for this machine, the kind is known, and what is lacking."""
    releases = catalogue("0.10.0", "0.10.1", incomplete={"0.10.0", "0.10.1"})
    with Simulator(server(releases, Setup())) as simulator:
        detection = examined(simulator.place + "/", environ)
        assert (detection.settings.kind, detection.newest) == (server.kind, None)
        assert isinstance(detection.lack, NoArchive)
        assert f"{ARCHIVE} is missing from 0.10.1, 0.10.0" in str(detection.lack)


@pytest.mark.parametrize("server", [listing.NginxHtml, github.Github, gitlab.GitlabPackages])
def test_pre_releases_only(server: type[Dialect], environ: dict[str, str]) -> None:
    """Where there are pre-releases only, the kind is known, and which these are."""
    with Simulator(server(catalogue("1.0.0a1", "1.0.0rc1"), Setup())) as simulator:
        detection = examined(simulator.place, environ)
        assert (detection.settings.kind, detection.newest) == (server.kind, None)
        assert type(detection.lack) is NoSuchVersion
        assert str(detection.lack).endswith(" has no release of uv but pre-releases")
        assert detection.lack.nearest == ("1.0.0rc1", "1.0.0a1")


@pytest.mark.parametrize("releases", [VERSIONS, ("1.0.0rc1",)])
@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.kind == "artifactory"], ids=lambda row: row.name
)
def test_artifactory_without_archive(
    row: Row, releases: tuple[str, ...], environ: dict[str, str]
) -> None:
    """Where there is nothing for this machine, no folder is asked for by its own URL either."""
    with served(row, catalogue(*releases, incomplete=releases)) as (simulator, url, _):
        assert examined(url, environ).newest is None
        assert_no_folders(simulator.asked)
