"""The source that is a GitLab project: what the contract of all sources does not cover."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.urls import source_settings
from support.web import Page, Web
from uv_self_update import platforms
from uv_self_update.config.settings import Settings
from uv_self_update.errors import NoSuchVersion, NotFoundOrUnauthorized, StatusRefused
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.opened import OpenSources

if TYPE_CHECKING:
    from collections.abc import Iterator

PROJECT = "/api/v4/projects/g%2Fp"
ARCHIVE = platforms.current().archive


@pytest.fixture
def elsewhere() -> Iterator[Web]:
    """Serve another origin."""
    with Web() as server:
        yield server


def page(document: object) -> Page:
    """Return a page of JSON."""
    return Page(body=json.dumps(document).encode())


def serve_release(web: Web, *links: dict[str, Any]) -> None:
    """Put a release with links on a GitLab that has no packages."""
    release = {"tag_name": "v0.12.3", "assets": {"links": list(links)}}
    web.pages |= {
        f"{PROJECT}/releases": page([release]),
        f"{PROJECT}/packages": Page(status=403),
    }


def fetched(web: Web, login: str = "me:secret@") -> bytes:
    """Return the archive that the newest release has."""
    url = f"{web.url}/g/p".replace("://", f"://{login}")
    settings = Settings(sources=(source_settings(kind="gitlab", url=url),))
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        found = opened.find(NEWEST)
        asset = found.release.asset(ARCHIVE)
        assert asset is not None
        with found.source.open(found.release, asset) as download:  # type: ignore[attr-defined]
            return b"".join(download.chunks)


def test_link_to_its_own_package_behind_a_proxy(web: Web) -> None:
    """A link to GitLab itself is followed below the configured address, with the token."""
    path = f"{PROJECT}/packages/generic/uv/0.12.3/{ARCHIVE}"
    own = "https://inside.example:8443"
    link = {
        "name": "for Linux",
        "url": f"{own}{path}",
        "direct_asset_url": f"{own}/g/p/-/releases/v0.12.3/downloads/{ARCHIVE}",
    }
    serve_release(web, link)
    web.pages[path] = Page(body=b"content")

    assert fetched(web) == b"content"

    assert {asked.headers.get("PRIVATE-TOKEN") for asked in web.asked} == {"secret"}
    assert {asked.headers.get("Authorization") for asked in web.asked} == {None}


def test_link_to_an_upload(web: Web) -> None:
    """A link to a web page of GitLab is followed by its API, which takes a token."""
    own = "https://inside.example"
    link = {
        "name": ARCHIVE,
        "url": f"{own}/g/p/uploads/1234/{ARCHIVE}",
        "direct_asset_url": f"{own}/g/p/-/releases/v0.12.3/downloads/bin/{ARCHIVE}",
    }
    serve_release(web, link)
    web.pages[f"{PROJECT}/releases/v0.12.3/downloads/bin/{ARCHIVE}"] = Page(body=b"content")

    assert fetched(web) == b"content"


def test_link_to_another_server(web: Web, elsewhere: Web) -> None:
    """A link to another server is followed without the token."""
    own = f"{web.url}/g/p/-/releases/v0.12.3/downloads/{ARCHIVE}"
    url = f"{elsewhere.url}/{ARCHIVE}?signature=1"
    serve_release(web, {"name": ARCHIVE, "url": url, "direct_asset_url": own})
    elsewhere.pages[f"/{ARCHIVE}"] = Page(body=b"content")

    assert fetched(web) == b"content"

    (asked,) = elsewhere.asked
    assert asked.path.endswith("?signature=1")
    assert not {"PRIVATE-TOKEN", "Authorization", "Cookie"} & asked.headers.keys()


def test_link_that_leads_to_a_file_of_this_machine(web: Web, tmp_path: Path) -> None:
    """A link that is no web address is none."""
    (tmp_path / ARCHIVE).write_bytes(b"content")
    serve_release(web, {"name": ARCHIVE, "url": (tmp_path / ARCHIVE).as_uri()})

    with pytest.raises(NoSuchVersion, match="has no release of uv"):
        fetched(web)


def test_link_that_climbs(web: Web) -> None:
    """A link that would lead the token elsewhere on the same server is none."""
    own = f"{web.url}/g/p/-/releases/v0.12.3/downloads/../../../../other/{ARCHIVE}"
    link = {"name": ARCHIVE, "url": f"{web.url}/x/{ARCHIVE}", "direct_asset_url": own}
    serve_release(web, link)

    with pytest.raises(NoSuchVersion):
        fetched(web)


def test_file_uploaded_twice(web: Web) -> None:
    """Of two files with one name the later counts; other packages' versions do not."""
    package = {"id": 5, "name": "uv", "version": "0.12.3", "created_at": "2026-01-29T20:24:46Z"}
    other = {"id": 6, "name": "uv-tools", "version": "9.9.9"}
    files = [
        {"id": 2, "file_name": ARCHIVE, "file_sha256": "b" * 64},
        {"id": 1, "file_name": ARCHIVE, "file_sha256": "a" * 64},
    ]
    web.pages |= {
        f"{PROJECT}/packages": page([other, package]),
        f"{PROJECT}/packages/5/package_files": page(files),
        f"{PROJECT}/releases": page([]),
    }
    settings = Settings(sources=(source_settings(kind="gitlab", url=f"{web.url}/g/p"),))

    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        release = opened.find(NEWEST).release

    asset = release.asset(ARCHIVE)
    assert (release.version, release.published) == ("0.12.3", "2026-01-29T20:24:46Z")
    assert asset is not None
    assert asset.sha256 == "b" * 64


