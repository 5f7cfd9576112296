"""The wheel that is downloaded before uv asks for it: its cost, and what it must not weaken."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page
from test_sources_index import pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.homes import Home
    from support.web import Web

START, END = binaries.newest_but_one(), binaries.newest()
OLD = "0.11.13"
PAGE = "/simple/uv/"


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often each command of uv was started: `pip install`, `self update`."""
    started: Counter[str] = Counter()
    start = subprocess.Popen.__init__

    def count(self: object, command: Sequence[object], *more: object, **options: object) -> None:
        words = [str(word) for word in command]
        if words[0].rpartition("/")[2] == "uv":
            started[" ".join(words[1:3])] += 1
        start(self, command, *more, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess.Popen, "__init__", count)
    return started


def source(web: Web) -> tuple[str, str]:
    """Return the options for the index on the server."""
    return "--source", f"index+{web.url}/simple/"


def wheel(version: str) -> str:
    """Return the path of a version's wheel on the server."""
    return f"/wheels/{binaries.wheel(version, real=False).name}"


def test_runs_of_an_update(home: Home, web: Web, runs: Counter[str]) -> None:
    """An update runs uv twice beside the child and the trials, and requests a page and a wheel."""
    home.install(START)
    web.pages |= mirrors.index_pages([END, START])
    done = home.run(*source(web))
    assert done.code == 0, done.err
    del runs["--version"]
    assert runs == {"self update": 1, "pip install": 1, "pip compile": 1}
    assert web.paths() == [PAGE, wheel(END)]
    assert (home.version(), home.receipt_version()) == (END, END)


def test_runs_with_nothing_to_do(home: Home, web: Web, runs: Counter[str]) -> None:
    """Where nothing is newer, the page is requested once, and uv runs at most twice."""
    home.install(START)
    web.pages |= mirrors.index_pages([START])
    before = home.rest()
    done = home.run(*source(web))
    assert (done.code, "latest version" in done.err) == (0, True), done.err
    assert runs == {"self update": 1, "pip install": 1, "pip compile": 1}
    assert web.paths() == [PAGE]
    assert home.rest() == before


def test_runs_of_check(home: Home, web: Web, runs: Counter[str]) -> None:
    """`--check` downloads nothing."""
    home.install(START)
    web.pages |= mirrors.index_pages([END, START])
    assert home.run("--check", *source(web)).code == 11
    assert runs == {"--version": 1, "pip compile": 1}
    assert web.paths() == [PAGE]


@pytest.mark.parametrize(("version", "count"), [("newest", 2), ("0.8.24", 2), ("0.5.31", 22)])
def test_runs_of_releases(
    version: str, count: int, home: Home, web: Web, runs: Counter[str]
) -> None:
    """Twenty versions are listed by two runs of uv, if that can be made to list its candidates."""
    home.install(binaries.version(version))
    versions = [f"0.{minor}.{patch}" for minor in (9, 10) for patch in range(15)]
    web.pages |= pages([*versions, "1.0.0rc1"], yanked=["0.10.13"])
    done = home.run("releases", "--limit", "21", *source(web))
    assert done.code == 0, done.err
    shown = [line.split()[0] for line in done.out.splitlines() if line.startswith("0.")]
    assert shown == [one for one in reversed(versions) if one != "0.10.13"][-29:][:21]
    assert runs["pip compile"] == count
    assert set(web.paths()) == {PAGE}


def test_runs_of_releases_with_min_age(home: Home, web: Web, runs: Counter[str]) -> None:
    """The age of every version costs two further runs; a wheel for another system is left out."""
    home.install(START)
    now = datetime.now(UTC)
    ages = {"0.5.0": 9, "0.5.31": 9, "0.8.24": None, "0.11.13": 1}
    dates = {
        version: None if age is None else (now - timedelta(days=age)).isoformat()
        for version, age in ages.items()
    }
    web.pages |= mirrors.dated_index_pages(dates)
    page = web.pages[PAGE]
    assert isinstance(page, Page)
    body = page.body if isinstance(page.body, bytes) else page.body.read_bytes()
    document = json.loads(body)
    other = {**document["files"][0], "filename": "uv-0.9.0-py3-none-win32.whl"}
    document["files"].append(other)
    web.pages[PAGE] = Page(body=json.dumps(document).encode(), headers=page.headers)
    home.configure('[policy]\nmin-age = "3 days"\n')
    done = home.run("releases", "--json", *source(web))
    assert done.code == 0, done.err
    rows = {row["version"]: row["allowed"] for row in json.loads(done.out)}
    assert rows == {"0.11.13": False, "0.8.24": False, "0.5.31": True, "0.5.0": True}
    assert runs["pip compile"] == 4
