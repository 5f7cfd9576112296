"""Real uv binaries, updated for real from the servers that companies keep them on."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import pytest
import trustme

from support import binaries, mirrors
from support.proxy import trust
from support.servers import indexes, listings, objects, scripted, small_indexes
from support.servers.listed import FAST, LATE
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Web

    Start = Callable[[Path], AbstractContextManager[str]]

pytestmark = pytest.mark.system

Layout = Literal["folders", "releases", "flat"]

ODD = "a b%20&c"
"""A folder whose name has to be written otherwise in a URL, and in HTML."""

PLAIN = {"yaws": "plain", "updog": "plain"}
"""The folder by the name of the server, if it cannot have an odd one: see `docs/servers.md`."""

LOGIN = ("jo", "a/b@c%")

OLDER = "0.9.30"
"""A version that is the newest by the order of text."""

INCOMPLETE = "99.0.0"
"""A version without this platform's archive."""

PRE_RELEASE = "98.0.0rc1"

USELESS = b"no archive"


def put(folder: Path, layout: Layout) -> None:
    """Lay out the newest uv and the one before, among versions that must not be chosen."""
    for version in (binaries.newest(), binaries.newest_but_one()):
        archive = binaries.archive(version)
        link(archive, place(folder, layout, version, archive.name))
        if layout != "flat":
            place(folder, layout, version, "uv-installer.sh").write_bytes(
                mirrors.installer(version)
            )
    (folder / f"{ODD}.txt").touch()
    name = binaries.archive(binaries.newest()).name
    for version, asset in (
        (OLDER, name),
        (PRE_RELEASE, name),
        (INCOMPLETE, "uv-x86_64-pc-windows-msvc.zip"),
    ):
        place(folder, layout, version, asset).write_bytes(USELESS)


def place(folder: Path, layout: Layout, version: str, asset: str) -> Path:
    """Return where a file lies in a layout, in a folder that there is."""
    path = {
        "folders": folder / version / asset,
        "releases": folder / "releases" / "download" / f"v{version}" / asset,
        "flat": folder / asset.replace("uv-", f"uv-{version}-", 1),
    }[layout]
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def link(file: Path, path: Path) -> None:
    """Put a file, which nobody changes, into another folder too."""
    try:
        os.link(file, path)
    except OSError:  # on another file system
        shutil.copyfile(file, path)


@pytest.fixture
def share(tmp_path: Path) -> Path:
    """Return an empty folder, to be served."""
    path = tmp_path / "share"
    path.mkdir()
    return path


@pytest.fixture
def old(home: Home) -> Home:
    """Return a home with the uv that is to be updated."""
    home.install(binaries.newest_but_one())
    return home


def update(home: Home, source: str, *arguments: str) -> Done:
    """Update uv to the newest version, and see that nothing else has changed."""
    before = home.rest()

    done = home.run("--source", source, *arguments)

    assert done.code == 0, done.err
    end = binaries.newest()
    assert f"graded uv from v{binaries.newest_but_one()} to v{end}!" in done.err
    assert home.version() == end
    assert home.receipt_version() == end
    assert home.rest() == before
    return done


@dataclass(frozen=True, kw_only=True)
class Case:
    """A server that shows a folder, and what is in it."""

    start: Start
    layout: Layout = "folders"
    inside: str = ""
    """The folder of the server that the releases lie in."""


CASES = {
    "nginx": Case(start=listings.nginx, inside=f"{ODD}/uv"),
    "nginx-json": Case(
        start=lambda folder: listings.nginx(folder, listing="json"), layout="releases", inside=ODD
    ),
    "apache-plain": Case(
        start=lambda folder: listings.apache(folder, listing="plain"), layout="flat", inside=ODD
    ),
    "apache-fancy": Case(
        start=lambda folder: listings.apache(folder, listing="fancy"), layout="flat"
    ),
    "apache-table": Case(
        start=lambda folder: listings.apache(folder, listing="table"),
        layout="releases",
        inside=f"{ODD}/uv",
    ),
    "caddy": Case(start=listings.caddy, layout="releases", inside=ODD),
    "caddy-json": Case(start=lambda folder: listings.caddy(folder, listing="json")),
    "http.server": Case(start=listings.http_server, layout="flat", inside=f"mirrors/{ODD}"),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["listing+", ""])
