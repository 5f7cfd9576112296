"""The simulated servers speak as the products do, so that what the contract shows is of use."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import re
import tarfile
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support.catalogue import catalogue
from support.simulator import github, gitlab, listing, objects, plain, repositories
from support.simulator.dialect import PASSWORD, USER, Setup, basic
from support.simulator.gitea import GiteaPackages, GiteaReleases
from support.simulator.rows import ROWS, Row
from support.simulator.server import Simulator, Storage, held
from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from support.simulator.dialect import Dialect

    Start = Callable[..., Simulator]

RELEASES = catalogue("0.10.1", "0.10.0", "0.9.9")
NAME = platforms.current().archive
ARCHIVE = RELEASES["0.9.9"][NAME].content
WAIT = 30.0  # seconds that an event may take on a busy machine


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 # whatever it is
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what starts a server that runs until the end of the test."""
    running: list[Simulator] = []

    def begin(dialect: type[Dialect], **setup: Any) -> Simulator:  # noqa: ANN401 # see Setup
        server = Simulator(dialect(RELEASES, Setup(**setup)))
        running.append(server.__enter__())
        return server

    yield begin
    for server in running:
        server.__exit__()


def get(server: Simulator, path: str, **headers: str) -> Answer:
    """Ask for a path, and follow nothing."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=WAIT)
    sent = {"User-Agent": "a test"} | {key.replace("_", "-"): text for key, text in headers.items()}
    connection.request("GET", path, headers=sent)
    response = connection.getresponse()
    answer = Answer(
        status=response.status, headers=dict(response.getheaders()), body=response.read()
    )
    connection.close()
    return answer


def pages(server: Simulator, path: str, **headers: str) -> list[Answer]:
    """Ask for every page of a list, as its `Link` header leads."""
    found = [get(server, path, **headers)]
    while match := re.search(r'<([^>]+)>; rel="next"', found[-1].headers.get("Link", "")):
        found.append(get(server, match[1].removeprefix(server.url), **headers))
    return found


def test_catalogue() -> None:
    """Releases hold archives that can be unpacked, with digests; faults are what they say."""
    releases = catalogue("1.0.0", "1.0.1", "1.0.2", changed={"1.0.1"}, incomplete={"1.0.2"})
    whole, changed, incomplete = releases.releases
    with tarfile.open(fileobj=io.BytesIO(whole[NAME].content)) as packed:
        assert packed.getnames() == [f"uv-{whole[NAME].triple}/{name}" for name in ("uv", "uvx")]
    for release, same in ((whole, True), (changed, False)):
        file = release[NAME]
        assert (hashlib.sha256(file.content).hexdigest() == file.sha256) is same
        line = f"{file.sha256} *{NAME}\n".encode()
        assert release[f"{NAME}.sha256"].content == line
        assert line in release["sha256.sum"].content
    assert NAME not in {file.name for file in incomplete.files}
    assert [release.version for release in releases] == ["1.0.2", "1.0.1", "1.0.0"]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_unknown_path(row: Row, start: Start, tmp_path: Path) -> None:
    """No server has something at just any path, or outside of its own."""
    server = start(row.dialect, **row.setup, before=("base",), folder=tmp_path)
    assert get(server, "/base/nowhere/at%20all").status in {302, 403, 404}
    assert get(server, "/nowhere/at%20all").status == 404


def test_listings_without_a_slash(start: Start) -> None:
    """Web servers like nginx name themselves when they add a slash, and others do not."""
    named = start(listing.NginxHtml, address="http://internal.invalid:81", before=("a b",))
    answer = get(named, "/a%20b/0.9.9")
    assert (answer.status, answer.headers["Location"]) == (
        301,
        "http://internal.invalid:81/a%20b/0.9.9/",
    )
    relative = start(listing.CaddyHtml, before=("a b",))
    answer = get(relative, "/a%20b/0.9.9")
    assert (answer.status, answer.headers["Location"]) == (308, "/a%20b/0.9.9/")


def test_listings_cut_names(start: Start) -> None:
    """Apache's columns cut long names short, and their links do not."""
    text = get(start(listing.ApacheFancy), "/0.9.9/").text
    assert f'href="{NAME}"' in text
    assert f">{NAME}<" not in text
    assert '<a href="?C=N;O=A">' in text


