"""An update from listings: the digest of an archive is requested before its directory is listed."""

from __future__ import annotations

import hashlib
import json
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.mirrors import directory_page
from support.web import Page
from uv_self_update import platforms
from uv_self_update.config.kinds import SourceSettings
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import (
    HiddenByPolicy,
    NoArchive,
    NoSuchVersion,
    StatusRefused,
    UnexpectedBody,
)
from uv_self_update.network.responses import Download
from uv_self_update.releases.policy import MinimumAge, Policy
from uv_self_update.releases.target import NEWEST, Wanted
from uv_self_update.sources.formats.entry import Entry
from uv_self_update.sources.interface import ArchiveSource
from uv_self_update.sources.listing import ListingTree
from uv_self_update.sources.opened import OpenSources
from uv_self_update.sources.tree import TreeSource
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.web import Web
    from uv_self_update.network.client import Upstream
    from uv_self_update.sources.tree import Names

ARCHIVE = platforms.current().archive
INSTALLER = "uv-installer.sh"
OTHER = "uv-riscv64gc-unknown-linux-gnu.tar.gz"
CONTENT = b"the archive"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
UPDATE = replace(NEWEST, installed="0.9.0", archive_only=True)
"""What the gateway requests for our own installer."""

ROOT, DIRECTORY = "/uv/", "/uv/1.0.0/"
FILE, DIGEST_FILE = f"{DIRECTORY}{ARCHIVE}", f"{DIRECTORY}{ARCHIVE}.sha256"
LISTED = [ROOT, DIRECTORY, DIGEST_FILE, FILE]
"""The requests for an update whose directory is listed at once."""


def serve(web: Web, *, parent: str = ROOT, name: str = "1.0.0") -> None:
    """Serve one release, with listings."""
    files = {ARCHIVE: CONTENT, f"{ARCHIVE}.sha256": f"{DIGEST}  x\n".encode(), INSTALLER: b"#!"}
    web.pages[parent] = directory_page(f"{name}/")
    web.pages[f"{parent}{name}/"] = directory_page(*files)
    web.pages |= {f"{parent}{name}/{file}": Page(body=body) for file, body in files.items()}


def fetch(web: Web, wanted: Wanted = UPDATE) -> tuple[str, str | None]:
    """Find a release and fetch its archive; return its version, and the digest it must have."""
    settings = Settings(
        sources=(SourceSettings(kind="listing", url=Url.parse(f"{web.url}{ROOT}")),),
        network=Network(timeout=10, retries=0),
        policy=wanted.policy,
    )
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        found = opened.find(wanted)
        asset = found.release.asset(ARCHIVE)
        assert asset is not None
        assert isinstance(found.source, ArchiveSource)
        with found.source.open(found.release, asset) as download:
            assert b"".join(download.chunks) == CONTENT
            return found.release.version, download.sha256


@pytest.mark.parametrize("wanted", [UPDATE, Wanted(exact="1.0.0", archive_only=True)])
@pytest.mark.parametrize(
    ("parent", "name"),
    [(ROOT, "1.0.0"), (ROOT, "v1.0.0"), (f"{ROOT}releases/download/", "1.0.0")],
)
def test_digest_without_listing(parent: str, name: str, wanted: Wanted, web: Web) -> None:
    """A digest where a release has it saves the listing of its directory."""
    serve(web, parent=parent, name=name)
    if parent != ROOT:
        web.pages[ROOT] = directory_page("releases/")
        web.pages[f"{ROOT}releases/"] = directory_page("download/")

    assert fetch(web, wanted) == ("1.0.0", DIGEST)
    assert web.paths()[-2:] == [f"{parent}{name}/{ARCHIVE}.sha256", f"{parent}{name}/{ARCHIVE}"]
    assert f"{parent}{name}/" not in web.paths()
    assert web.connections == 1


LOGIN = b'<!DOCTYPE html><form><input type="password"></form>'


@pytest.mark.parametrize(
    "page",
    [
        Page(body=DIGEST.encode(), status=404),
        Page(status=403),
        Page(status=500),
        Page(status=503, headers={"Retry-After": "30"}),
        Page(body=LOGIN, headers={"Content-Type": "text/html"}),
        Page(body=f"<p>{DIGEST}</p>".encode()),
        Page(body=DIGEST[:-1].encode()),
        Page(body=f"{DIGEST}  a\n{DIGEST}  b\n".encode()),
        Page(body=f"{DIGEST}  a\nno digest\n".encode()),
        Page(body=b""),
        Page(status=302, headers={"Location": "/login"}),
        Page(status=302, headers={"Location": "ftp://h.example/"}),
    ],
    ids=[
        *("missing", "forbidden", "broken", "busy", "login", "page"),
        *("fragment", "two", "junk", "empty", "redirect", "elsewhere"),
    ],
)
def test_anything_but_a_digest(page: Page, web: Web) -> None:
    """It says nothing: the directory is listed, over the same connection."""
    serve(web)
    web.pages[DIRECTORY] = directory_page(ARCHIVE)
    web.pages[DIGEST_FILE] = page
    web.pages["/login"] = Page(body=LOGIN)

    assert fetch(web) == ("1.0.0", None)
    assert [path for path in web.paths() if path != "/login"] == [
        ROOT,
        DIGEST_FILE,
        DIRECTORY,
        FILE,
    ]
    assert web.connections == 1