def test_listing(name: str, kind: str, old: Home, share: Path) -> None:
    """Whatever shows a folder, and however the releases lie in it, it need not even be named."""
    case = CASES[name]
    put(share / case.inside, case.layout)

    with case.start(share) as url:
        update(old, f"{kind}{url}/{quote(case.inside)}{'' if kind else '/'}")


def test_nginx_with_a_login(old: Home, share: Path) -> None:
    """The login of the URL is used for the listings and the files, and is not shown."""
    put(share, "folders")
    user, password = (quote(word, safe="") for word in LOGIN)

    with listings.nginx(share, login=LOGIN) as url:
        host = url.removeprefix("http://")
        done = update(old, f"listing+http://{user}:{password}@{host}/", "-v")

    assert password not in done.err
    assert LOGIN[1] not in done.err


@pytest.mark.parametrize("told", ["SSL_CERT_FILE", "ca-bundle"])
def test_nginx_behind_tls(told: str, old: Home, share: Path, tmp_path: Path) -> None:
    """The redirects to `http://` of the nginx behind are not followed."""
    put(share / "uv", "releases")
    authority = trustme.CA()
    bundle = str(trust(authority, tmp_path))
    if told == "ca-bundle":
        old.configure(f'[network]\nca-bundle = "{bundle}"\n')
    else:
        old.environ["SSL_CERT_FILE"] = bundle

    with listings.nginx_behind_tls(share, authority) as url:
        update(old, f"listing+{url}/uv")


@pytest.mark.parametrize("installer", ["release", "native"])
@pytest.mark.parametrize(
    ("kind", "server"),
    [("listing", listings.nginx), ("listing", listings.apache), ("s3", objects.moto)],
)
def test_gzip_label(
    kind: str,
    server: Callable[..., AbstractContextManager[str]],
    installer: str,
    old: Home,
    share: Path,
) -> None:
    """An archive that is said to be encoded arrives as it is."""
    put(share, "folders")

    with server(share, gzip_label=True) as url:
        update(old, f"{kind}+{url}", "--installer", installer)


@pytest.mark.parametrize(
    ("kind", "start", "status"),
    [
        ("listing", lambda folder: listings.nginx(folder, listing="off"), "403"),
        ("listing", lambda folder: listings.apache(folder, listing="off"), "403"),
        ("listing", lambda folder: listings.nginx(folder, login=LOGIN), "401"),
        ("s3", lambda folder: objects.moto(folder, public=False), "403"),
    ],
    ids=["nginx-off", "apache-off", "nginx-login", "s3-private"],
)
def test_nothing_may_be_seen(kind: str, start: Start, status: str, old: Home, share: Path) -> None:
    """What the server said is told, and the uv stays."""
    put(share, "folders")
    before = old.snapshot()

    with start(share) as url:
        done = old.run("--source", f"{kind}+{url}")

    assert done.code != 0
    assert f"answered {status}" in done.err
    assert old.version() == binaries.newest_but_one()
    assert old.snapshot() == before


def test_incomplete_release_is_named(old: Home, share: Path) -> None:
    """A newer version that lacks this platform's archive is passed over, and that is said."""
    put(share, "folders")

    with listings.nginx(share) as url:
        done = update(old, f"listing+{url}")

    assert INCOMPLETE in done.err


def test_back_to_an_exact_version(home: Home, share: Path) -> None:
    """A version that is named is installed though it is older."""
    put(share, "folders")
    home.install(binaries.newest())
    before = home.rest()

    with listings.nginx(share) as url:
        done = home.run(binaries.newest_but_one(), "--source", f"listing+{url}/")

    assert done.code == 0, done.err
    assert home.version() == home.receipt_version() == binaries.newest_but_one()
    assert home.rest() == before


