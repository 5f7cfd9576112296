"""Nexus and Artifactory: what the contract of all sources does not cover."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.web import Asked, Page
from uv_self_update import platforms
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.kinds import parse_source
from uv_self_update.config.settings import Network, Settings
from uv_self_update.errors import (
    NotDetected,
    NotFoundOrUnauthorized,
    StatusRefused,
    TooLarge,
    UnexpectedBody,
)
from uv_self_update.network.client import Upstream
from uv_self_update.network.limits import Limits
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.nexus import NexusTree
from uv_self_update.sources.opened import OpenSources
from uv_self_update.url import Url

if TYPE_CHECKING:
    from support.web import Web
    from uv_self_update.releases.release import Release

ARCHIVE = platforms.current().archive
STORAGE = "/artifactory/api/storage"


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use no proxy."""
    monkeypatch.setenv("NO_PROXY", "*")


def find(spec: str) -> Release:
    """Return the newest release of a source, without a retry."""
    settings = Settings(sources=(parse_source(spec),), network=Network(retries=0))
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        return opened.find(NEWEST).release


def children(*names: str, folder: object = True) -> Page:
    """Return Artifactory's JSON for a directory."""
    found = [{"uri": f"/{name}", "folder": folder} for name in names]
    return Page(body=json.dumps({"children": found}).encode())


@pytest.mark.parametrize("folder", [True, "true"])
def test_cache_of_a_remote_repository(web: Web, folder: object) -> None:
    """What a remote repository has stored may be known under the name of its cache only."""
    web.pages |= {
        f"{STORAGE}/uv-cache": children("0.9.9", "..", "a/b", folder=folder),
        f"{STORAGE}/uv-cache/0.9.9": children(ARCHIVE, folder=False),
    }

    assert find(f"artifactory+{web.url}/artifactory/uv").version == "0.9.9"
    assert not [
        path for path in web.paths() if path.startswith("/artifactory/uv") and path[-1] == "/"
    ]


@pytest.mark.parametrize("login", ["", "me:secret@"])
def test_hidden_repository(web: Web, login: str) -> None:
    """A repository that is not there and one that may not be seen are the same 404."""
    for spec in ("artifactory+{}/artifactory/uv", "nexus+{}/repository/uv"):
        url = web.url.replace("://", f"://{login}")
        with pytest.raises(NotFoundOrUnauthorized) as caught:
            find(spec.format(url))
        access = "with these credentials" if login else "without credentials"
        assert f"such repository or directory, or not visible {access}" in str(caught.value)
        assert "secret" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("status", [401, 403, 500])
def test_cache_that_is_refused(web: Web, status: int) -> None:
    """Any other answer about the cache is the error."""
    web.pages[f"{STORAGE}/uv-cache"] = Page(status=status)

    with pytest.raises(StatusRefused) as caught:
        find(f"artifactory+{web.url}/artifactory/uv")

    assert caught.value.status == status


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b'{"children": 5}'])
def test_no_folder_of_artifactory(web: Web, body: bytes) -> None:
    """What is no answer about a folder is said to be none."""
    web.pages[f"{STORAGE}/uv"] = Page(body=body)

    with pytest.raises(UnexpectedBody, match="Artifactory's JSON for a directory"):
        find(f"artifactory+{web.url}/artifactory/uv")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b'{"items": 5}'])
def test_no_search_of_nexus(web: Web, body: bytes) -> None:
    """What is no page of a search is said to be none."""
    web.pages["/service/rest/v1/search/assets"] = Page(body=body)

    with pytest.raises(UnexpectedBody, match="a page of Nexus search results"):
        find(f"nexus+{web.url}/repository/uv")


def test_search_that_cannot_be_continued(web: Web) -> None:
    """A token that nobody could send back ends a search, and what was found counts."""
    path = f"/0.9.9/{ARCHIVE}"
    page = {"items": [{"path": path}, {"path": 5}, 7], "continuationToken": "\ud800"}
    web.pages["/service/rest/v1/search/assets"] = Page(body=json.dumps(page).encode())

    assert find(f"nexus+{web.url}/repository/uv").version == "0.9.9"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("//uv//new/", "/api/storage/uv/new"),
        ("/artifactory//uv", "/artifactory/api/storage/uv"),
        ("/a/artifactory//uv//new", "/a/artifactory/api/storage/uv/new"),
    ],
)
def test_slashes_of_an_artifactory(path: str, expected: str, web: Web) -> None:
    """A slash too many in the URL, which its validation accepts, changes no request."""
    with pytest.raises(StatusRefused):
        find(f"artifactory+{web.url}{path}")

    assert expected in web.paths()


def test_search_without_end(web: Web) -> None:
    """A search that names one page twice is left, with the reason."""
    body = json.dumps({"items": [], "continuationToken": "more"}).encode()
    web.pages["/service/rest/v1/search/assets"] = Page(body=body)

    with pytest.raises(UnexpectedBody, match="an endless one"):
        find(f"nexus+{web.url}/repository/uv")

    assert sum("search/assets" in path for path in web.paths()) == 2


def test_search_with_always_one_more_page(web: Web) -> None:
    """A search ends at the limit of pages."""
    limits = Limits(nexus_pages=3)
    upstream = Upstream(Network(retries=0), Credentials(), environ={}, limits=limits)

    def answer(_: Asked) -> Page:
        token = f"t{len(web.asked)}"
        return Page(body=json.dumps({"items": [], "continuationToken": token}).encode())

    web.pages["/service/rest/v1/search/assets"] = answer

    with closing(upstream), pytest.raises(TooLarge, match="exceeds the limit of 3 pages"):
        NexusTree(upstream, base=Url.parse(f"{web.url}/repository/uv")).entries(())
    assert sum("search/assets" in path for path in web.paths()) == 3


def test_url_that_is_nothing_is_examined_once(web: Web) -> None:
    """Uv asks twice for what it does not get, and a server is not examined twice for that."""
    settings = Settings(sources=(parse_source(f"{web.url}/uv/"),))
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        with pytest.raises(NotDetected):
            opened.find(NEWEST)
        asked = len(web.asked)
        with pytest.raises(NotDetected):
            opened.find(NEWEST)

    assert asked > 1
    assert len(web.asked) == asked
