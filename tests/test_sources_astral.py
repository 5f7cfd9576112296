"""The layout of Astral's mirror: what the contract of all sources does not cover."""

from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.urls import source_settings
from support.web import Page
from uv_self_update import platforms
from uv_self_update.config.settings import Settings
from uv_self_update.errors import NoSuchVersion, UnexpectedBody
from uv_self_update.releases.release import utc
from uv_self_update.releases.target import NEWEST, Wanted
from uv_self_update.sources.opened import OpenSources

if TYPE_CHECKING:
    from support.web import Web
    from uv_self_update.releases.release import Release

MANIFEST = "/github/versions/main/v1/uv.ndjson"
DOWNLOADS = "/github/uv/releases/download"
ARCHIVE = platforms.current().archive


def line(version: str, age: float | None = 86_400, **more: object) -> str:
    """Return a line of the manifest, for a version that was published `age` seconds ago."""
    artifact = {"url": f"https://github.com/x/{version}/{ARCHIVE}", "sha256": "a" * 64, **more}
    date = {} if age is None else {"date": utc(time.time() - age)}
    return json.dumps({"version": version, **date, "artifacts": [artifact]})


def find(web: Web, wanted: Wanted = NEWEST) -> Release:
    """Return what the source finds."""
    settings = Settings(sources=(source_settings(kind="astral", url=web.url),))
    with closing(OpenSources(settings, uv=Path("uv"), environ={})) as opened:
        return opened.find(wanted).release


def serve(web: Web, lines: list[str], *versions: str) -> None:
    """Serve a manifest, and the archives of some versions."""
    web.pages[MANIFEST] = Page(body="\n".join(lines).encode())
    for version in versions:
        web.pages[f"{DOWNLOADS}/{version}/{ARCHIVE}"] = Page(body=b"content")


def test_version_listed_before_its_files_are_there(web: Web) -> None:
    """A version without its files is passed over; it is asked for once, and nothing else is."""
    serve(web, [line("0.13.1"), line("0.13.0")], "0.13.0")

    assert find(web).version == "0.13.0"

    assert [(asked.method, asked.path) for asked in web.asked] == [
        ("GET", MANIFEST),
        ("HEAD", f"{DOWNLOADS}/0.13.1/{ARCHIVE}"),
        ("GET", f"{DOWNLOADS}/0.13.1/{ARCHIVE}"),
        ("HEAD", f"{DOWNLOADS}/0.13.0/{ARCHIVE}"),
    ]


@pytest.mark.parametrize(("age", "asked"), [(60, False), (-60, False), (7200, True), (None, True)])
def test_version_published_just_now(web: Web, age: float | None, *, asked: bool) -> None:
    """A proxy is not asked for files that may come in a moment: it would remember that none are."""
    serve(web, [line("0.13.1", age), line("0.13.0")], "0.13.0", "0.13.1")

    assert find(web).version == ("0.13.1" if asked else "0.13.0")

    assert (f"{DOWNLOADS}/0.13.1/{ARCHIVE}" in web.paths()) is asked


def test_version_published_just_now_and_named(web: Web) -> None:
    """Who names a version has it asked for."""
    serve(web, [line("0.13.1", 60)], "0.13.1")

    assert find(web, Wanted(exact="0.13.1")).version == "0.13.1"


def test_clock_that_is_wrong(web: Web) -> None:
    """A clock that is a year behind hides nothing."""
    serve(web, [line("0.13.1", -365 * 86_400)], "0.13.1")

    assert find(web).version == "0.13.1"


def test_version_that_is_not_listed(web: Web) -> None:
    """What the manifest does not name is not probed for."""
    serve(web, [line("0.13.1")], "0.13.1", "0.9.9")

    with pytest.raises(NoSuchVersion) as caught:
        find(web, Wanted(exact="0.9.9"))

    assert caught.value.nearest == ("0.13.1",)
    assert web.paths() == [MANIFEST]


def test_order_blank_lines_and_other_lines(web: Web) -> None:
    """Any order will do, with empty lines, lines of other things and no end of the last line."""
    lines = ["", line("0.9.9"), "{", '{"version": "nightly"}', line("0.10.0"), line("0.9.10")]
    serve(web, lines, "0.9.9", "0.10.0")

    assert find(web).version == "0.10.0"


def test_digests_and_variants(web: Web) -> None:
    """The default variant's digest is that of the file."""
    serve(web, [line("0.13.1", variant="default")], "0.13.1")

    asset = find(web).asset(ARCHIVE)

    assert asset is not None
    assert asset.sha256 == "a" * 64


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><input type=password>", b"", b"{}\n{}\n"])
def test_no_manifest(web: Web, body: bytes) -> None:
    """What is no manifest is said to be none."""
    web.pages[MANIFEST] = Page(body=body)

    with pytest.raises(UnexpectedBody, match=r"expected Astral's uv\.ndjson"):
        find(web)