@pytest.mark.parametrize(
    ("login", "words"), [("", "without credentials"), ("me:t@", "with these credentials")]
)
def test_project_that_is_hidden(web: Web, login: str, words: str) -> None:
    """A project that is not there and one that may not be seen are the same 404, and both said."""
    with pytest.raises(NotFoundOrUnauthorized) as caught:
        fetched(web, login)

    assert f"no such project, or not visible {words}" in str(caught.value)
    assert "`token-env`" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/g/p", "/api/v4/projects/g%2Fp"),
        ("/g/sub/p/", "/api/v4/projects/g%2Fsub%2Fp"),
        ("/g/p.git", "/api/v4/projects/g%2Fp"),
        ("/g/p/-/releases", "/api/v4/projects/g%2Fp"),
        ("/sub/api/v4/projects/17/packages/generic/uv", "/sub/api/v4/projects/17"),
        ("/api/v4/projects/g%2Fp", "/api/v4/projects/g%2Fp"),
    ],
)
def test_address(web: Web, path: str, api: str) -> None:
    """A project is known by its page or by its API, wherever GitLab lives."""
    settings = Settings(sources=(source_settings(kind="gitlab", url=f"{web.url}{path}"),))

    with (
        closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened,
        pytest.raises(NotFoundOrUnauthorized),
    ):
        opened.find(NEWEST)

    assert [asked.path.partition("?")[0] for asked in web.asked] == [
        f"{api}/packages",
        f"{api}/releases",
    ]


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("closed", ["packages", "releases"])
def test_one_list_is_closed(web: Web, closed: str, status: int) -> None:
    """A token may open one of the two lists, and a project may have one of them switched off."""
    package = {"id": 5, "name": "uv", "version": "0.12.3"}
    link = {"name": ARCHIVE, "url": f"{web.url}/{ARCHIVE}"}
    web.pages |= {
        f"{PROJECT}/packages": page([package]),
        f"{PROJECT}/packages/5/package_files": page([{"id": 1, "file_name": ARCHIVE}]),
        f"{PROJECT}/packages/generic/uv/0.12.3/{ARCHIVE}": Page(body=b"content"),
        f"{PROJECT}/releases": page([{"tag_name": "0.12.3", "assets": {"links": [link]}}]),
        f"/{ARCHIVE}": Page(body=b"content"),
        f"{PROJECT}/{closed}": Page(status=status),
    }

    assert fetched(web) == b"content"


def test_both_lists_are_closed(web: Web) -> None:
    """A token that is not known is a better reason than a list that is not there."""
    web.pages |= {f"{PROJECT}/packages": Page(status=404), f"{PROJECT}/releases": Page(status=401)}

    with pytest.raises(StatusRefused) as caught:
        fetched(web)

    assert caught.value.status == 401


def test_version_in_both_lists(web: Web) -> None:
    """A package without this machine's archive does not hide the release that has it."""
    package = {"id": 5, "name": "uv", "version": "0.12.3"}
    web.pages |= {
        f"{PROJECT}/packages": page([package]),
        f"{PROJECT}/packages/5/package_files": page([{"id": 1, "file_name": "uv-installer.sh"}]),
        f"{PROJECT}/releases": page(
            [
                {
                    "tag_name": "0.12.3",
                    "assets": {"links": [{"name": ARCHIVE, "url": f"{web.url}/{ARCHIVE}"}]},
                }
            ]
        ),
        f"/{ARCHIVE}": Page(body=b"content"),
    }

    assert fetched(web) == b"content"