def test_caddy_lists_in_json(start: Start) -> None:
    """Caddy lists in JSON for whoever asks, and folders have a slash there."""
    server = start(listing.CaddyJson)
    entries = get(server, "/", Accept="text/html, application/json").json
    assert {"0.9.9/"} <= {entry["name"] for entry in entries if entry["is_dir"]}
    assert get(server, "/", Accept="text/html").text.startswith("<!DOCTYPE html>")


def test_nexus(start: Start) -> None:
    """A folder is no listing in Nexus; its pages to browse want a slash, its search has tokens."""
    server = start(repositories.Nexus, address="http://internal.invalid", page=5)
    assert get(server, "/repository/uv/0.9.9/").status == 404
    assert get(server, f"/repository/uv/0.9.9/{NAME}").body == ARCHIVE
    browse = "/service/rest/repository/browse"
    assert get(server, f"{browse}/uv/0.9.9").status == 303
    assert "Repository not found" in get(server, f"{browse}/other/").text
    page = get(server, f"{browse}/uv/0.9.9/").text
    assert f'href="http://internal.invalid/repository/uv/0.9.9/{NAME}"' in page
    search = "/service/rest/v1/search/assets?repository=uv&group=/0.9.9"
    token: str | None = ""
    found: set[str] = set()
    while token is not None:
        answer = get(server, f"{search}&continuationToken={token}" if token else search).json
        assert len(answer["items"]) <= 5
        found |= {item["path"] for item in answer["items"]}
        token = answer["continuationToken"]
    assert found == {f"/0.9.9/{file.name}" for file in RELEASES["0.9.9"].files}


def test_nexus_without_a_login(start: Start) -> None:
    """Whoever has no right gets three different answers from Nexus."""
    server = start(repositories.Nexus, login=True)
    assert get(server, f"/repository/uv/0.9.9/{NAME}").status == 401
    assert get(server, "/service/rest/repository/browse/uv/").status == 404
    assert get(server, "/service/rest/v1/search/assets?repository=uv").json["items"] == []
    login = basic(USER, PASSWORD)
    assert get(server, f"/repository/uv/0.9.9/{NAME}", Authorization=login).body == ARCHIVE


@pytest.mark.parametrize("dialect", [repositories.NexusProxy, repositories.ArtifactoryProxy])
def test_proxies(start: Start, dialect: type[Dialect]) -> None:
    """A proxy lists what it has fetched, hands out all else, and remembers what was missing."""
    server = start(dialect)
    files = "/github/uv/releases/download"
    place = server.dialect.place
    assert get(server, f"{place}{files}/0.10.1/{NAME}").status == 200
    assert get(server, f"{place}/github/versions/main/v1/uv.ndjson").text.count("\n") == 3
    assert server.dialect.poisoned == []
    assert get(server, f"{place}{files}/0.10.2/{NAME}").status == 404
    assert len(server.dialect.poisoned) == 1


@pytest.mark.parametrize("path", ["", "/", "/0.9.9", "/0.9.9/", "/0.9.9/guessed"])
def test_artifactory_remote(start: Start, path: str) -> None:
    """A folder, or a guess, does harm to a remote repository of Artifactory, and it is noted."""
    server = start(repositories.ArtifactoryRemote)
    assert get(server, f"{server.dialect.place}/0.9.9/{NAME}").body == ARCHIVE
    assert server.dialect.poisoned == []
    assert get(server, server.dialect.place + path).status == 404
    assert server.dialect.poisoned


