"""What each real file server sends, held against `docs/servers.md`, and what is made of it."""

from __future__ import annotations

import json
import os
import re
import tomllib
import zipfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import httpx
import pytest

from support import binaries, mirrors
from support.servers import indexes, small, small_indexes
from support.servers.listed import FAST, LATE
from support.web import Page
from uv_self_update import platforms
from uv_self_update.config.kinds import check_source, parse_source
from uv_self_update.config.settings import Network, Settings
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.detection.detect import detect
from uv_self_update.sources.interface import ArchiveSource
from uv_self_update.sources.listing import ACCEPT
from uv_self_update.sources.opened import OpenSources

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from support.web import Web

    Start = Callable[[Path], AbstractContextManager[str]]

pytestmark = pytest.mark.system

PAGE = Path(__file__).parents[1] / "docs" / "servers.md"
ODD = "a b&c"
"""A directory whose name has to be written otherwise in a URL, and in HTML."""

ARCHIVE = platforms.current().archive
CONTENT = b"\x1f\x8b" + bytes(range(256))
PUBLISHED = 1_788_260_000  # 2026-09-01T10:53:20Z
OF_UV = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.01"
)
"""What uv accepts of an index."""

UV = "0.8.24"
"""The uv that is there, and not asked."""

DIRECTORY = {"yaws": "uv"}
"""The directory by the name of the server, if it has to be another: yaws does not find an `&`."""

FOREIGN = {(200, 200): "-", (206, 200): "whole", (206, 206): "part"}
"""By the status of a range and of one with the validator of another version."""

COLUMNS = ("link", "no slash", "date", "validators", "range", "`If-Range`", "missing", "label")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A directory on a server."""

    server: str
    """The server's URL, without a slash at its end."""

    path: str
    """The path of the releases' directory, quoted, without a slash at its end."""

    @property
    def archive(self) -> str:
        """The URL of the newest archive."""
        return f"{self.server}{self.path}/v0.13.9/{ARCHIVE}"


def lay_out(root: Path, directory: str) -> Path:
    """Lay out two releases deep in a directory, all published on the same day."""
    for version in ("v0.13.9", "v0.9.30"):
        place = root / directory / "releases" / "download" / version
        place.mkdir(parents=True)
        (place / ARCHIVE).write_bytes(CONTENT)
    (root / directory / "latest").write_text("0.13.9\n")
    for path in root.rglob("*"):
        os.utime(path, (PUBLISHED, PUBLISHED))
    return root


@pytest.mark.parametrize(
    "name", [*FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in LATE)]
)
def test_server(name: str, tmp_path: Path) -> None:
    """Releases are found and fetched, and what the server sends is what the page says of it."""
    start, directory = {**FAST, **LATE}[name], DIRECTORY.get(name, ODD)
    with start(lay_out(tmp_path / "served", directory)) as url:
        for base in (f"{url}/{quote(directory)}", f"listing+{url}/{quote(directory)}/"):
            published = found(base, tmp_path)
        place = Place(server=url, path=f"/{quote(directory)}/releases/download")
        seen = {**observed(place), "date": "yes" if published else "no"}

    assert published in {None, "2026-09-01T10:53:20Z"}
    assert seen == {column: documented()[name][column] for column in COLUMNS}


def test_every_row_has_a_test() -> None:
    """The page has the servers that are tried, and no others."""
    assert list(documented()) == [*FAST, *LATE]
    assert list(documented("indexes")) == [*INDEXES, *PROXIES]


