"""How many requests and connections a run costs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page
from uv_self_update import platforms

if TYPE_CHECKING:
    from support.homes import Home
    from support.web import Asked, Web

KINDS = ("github", "urls", "listing")


def serve(kind: str, web: Web, home: Home, *versions: str) -> None:
    """Serve versions, the newest first, and configure the source."""
    if kind == "github":
        web.pages |= mirrors.github_pages(versions, prefix="/base")
        table = f'url = "{web.url}/base/astral-sh/uv"'
    elif kind == "urls":
        web.pages |= mirrors.urls_pages(versions)
        table = f'latest = "{web.url}/latest.json"\ndownload = "{web.url}/files/{{tag}}/{{asset}}"'
    else:
        web.pages["/uv/"] = mirrors.directory_page(*(f"{version}/" for version in versions))
        for version in versions:
            files = mirrors.file_pages(version, f"/uv/{version}")
            archive = next(path for path in files if path.endswith(".tar.gz"))
            digest = mirrors.sha256(binaries.archive(version, real=False))
            files[f"{archive}.sha256"] = Page(body=f"{digest}  uv.tar.gz\n".encode())
            web.pages |= files
            names = (path.rpartition("/")[2] for path in files)
            web.pages[f"/uv/{version}/"] = mirrors.directory_page(*names)
        table = f'url = "{web.url}/uv/"'
    home.configure(f'[[source]]\nkind = "{kind}"\n{table}\n')


@pytest.mark.parametrize(("kind", "requests"), [("github", 2), ("urls", 2), ("listing", 3)])
def test_update(kind: str, requests: int, home: Home, web: Web) -> None:
    """An update requests the list and the archive; from a listing, its digest too."""
    old, new = binaries.FIRST, binaries.newest()
    home.install(old)
    serve(kind, web, home, new, old)

    done = home.run()

    assert (done.code, home.version()) == (0, new), done.err
    assert len(web.asked) == requests, web.paths()
    assert web.connections == 1


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_do(kind: str, home: Home, web: Web) -> None:
    """One request tells that nothing is newer; no directory below is listed."""
    home.install(binaries.newest())
    serve(kind, web, home, binaries.newest(), "0.8.24")

    done = home.run()

    assert done.code == 0
    assert "on the latest version" in done.err
    assert len(web.asked) == 1, web.paths()
    assert web.connections == 1


@pytest.mark.parametrize("kind", KINDS)
def test_list_before_uv_asks(kind: str, home: Home, web: Web) -> None:
    """The list is requested while uv starts; here, uv waits until the server has been asked."""
    home.install(binaries.FIRST)
    serve(kind, web, home, binaries.FIRST)
    fifo = home.path / "asked"
    os.mkfifo(fifo)
    home.uv.unlink()
    home.uv.write_text(f"#!/bin/sh\nread -r _ <'{fifo}'\n")
    home.uv.chmod(0o755)
    path = {"github": "/base/api/v3/repos/astral-sh/uv/releases", "urls": "/latest.json"}
    answer = web.pages[path.get(kind, "/uv/")]

    def told(asked: Asked) -> Page:
        with fifo.open("w") as opened:
            opened.write("\n")
        return answer(asked) if callable(answer) else answer

    web.pages[path.get(kind, "/uv/")] = told

    assert home.run().code == 0
    assert len(web.asked) == 1, web.paths()


@pytest.mark.parametrize("stated", ["{new}", "9.9.9", "9.9.9+site"])
def test_receipt_that_lies(stated: str, home: Home, web: Web) -> None:
    """A uv knows its own version better than the receipt, and is updated all the same."""
    old, new = binaries.FIRST, binaries.newest()
    home.install(old)
    serve("listing", web, home, new, old)
    document = json.loads(home.receipt.read_text())
    home.receipt.write_text(json.dumps(document | {"version": stated.format(new=new)}))

    done = home.run()

    assert (done.code, home.version()) == (0, new), done.err
    assert home.receipt_version() == new
    assert len(web.asked) == 3, web.paths()


def test_newer_version_without_this_archive(home: Home, web: Web) -> None:
    """A newer directory is listed, and skipped with a warning; an older one is not listed."""
    old, new = binaries.FIRST, binaries.newest()
    home.install(old)
    serve("listing", web, home, new, old)
    other = "uv-s390x-unknown-linux-gnu.tar.gz"
    web.pages[f"/uv/{new}/"] = mirrors.directory_page(other)
    digest = f"/uv/{new}/{platforms.current().archive}.sha256"
    del web.pages[digest]

    done = home.run()

    assert f"Skipping uv {new}" in done.err
    assert "on the latest version" in done.err
    assert web.paths() == ["/uv/", digest, f"/uv/{new}/"]


@pytest.mark.parametrize("kind", KINDS)
def test_check(kind: str, home: Home, web: Web) -> None:
    """`--check` uses one connection."""
    home.install(binaries.FIRST)
    serve(kind, web, home, binaries.newest())

    assert home.run("--check").code == 11
    assert web.connections == 1


@pytest.mark.parametrize("arguments", [["--offline"], ["9.9.9"]])
def test_none(arguments: list[str], home: Home, web: Web) -> None:
    """No connection is made for a version that the policy forbids, or with `--offline`."""
    home.install(binaries.FIRST)
    serve("github", web, home, binaries.newest())
    with home.config.open("a") as file:
        file.write('[policy]\nversions = "<9"\n')

    assert home.run(*arguments).code != 0
    assert (web.connections, web.asked) == (0, [])