@pytest.mark.parametrize("kind", ["s3+", ""])
@pytest.mark.parametrize(
    ("layout", "inside"), [("folders", f"{ODD}/uv"), ("releases", ""), ("flat", ODD)]
)
def test_s3(layout: Layout, inside: str, kind: str, old: Home, share: Path) -> None:
    """A public bucket, or a part of it, listed on pages of a single name."""
    put(share / inside, layout)

    with objects.moto(share, page=1) as url:
        update(old, f"{kind}{url}/{quote(inside)}")


def test_private_s3(old: Home, share: Path) -> None:
    """A bucket that verifies the signature of every request; its secret is in no message."""
    put(share / ODD, "folders")

    with objects.moto(share, public=False) as url:
        key = objects.with_access_key(url)
        old.environ |= key
        done = update(old, f"s3+{url}/{quote(ODD)}", "-v")

    assert key["AWS_SECRET_ACCESS_KEY"] not in done.err
    assert "Signature=" not in done.err


@pytest.mark.parametrize(
    "write", [str, "directory+{}".format, lambda path: path.as_uri()], ids=["bare", "kind", "URL"]
)
@pytest.mark.parametrize("layout", ["folders", "releases", "flat"])
def test_directory(write: Callable[[Path], str], layout: Layout, old: Home, share: Path) -> None:
    """A folder of this machine, or of one that is mounted."""
    put(share / ODD, layout)

    update(old, write(share / ODD))


def test_directory_in_the_configuration(old: Home, share: Path) -> None:
    """The same, configured."""
    put(share / ODD, "folders")
    old.configure(f'[[source]]\nkind = "directory"\npath = "{share / ODD}"\n')
    before = old.rest()

    done = old.run()

    assert done.code == 0, done.err
    assert old.version() == old.receipt_version() == binaries.newest()
    assert old.rest() == before


SLOW = {**FAST, **LATE}


@pytest.mark.sampled(8)
@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_every_file_server(name: str, old: Home, share: Path) -> None:
    """A whole update from each of the servers of `docs/servers.md`."""
    inside = PLAIN.get(name, ODD)
    put(share / inside / "uv", "releases")

    with SLOW[name](share) as url:
        update(old, f"{url}/{quote(inside)}/uv/")


@pytest.mark.parametrize("start", [pytest.param(scripted.npm_sirv, marks=pytest.mark.slow)])
def test_server_that_lists_nothing(start: Start, old: Home, share: Path) -> None:
    """Where nothing is listed, what to write by hand is said, and works."""
    put(share / "uv", "folders")
    (share / "uv" / "latest.txt").write_text(binaries.newest())

    with start(share) as url:
        refused = old.run("init", f"{url}/uv/")
        (latest, download) = [
            line.partition('"')[2].rstrip('"')
            for line in refused.err.splitlines()
            if line.strip().startswith(("latest", "download"))
        ]
        old.configure(f'[[source]]\nkind = "urls"\nlatest = "{latest}"\ndownload = "{download}"\n')
        done = old.run()

    assert refused.code == 6, refused.err
    assert done.code == 0, done.err
    assert old.version() == binaries.newest()


@pytest.fixture
def wheels(share: Path) -> list[Path]:
    """Return the wheels of the newest uv and the one before, in a folder."""
    found = [binaries.wheel(binaries.newest()), binaries.wheel(binaries.newest_but_one())]
    for wheel in found:
        link(wheel, share / wheel.name)
    return found


@pytest.mark.parametrize("kind", ["index+", ""])
def test_devpi(kind: str, old: Home, wheels: list[Path]) -> None:
    """An index of devpi that wheels were uploaded to."""
    with indexes.devpi(wheels) as url:
        update(old, f"{kind}{url}")


@pytest.mark.parametrize("kind", ["index+", ""])
@pytest.mark.usefixtures("wheels")
def test_pypiserver(kind: str, old: Home, share: Path) -> None:
    """A folder of wheels behind pypiserver."""
    with indexes.pypiserver(share) as url:
        update(old, f"{kind}{url}")


