"""A mirror behind real servers, and killed at random instants while clients read it."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from support import binaries, mirrors
from support.homes import PROGRAM
from support.servers import listings, objects
from support.web import Page, Web
from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Home
    from support.web import Asked

pytestmark = pytest.mark.system

PLATFORM = platforms.current()
VERSIONS = ("0.12.2", "0.12.1", "0.11.1")
DOWNLOADS = "github/uv/releases/download"
PLACES = (DOWNLOADS, "astral-sh/uv/releases/download")
API = "api/v3/repos/astral-sh/uv/releases"
KILLS = 50
SHORTEST, LONGEST = 0.4, 1.0  # of the time that a whole run takes: after the imports, to its end


@pytest.fixture
def root(home: Home, tmp_path: Path) -> Path:
    """Return where the mirror is, beside a home with the newest uv but one."""
    home.install(binaries.newest_but_one())
    (tmp_path / "mirror").mkdir()
    return tmp_path / "mirror"


def fill(home: Home, root: Path, url: str) -> None:
    """Fill a mirror with the newest uv."""
    with Web(mirrors.github_pages([binaries.newest()])) as web:
        source = f"github+{web.url}/astral-sh/uv"
        done = home.run("mirror", str(root), "--source", source, "--url", url)
    assert done.code == 0, done.err


def updated(home: Home) -> None:
    """See that uv is the newest, and make it the one before again."""
    assert home.version() == binaries.newest()
    home.install(binaries.newest_but_one())


def test_four_ways_behind_nginx(home: Home, root: Path) -> None:
    """Without a configuration for it, nginx serves a mirror to plain uv, to us and as an index."""
    with listings.nginx(root, listing="off", index=True) as url:
        fill(home, root, f"{url}/")
        for way in ("UV_INSTALLER_GHE_BASE_URL", "UV_ASTRAL_MIRROR_URL"):
            done = home.start(str(home.uv), "self", "update", environ={way: f"{url}/"})
            assert done.code == 0, done.err
            updated(home)
        done = home.run("--source", f"listing+{url}/")
        assert done.code == 0, done.err
        updated(home)
        installed(home, "--default-index", f"{url}/simple/")


def test_listing_of_nginx_itself(home: Home, root: Path) -> None:
    """Where a server lists directories instead of our pages, these are read as well."""
    with listings.nginx(root) as url:
        fill(home, root, f"{url}/")
        done = home.run("--source", f"listing+{url}/")

    assert done.code == 0, done.err
    updated(home)


class BucketHost(Web):
    """A bucket at the root of a host of its own : virtual-hosted-style."""

    bucket = ""

    def page_for(self, asked: Asked) -> Page:
        """Answer as the bucket does."""
        reply = httpx.get(f"{self.bucket}{asked.path}", trust_env=False)
        return Page(status=reply.status_code, body=reply.content)


def test_four_ways_in_a_bucket(home: Home, root: Path) -> None:
    """A bucket, which has no index pages, serves a mirror that was copied into it."""
    with BucketHost() as host:
        fill(home, root, f"{host.url}/")
        with objects.moto(root) as url:
            host.bucket = url
            ways = {"UV_ASTRAL_MIRROR_URL": url, "UV_INSTALLER_GHE_BASE_URL": host.url}
            for way, base in ways.items():
                done = home.start(str(home.uv), "self", "update", environ={way: base})
                assert done.code == 0, done.err
                updated(home)
            done = home.run("--source", f"s3+{url}")
            assert done.code == 0, done.err
            updated(home)
            installed(home, "--find-links", f"{url}/simple/uv/index.html", "--no-index")


def installed(home: Home, *options: str) -> None:
    """Install uv from an index into a directory, and run it."""
    target = home.path / "target"
    done = home.start(
        *(str(home.uv), "pip", "install", "uv", "--target", str(target)),
        *(*options, "--python", sys.executable),
    )
    assert done.code == 0, done.err
    version = subprocess.run([target / "bin/uv", "--version"], capture_output=True, check=True)
    assert version.stdout.split()[1].decode() == binaries.newest()


class Reader(threading.Thread):
    """Reads a mirror as clients do, over and over, and keeps what was wrong."""

    def __init__(self, url: str, truth: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.wrong: list[str] = []
        self.read = 0
        self.over = threading.Event()
        self._url = url
        self._truth = truth
        """Version -> the sha256 of its archive."""

    def run(self) -> None:
        """Read until the end."""
        with httpx.Client(base_url=self._url, trust_env=False) as client:
            while not self.over.is_set():
                self._round(client)

    def _round(self, client: httpx.Client) -> None:
        for version, sha256 in self._truth.items():
            for place in PLACES:
                name = f"{place}/{version}/{PLATFORM.archive}"
                reply = client.get(name)
                if reply.status_code == httpx.codes.NOT_FOUND:
                    continue
                self.read += 1
                if hashlib.sha256(reply.content).hexdigest() != sha256:
                    self.wrong.append(f"{name} is not whole")
                # The digest came before the archive.
                sums = client.get(f"{place}/{version}/sha256.sum")
                if f"{sha256} *{PLATFORM.archive}" not in sums.text and sums.is_success:
                    self.wrong.append(f"the sums beside {name} are others")
        lines = client.get("github/versions/main/v1/uv.ndjson")
        if lines.is_success:
            for line in lines.text.splitlines():
                self._listed(client, json.loads(line))
        latest = client.get(f"{API}/latest")
        if latest.is_success:
            json.loads(latest.text)

    def _listed(self, client: httpx.Client, line: dict[str, str]) -> None:
        """What a list names is there, unless a later list does not name it any more."""
        path = f"{DOWNLOADS}/{line['version']}/{PLATFORM.archive}"
        if client.head(path).is_success:
            return
        again = client.get("github/versions/main/v1/uv.ndjson")
        if f'"{line["version"]}"' in again.text and not client.head(path).is_success:
            self.wrong.append(f"{path} is listed and missing")


@pytest.fixture
def source() -> Iterator[Web]:
    """Serve three releases."""
    with Web(mirrors.github_pages(VERSIONS)) as web:
        yield web


def kill_and_finish(home: Home, root: Path, source: Web, kills: int) -> None:
    """Kill runs at random instants beside a reader; after each, the mirror can be completed."""
    random_ = random.Random(17)  # noqa: S311 # the same instants every time
    truth = {version: mirrors.sha256(binaries.archive(version, real=False)) for version in VERSIONS}
    killed = 0
    with listings.nginx(root, listing="off", index=True) as url:
        reader = Reader(f"{url}/", truth)
        reader.start()
        whole = 0.0
        for number in range(kills + 1):
            # In turns all releases, and one: releases come and go.
            limit, keep = (3, 3) if number % 2 == 0 else (1, 1)
            arguments = ("--limit", str(limit), "--keep", str(keep), "--url", f"{url}/")
            command = (*PROGRAM, "mirror", str(root), *arguments)
            process = subprocess.Popen(
                [*command, "--source", f"github+{source.url}/astral-sh/uv"],
                env=home.full_environ(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            begin = time.monotonic()
            try:
                # The first one is not killed, and tells how long a run takes here and now.
                process.wait(whole * random_.uniform(SHORTEST, LONGEST) if number else None)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
            else:
                elapsed = time.monotonic() - begin
                whole = min(whole or elapsed, elapsed)
            assert reader.wrong == [], number
        done = home.run(
            *("mirror", str(root), "--limit", "3", "--url", f"{url}/"),
            *("--source", f"github+{source.url}/astral-sh/uv"),
        )
        deadline, read = time.monotonic() + 10, reader.read
        while reader.read < read + len(VERSIONS) and time.monotonic() < deadline:
            time.sleep(0.01)
        reader.over.set()
        reader.join()

    assert done.code == 0, done.err
    assert reader.wrong == []
    assert reader.read > read
    assert killed > 0
    checked = home.run("mirror", str(root), "--check")
    assert checked.code == 0, checked.out
    assert [*(root / ".mirror" / "parts").iterdir()] == []


def test_killed_runs_leave_whole_files(home: Home, root: Path, source: Web) -> None:
    """Some kills, as a sample of the series below."""
    kill_and_finish(home, root, source, 6)


@pytest.mark.slow
def test_fifty_killed_runs_leave_whole_files(home: Home, root: Path, source: Web) -> None:
    """No reader sees a part of a file or a list that is ahead, and the next run finishes."""
    kill_and_finish(home, root, source, KILLS)