@pytest.mark.parametrize(
    "spec",
    [
        'kind = "astral"\nurl = "{url}"\n',
        (
            'kind = "urls"\nlatest = "{url}/list"\n'
            'download = "{url}/github/uv/releases/download/{{tag}}/{{asset}}"\n'
        ),
    ],
)
def test_server_without_head(spec: str, tmp_path: Path) -> None:
    """micro-httpd answers 501 to `HEAD`; the kinds that ask by it find the files all the same."""
    line = json.dumps(
        {
            "version": "0.13.9",
            "date": "2026-09-01T10:53:20Z",
            "artifacts": [{"platform": "any", "url": f"https://h.example/{ARCHIVE}"}],
        }
    )
    root = tmp_path / "served"
    for place in (root / "list", root / "github" / "versions" / "main" / "v1" / "uv.ndjson"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{line}\n{line.replace('0.13.9', '0.14.0')}\n")
    archive = root / "github" / "uv" / "releases" / "download" / "0.13.9" / ARCHIVE
    archive.parent.mkdir(parents=True)
    archive.write_bytes(CONTENT)
    with small.micro_httpd(root) as url:
        section, problems = check_source(tomllib.loads(spec.format(url=url)))
        assert not problems
        settings = Settings(sources=(section,), network=Network(timeout=10, retries=0))
        uv = binaries.executables(UV) / "uv"
        with closing(OpenSources(settings, uv=uv, environ={"HOME": str(tmp_path)})) as opened:
            assert opened.find(NEWEST).release.version == "0.13.9"


INDEXES: Mapping[str, Callable[[Path], AbstractContextManager[str]]] = {
    "devpi-server": lambda wheels: indexes.devpi(wheels.glob("*.whl")),
    "pypiserver": indexes.pypiserver,
    "simple-repository-server, a directory": small_indexes.simple_repository_server,
    "simpleindex, `path`": small_indexes.simpleindex,
    "morgan": small_indexes.morgan,
    "dumb-pypi behind nginx": small_indexes.dumb_pypi,
    "a tree like bandersnatch's behind nginx": small_indexes.bandersnatch_tree,
}
PROXIES: Mapping[str, Callable[[str], AbstractContextManager[str]]] = {
    "proxpi": indexes.proxpi,
    "pypi-timemachine": small_indexes.pypi_timemachine,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", INDEXES)
def test_index(name: str, tmp_path: Path) -> None:
    """An index with one wheel sends what the page says of it."""
    wheel = tmp_path / "uv-0.13.9-py3-none-any.whl"
    metadata = f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info/METADATA"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr(metadata, "Metadata-Version: 2.1\nName: uv\nVersion: 0.13.9\n")
    with INDEXES[name](tmp_path) as url:
        seen = observed_index(url)

    assert seen == {column: documented("indexes")[name][column] for column in seen}


@pytest.mark.slow
@pytest.mark.parametrize("name", PROXIES)
def test_index_before_another(name: str, web: Web) -> None:
    """So does one that hands on what another has, which has dates and digests."""
    web.pages |= mirrors.dated_index_pages({UV: "2026-09-01T10:53:20Z"})
    json_type = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    projects = {"meta": {"api-version": "1.1"}, "projects": [{"name": "uv"}]}
    web.pages["/simple/"] = Page(body=json.dumps(projects).encode(), headers=json_type)
    with PROXIES[name](f"{web.url}/simple/") as url:
        seen = observed_index(url)

    assert seen == {column: documented("indexes")[name][column] for column in seen}


def observed_index(url: str) -> dict[str, str]:
    """Return what an index sends, in the words of the page."""
    accept = {"Accept": OF_UV}
    with httpx.Client(trust_env=False, follow_redirects=True, headers=accept) as client:
        page = client.get(f"{url}uv/").raise_for_status()
    assert "uv-" in page.text
    digests = re.findall(r"#(\w+)=|\"(sha256|md5)\":", page.text)
    return {
        "index": f"`{urlsplit(url).path}`",
        "type": "JSON" if "json" in page.headers["content-type"] else "HTML",
        "upload time": "yes" if "upload-time" in page.text else "no",
        "digest": next(("".join(found) for found in digests), "-"),
    }


def found(spec: str, home: Path) -> str | None:
    """Find the newest release, fetch its archive, and return its date."""
    section = parse_source(spec)
    settings = Settings(sources=(section,), network=Network(timeout=10, retries=0))
    uv = binaries.executables(UV) / "uv"
    environ = {"HOME": str(home)}
    with closing(OpenSources(settings, uv=uv, environ=environ)) as opened:
        detection = detect(section, opened.context)
        assert detection.settings.kind == "listing"
        assert isinstance(detection.source, ArchiveSource)
        release = detection.source.find(NEWEST)
        assert release.version == "0.13.9"
        # Where directories have no dates, files have none: an update need not list them for that.
        (listed,) = detection.source.listing(1)
        assert (listed.published is None) == (release.published is None)
        asset = release.asset(ARCHIVE)
        assert asset is not None
        with detection.source.open(release, asset) as download:
            assert b"".join(download.chunks) == CONTENT
        return release.published


def observed(place: Place) -> dict[str, str]:
    """Return what a server sends, in the words of the page."""
    with httpx.Client(trust_env=False, headers={"Accept-Encoding": "identity"}) as client:
        accept = {"Accept": ACCEPT}
        listing = client.get(f"{place.server}{place.path}/", headers=accept)
        bare = client.get(f"{place.server}{place.path}", headers=accept)
        missing = f"{place.server}{place.path}/v0.13.9/none.tar.gz"
        head = client.head(missing)
        get = client.get(missing)
        whole = exchange(client, place.archive)
        part = exchange(client, place.archive, {"Range": "bytes=5-"})
        foreign = {"Range": "bytes=5-", "If-Range": '"another"'}
        other = exchange(client, place.archive, foreign)
    return {
        "link": link_in(listing, place),
        "no slash": str(bare.status_code),
        "validators": validators(whole),
        "range": {206: "yes", 200: "no"}[part.status_code],
        "`If-Range`": FOREIGN[part.status_code, other.status_code],
        "missing": f"{head.status_code}, {get.status_code}",
        "label": whole.headers.get("content-encoding", "-"),
    }


def exchange(
    client: httpx.Client, url: str, headers: Mapping[str, str] | None = None
) -> httpx.Response:
    """Return the answer for a file; its body is not decoded, whatever it is labelled."""
    with client.stream("GET", url, headers=headers) as response:
        for _ in response.iter_raw():
            pass
        return response


def link_in(listing: httpx.Response, place: Place) -> str:
    """Return how a page names the directory `v0.13.9`."""
    if listing.text.lstrip()[:1] in {"[", "{"}:
        return "JSON"
    if listing.text.startswith("<?xml"):
        return "XML"
    hrefs = re.findall(r"(?i)href=['\"]([^'\"]*v0\.13\.9/?)['\"]", listing.text)
    assert hrefs, listing.text
    shown = hrefs[0].removesuffix("v0.13.9").removesuffix("v0.13.9/")
    kind = {"": "", "./": "./"}.get(shown, "/…/")
    assert kind != "/…/" or shown.startswith("/"), place
    return f"`{kind}0.13.9{'/' if hrefs[0].endswith('/') else ''}`"


def validators(response: httpx.Response) -> str:
    """Return what a server sends to tell versions of a file apart."""
    etag = response.headers.get("etag", "")
    found = ["weak ETag" if etag.startswith("W/") else "ETag"] if etag else []
    found += ["date"] if "last-modified" in response.headers else []
    return ", ".join(found) or "-"


def documented(table_name: str = "files") -> dict[str, dict[str, str]]:
    """Return the rows of a table of the page by the names of the servers."""
    table = PAGE.read_text().partition(f"<!-- {table_name} -->\n\n")[2].partition("\n\n")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return {row[0]: dict(zip(head, row, strict=True)) for row in rows}