def test_digest_that_is_listed_and_damaged(web: Web) -> None:
    """It is refused, as always."""
    serve(web)
    web.pages[DIGEST_FILE] = Page(body=LOGIN)

    with pytest.raises(UnexpectedBody, match="expected a list of sha256 sums"):
        fetch(web)

    assert web.paths() == [ROOT, DIGEST_FILE, DIRECTORY, DIGEST_FILE]


def test_other_requests(web: Web) -> None:
    """What shows a release, or needs other files, has all of its files listed."""
    serve(web)

    assert fetch(web, replace(UPDATE, archive_only=False)) == ("1.0.0", DIGEST)
    assert web.paths() == LISTED


@pytest.mark.parametrize("dated", [False, True])
def test_minimum_age(*, dated: bool, web: Web) -> None:
    """The files of a release may have dates, which such a rule needs."""
    serve(web)
    rule = MinimumAge(seconds=60, text="1 minute", origin="here")
    mtime = {"mtime": "Sun, 06 Sep 2026 10:53:20 GMT"} if dated else {}
    names = [ARCHIVE, f"{ARCHIVE}.sha256"]
    listing = json.dumps([{"name": name, "type": "file", **mtime} for name in names])
    web.pages[DIRECTORY] = Page(body=listing.encode())
    wanted = UPDATE.under(Policy(rules=(rule,)))

    if dated:
        assert fetch(web, wanted) == ("1.0.0", DIGEST)
    else:
        with pytest.raises(HiddenByPolicy, match="no publication date from the source"):
            fetch(web, wanted)
    assert web.paths() == (LISTED if dated else LISTED[:2])


def test_directory_with_a_date(web: Web) -> None:
    """Its files may have later dates, and the latest is printed."""
    serve(web)
    mtime = "Sun, 06 Sep 2026 10:53:20 GMT"
    listing = json.dumps([{"name": "1.0.0", "type": "directory", "mtime": mtime}])
    web.pages[ROOT] = Page(body=listing.encode())

    assert fetch(web) == ("1.0.0", DIGEST)
    assert web.paths() == LISTED


def test_files_in_one_directory(web: Web) -> None:
    """Where all versions share a directory, its listing has named the files already."""
    name = ARCHIVE.replace("uv-", "uv-1.0.0-", 1)
    web.pages[ROOT] = directory_page(name, f"{name}.sha256")
    web.pages[f"{ROOT}{name}"] = Page(body=CONTENT)
    web.pages[f"{ROOT}{name}.sha256"] = Page(body=DIGEST.encode())

    assert fetch(web) == ("1.0.0", DIGEST)
    assert web.paths() == [ROOT, f"{ROOT}{name}.sha256", f"{ROOT}{name}"]


def test_version_in_two_directories(web: Web) -> None:
    """Only listings tell which of them has the archive."""
    serve(web)
    web.pages[ROOT] = directory_page("v1.0.0/", "1.0.0/")
    web.pages[f"{ROOT}v1.0.0/"] = directory_page("x")

    assert fetch(web) == ("1.0.0", DIGEST)
    assert web.paths() == [ROOT, f"{ROOT}v1.0.0/", *LISTED[1:]]


@pytest.mark.parametrize(
    ("listed", "error", "words"),
    [
        (
            directory_page(OTHER),
            NoArchive,
            f"no release of uv for this machine: {ARCHIVE} is missing",
        ),
        (directory_page(ARCHIVE), StatusRefused, "answered 404 Not Found"),
        (Page(status=404), NoSuchVersion, "has no release of uv"),
    ],
    ids=["not listed", "listed", "no directory"],
)
def test_digest_without_its_archive(
    listed: Page, error: type[Exception], words: str, web: Web
) -> None:
    """The listing tells whether the archive is missing, or cannot be fetched."""
    serve(web)
    web.pages[DIRECTORY] = listed
    del web.pages[FILE]

    with pytest.raises(error, match=words):
        fetch(web)

    again = [FILE] if error is StatusRefused else []
    assert web.paths() == [ROOT, DIGEST_FILE, FILE, DIRECTORY, *again]


def test_older_version_with_an_archive(web: Web) -> None:
    """A mirror may have the digests before the archives: an older version is found then."""
    serve(web, name="0.9.5")
    serve(web)
    web.pages[ROOT] = directory_page("0.9.5/", "1.0.0/")
    web.pages[DIRECTORY] = directory_page(f"{ARCHIVE}.sha256")
    del web.pages[FILE]

    assert fetch(web) == ("0.9.5", DIGEST)
    assert web.paths()[:4] == [ROOT, DIGEST_FILE, FILE, DIRECTORY]


def test_download_in_vain(upstream: Upstream) -> None:
    """A download that was begun and is not continued is closed with the source."""
    events = []

    class Listed(ListingTree):
        def entries(self, path: Names) -> tuple[Entry, ...]:
            assert path == ()
            return (Entry(name="1.0.0", is_directory=True),)

        def digest_next_to(self, path: Names) -> str:
            events.append(path[-1])
            return DIGEST

        @contextmanager
        def open(self, path: Names) -> Iterator[Download]:
            events.append("begun")
            yield Download(url="/".join(path), size=None, chunks=iter([]))
            events.append("closed")

    source = TreeSource(Listed(upstream, base=Url.parse("http://h/")), platforms.current())

    source.find(UPDATE)
    assert events == [ARCHIVE, "begun"]
    source.close()
    assert events == [ARCHIVE, "begun", "closed"]