def test_artifactory(start: Start) -> None:
    """Artifactory tells what is in a folder, and the digest of a file; lists are for Pro."""
    server = start(repositories.ArtifactoryVirtual, login=True)
    api = "/artifactory/api/storage/uv"
    refused = get(server, api)
    assert (refused.status, refused.json["errors"][0]["status"]) == (401, 401)
    logins = {"X_JFrog_Art_Api": PASSWORD}, {"Authorization": f"Bearer {PASSWORD}"}
    for login in logins:
        children = get(server, api, **login).json["children"]
        assert {"uri": "/0.9.9", "folder": "true"} in children
    sums = get(server, f"{api}/0.9.9/{NAME}", **login).json["checksums"]
    assert sums["sha256"] == hashlib.sha256(ARCHIVE).hexdigest()
    assert get(server, f"{api}?list&deep=1", **login).status == 400


def test_github(start: Start) -> None:
    """GitHub answers in pages with absolute links, has drafts, and 404 for what is private."""
    server = start(github.GithubPrivate, login=True, page=2)
    releases = "/api/v3/repos/acme/tools/releases"
    token = f"Bearer {PASSWORD}"
    assert get(server, releases).status == 404
    assert get(server, f"{releases}/", Authorization=token).status == 404
    found = pages(server, f"{releases}?per_page=100", Authorization=token)
    tags = [release["tag_name"] for page in found for release in page.json]
    assert tags == ["9.9.9", "nightly", "0.9.9", "0.10.0", "0.10.1"]
    latest = get(server, f"{releases}/latest", Authorization=token).json
    assert latest["tag_name"] == "0.9.9"
    asset = next(asset for asset in latest["assets"] if asset["name"] == NAME)
    assert asset["digest"] == f"sha256:{hashlib.sha256(ARCHIVE).hexdigest()}"
    path = asset["url"].removeprefix(server.url)
    accept = "application/octet-stream"
    assert get(server, path, Authorization=token).json["name"] == NAME
    assert get(server, path, Authorization=token, Accept=accept).body == ARCHIVE
    with Storage() as storage:
        server.storage = storage
        answer = get(server, path, Authorization=token, Accept=accept)
        assert answer.status == 302
        assert answer.headers["Location"].startswith(storage.url)
    web = asset["browser_download_url"].removeprefix(server.url)
    assert get(server, web, Authorization=token).status == 404


def test_gitlab(start: Start) -> None:
    """GitLab hides a project from whoever shows no token, and its pages take none."""
    server = start(gitlab.GitlabPackages, login=True, page=2)
    project = "/api/v4/projects/platform%2Fuv"
    assert get(server, f"{project}/releases").status == 404
    assert get(server, f"{project}/releases", PRIVATE_TOKEN="").status == 404
    assert get(server, f"{project}/releases", PRIVATE_TOKEN="no").status == 401  # noqa: S106 # none
    web = get(server, f"/platform/uv/-/releases/0.9.9/downloads/{NAME}", PRIVATE_TOKEN=PASSWORD)
    assert web.headers["Location"].endswith("/users/sign_in")
    query = f"{project}/packages?package_type=generic&package_name=uv&per_page=100"
    found = pages(server, query, PRIVATE_TOKEN=PASSWORD)
    assert [page.headers["x-next-page"] for page in found] == ["2", ""]
    names = [entry["name"] for page in found for entry in page.json]
    assert names == ["uv-tools", "uv", "uv", "uv"]
    number = found[-1].json[-1]["id"]
    files = pages(server, f"{project}/packages/{number}/package_files", PRIVATE_TOKEN=PASSWORD)
    twice = [entry for page in files for entry in page.json if entry["file_name"] == NAME]
    right = max(twice, key=lambda entry: int(entry["id"]))
    assert len(twice) == 2
    assert right["file_sha256"] == hashlib.sha256(ARCHIVE).hexdigest()


def test_gitlab_releases(start: Start) -> None:
    """GitLab's latest release is so by its date, and its files are links."""
    server = start(gitlab.GitlabReleases)
    project = "/api/v4/projects/platform%2Fuv"
    assert get(server, f"{project}/packages?package_name=uv").json == []
    latest = get(server, f"{project}/releases/permalink/latest")
    assert latest.headers["Location"].endswith("/releases/0.9.9")
    release = get(server, f"{project}/releases/0.9.9").json
    link = next(link for link in release["assets"]["links"] if link["name"] == NAME)
    assert get(server, link["url"].removeprefix(server.url)).body == ARCHIVE