@pytest.fixture
def plain(web: Web) -> str:
    """Serve a plain index."""
    web.pages |= mirrors.index_pages([binaries.newest(), binaries.newest_but_one()])
    html = {"Content-Type": "text/html"}
    web.pages["/simple/"] = Page(body=b'<!DOCTYPE html><a href="uv/">uv</a>', headers=html)
    return f"{web.url}/simple/"


@pytest.mark.parametrize("kind", ["index+", ""])
def test_proxpi(kind: str, old: Home, plain: str) -> None:
    """An index that keeps what another has."""
    with indexes.proxpi(plain) as url:
        update(old, f"{kind}{url}")


@pytest.mark.sampled(5)
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["index+", ""])
@pytest.mark.parametrize(
    "start",
    [
        small_indexes.bandersnatch_tree,
        small_indexes.dumb_pypi,
        small_indexes.morgan,
        small_indexes.simple_repository_server,
        small_indexes.simpleindex,
    ],
)
@pytest.mark.usefixtures("wheels")
def test_every_index(start: Start, kind: str, old: Home, share: Path) -> None:
    """A whole update from each of the index servers of `docs/servers.md`."""
    with start(share) as url:
        update(old, f"{kind}{url}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["index+", ""])
def test_pypi_timemachine(kind: str, old: Home, web: Web) -> None:
    """An index as it was on a day, which its root redirects to."""
    dates = dict.fromkeys((binaries.newest(), binaries.newest_but_one()), "2026-09-01T10:53:20Z")
    web.pages |= mirrors.dated_index_pages(dates)
    with small_indexes.pypi_timemachine(f"{web.url}/simple/") as url:
        update(old, f"{kind}{url}")


@pytest.mark.slow
def test_roots_of_indexes(old: Home, wheels: list[Path], plain: str) -> None:
    """Devpi and proxpi are found from their roots."""
    with indexes.devpi(wheels) as index, indexes.proxpi(plain) as other:
        for root in (index.partition("/company/")[0] + "/", other.removesuffix("index/")):
            old.install(binaries.newest_but_one())
            # Not `update`: where a server refuses something, uv is asked for credentials, and
            # makes a lock in the home.
            done = old.run("--source", root)
            assert done.code == 0, done.err
            assert old.version() == old.receipt_version() == binaries.newest()


@pytest.mark.parametrize(
    "form",
    [
        "{path}",
        pytest.param("directory+{path}", marks=pytest.mark.slow),
        pytest.param("{url}/", marks=pytest.mark.slow),
        pytest.param("listing+{url}", marks=pytest.mark.slow),
    ],
)
@pytest.mark.usefixtures("wheels")
def test_wheels(form: str, old: Home, share: Path) -> None:
    """A directory of wheels, or the page of one, needs no index server."""
    with listings.nginx(share) as url:
        update(old, form.format(path=share, url=url))


@pytest.mark.slow
@pytest.mark.usefixtures("wheels")
def test_wheels_configured_by_init(old: Home, share: Path) -> None:
    """`init` proves it by a rehearsal, and later runs use what it has written."""
    done = old.run("init", str(share))
    assert done.code == 0, done.err
    assert 'format = "flat"' in old.config.read_text()

    done = old.run()
    assert done.code == 0, done.err
    assert old.version() == old.receipt_version() == binaries.newest()


@pytest.mark.slow
def test_dates_of_moto(old: Home, share: Path) -> None:
    """A bucket says when a file was put there, and so a release that is too young is hidden."""
    put(share, "folders")

    with objects.moto(share) as url:
        done = old.run("--source", f"s3+{url}/", environ={"UV_SELF_UPDATE_MIN_AGE": "3 days"})

    # What is installed is not examined again: there is nothing newer that is allowed.
    assert done.code == 0
    assert "Skipping uv 99.0.0: published" in done.err
    assert "You're on the latest version" in done.err
    assert "gives no date" not in done.err
    assert old.version() == binaries.newest_but_one()


@pytest.mark.parametrize("kind", ["index+", ""])
def test_plain_index(kind: str, old: Home, plain: str) -> None:
    """A page of links."""
    update(old, f"{kind}{plain}")
