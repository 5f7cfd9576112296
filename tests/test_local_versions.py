"""Wheels with a local version (PEP 440), such as a company's own build `0.13.9+site`."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.web import Page
from support.wheels import small_wheel
from uv_self_update.releases.policy import DEFAULT
from uv_self_update.releases.target import NEWEST, parse_target
from uv_self_update.sources.index.source import IndexSource
from uv_self_update.sources.index.uv_pip import UvPip
from uv_self_update.url import Url

if TYPE_CHECKING:
    from support.homes import Home
    from support.web import Web

BUILDS = ("0.9.9", "0.10.0+site", "0.13.9+site.1", "0.13.9+site.2")


def serve(web: Web, versions: tuple[str, ...] = BUILDS, *, says: str | None = None) -> None:
    """Put an index with these wheels on the server."""
    links, real = "", binaries.executables(binaries.newest()) / "uv"
    for version in versions:
        body = small_wheel(version, says=says, real=real)
        file = f"uv-{version}-py3-none-any.whl"
        place = f"/files/{file}".replace("+", "%2B")
        web.pages[place] = web.pages[f"/files/{file}"] = Page(body=body)
        digest = hashlib.sha256(body).hexdigest()
        links += f'<a href="{place}#sha256={digest}">{file}</a><br>'
    html = {"Content-Type": "text/html"}
    web.pages["/simple/uv/"] = Page(body=f"<!DOCTYPE html>{links}".encode(), headers=html)


@pytest.mark.parametrize(
    "version",
    [
        "0.5.0",
        "0.8.24",
        pytest.param("0.11.13", marks=pytest.mark.slow),
        "newest",
    ],
)
def test_found(version: str, home: Home, web: Web) -> None:
    """A build is found under the version that it is a build of."""
    serve(web)
    uv = binaries.executables(binaries.version(version)) / "uv"
    environ = home.full_environ({"UV_HTTP_RETRIES": "0"})
    source = IndexSource(UvPip(uv, environ, url=Url.parse(f"{web.url}/simple/")))
    assert source.find(NEWEST).version == "0.13.9"
    assert source.find(parse_target("0.13.9").under(DEFAULT)).version == "0.13.9"
    assert source.find(parse_target("<0.13.9")).version == "0.10.0"
    assert [release.version for release in source.releases(5)] == ["0.13.9", "0.10.0", "0.9.9"]


@pytest.mark.parametrize("says", ["99.0.0", "99.0.0+site"])
def test_update(says: str, home: Home, web: Web) -> None:
    """A build is installed, and is the newest in receipt, check and list, whatever it says."""
    home.install(binaries.newest())
    serve(web, ("0.9.9", "99.0.0+site"), says=says)
    place = ("--source", f"index+{web.url}/simple/")
    updated = home.run(*place)
    assert updated.code == 0, updated.err
    assert (home.version(), home.receipt_version()) == (says, "99.0.0")
    checked = home.run("--check", *place)
    assert (checked.code, checked.out or checked.err) == (
        0,
        f"uv {says} is installed; no newer version is available\n",
    )
    home.configure(f'[[source]]\nkind = "index"\nurl = "{web.url}/simple/"\n')
    listed = home.run("releases", "--json")
    rows = [(row["version"], row["installed"]) for row in json.loads(listed.out)]
    assert rows == [("99.0.0", True), ("0.9.9", False)]