def test_gitea(start: Start) -> None:
    """Gitea has releases without digests, and packages whose names are searched for."""
    server = start(GiteaReleases, login=True, page=2)
    api = "/api/v1/repos/platform/uv/releases"
    token = f"token {PASSWORD}"
    assert get(server, api).status == 404
    found = pages(server, f"{api}?page=1&limit=50&draft=false", Authorization=token)
    releases = [release for page in found for release in page.json]
    assert [release["tag_name"] for release in releases] == ["0.9.9", "0.10.0", "0.10.1"]
    assert get(server, f"{api}?draft=true", Authorization=token).json[0]["draft"]
    assert {"digest", "url"}.isdisjoint(releases[0]["assets"][0])
    packages = start(GiteaPackages)
    listed = get(packages, "/api/v1/packages/platform?type=generic&q=uv").json
    assert {entry["name"] for entry in listed} == {"uv", "uv-tools"}
    files = get(packages, "/api/v1/packages/platform/generic/uv/0.9.9/files").json
    assert hashlib.sha256(ARCHIVE).hexdigest() in {file["sha256"] for file in files}
    assert get(packages, f"/api/packages/platform/generic/uv/0.9.9/{NAME}").body == ARCHIVE


@pytest.mark.parametrize(("dialect", "bucket"), [(objects.S3Path, "/mirror"), (objects.S3Host, "")])
def test_s3(start: Start, dialect: type[Dialect], bucket: str) -> None:
    """A bucket lists prefixes and keys together, in parts, and refuses a login."""
    server = start(dialect, below=("uv",), page=2)
    query = f"{bucket}/?list-type=2&prefix=uv%2F&delimiter=%2F"
    first = get(server, query).text
    assert "<IsTruncated>true</IsTruncated>" in first
    assert "<Prefix>uv/0.10.0/</Prefix>" in first
    assert "<Prefix>uv/0.9.9/</Prefix>" not in first
    token = re.search("<NextContinuationToken>(.*)</NextContinuationToken>", first)
    assert token is not None
    quoted = token[1].replace("+", "%2B").replace("=", "%3D")
    rest = get(server, f"{query}&continuation-token={quoted}").text
    assert "<Prefix>uv/0.9.9/</Prefix>" in rest
    assert get(server, f"{bucket}/uv/0.9.9/{NAME}").body == ARCHIVE
    assert get(server, query, Authorization=basic(USER, PASSWORD)).status == 400
    assert get(server, f"{bucket}/uv//0.9.9/{NAME}").status == 404


def test_azure(start: Start) -> None:
    """A container lists in parts until a marker is empty, and a signature opens every request."""
    server = start(objects.AzureSigned, page=3)
    signature = "sv=2026-02-06&sp=rl&sig=c2VjcmV0%2B%2F%3D"
    query = f"/mirror?restype=container&comp=list&prefix=&delimiter=%2F&{signature}"
    first = get(server, query).text
    assert first.startswith("\ufeff<?xml")
    marker = re.search("<NextMarker>(.+)</NextMarker>", first)
    assert marker is not None
    assert "<NextMarker></NextMarker>" in get(server, f"{query}&marker={marker[1]}").text
    assert get(server, f"/mirror/0.9.9/{NAME}").status == 403
    assert get(server, f"/mirror/0.9.9/{NAME}?{signature}").body == ARCHIVE


def test_held(start: Start) -> None:
    """A request that is held is not answered before the simulator stops."""
    server = start(plain.Astral)
    server.fault = held(server, file=NAME)
    answered = threading.Event()

    def ask() -> None:
        get(server, f"/github/uv/releases/download/0.9.9/{NAME}")
        answered.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert get(server, "/github/versions/main/v1/uv.ndjson").status == 200
    assert not answered.is_set()
    server.over.set()
    assert answered.wait(WAIT)
    thread.join(WAIT)
