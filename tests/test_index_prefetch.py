"""The wheel that is downloaded before uv asks for it: its cost, and what it must not weaken."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page
from test_sources_index import pages
from uv_self_update.background import Background
from uv_self_update.sources.index import watched
from uv_self_update.sources.index.own_cache import OwnCache
from uv_self_update.sources.index.prefetch import Prefetch
from uv_self_update.sources.index.uv_pip import UvPip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.homes import Home
    from support.web import Asked, Web

START = binaries.newest()
END = f"{START}0"  # one that is newer, and was never released
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
    assert home.uv.stat().st_nlink == 1  # the cache that it was a link to is gone


def test_runs_with_nothing_to_do(home: Home, web: Web, runs: Counter[str]) -> None:
    """Where nothing is newer, the page is requested once, and uv runs once beside the child."""
    home.install(START)
    web.pages |= mirrors.index_pages([START])
    before = home.rest()
    done = home.run(*source(web))
    assert (done.code, "latest version" in done.err) == (0, True), done.err
    assert runs == {"self update": 1, "pip install": 1}
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


def claim(home: Home, version: str) -> None:
    """Let the receipt name another version than uv's."""
    document = json.loads(home.receipt.read_text())
    home.receipt.write_text(json.dumps({**document, "version": version}))


@pytest.mark.parametrize("claimed", [END, "99.0.0", "0.5.0"])
def test_receipt_with_another_version(home: Home, web: Web, claimed: str) -> None:
    """The version in the receipt decides what is downloaded ahead, and nothing else."""
    home.install(START)
    claim(home, claimed)
    web.pages |= mirrors.index_pages([END, START])
    done = home.run(*source(web))
    assert (done.code, home.version(), home.receipt_version()) == (0, END, END), done.err


def test_receipt_with_a_later_version_that_is_hidden(home: Home, web: Web) -> None:
    """What a wrong receipt makes uv ask for is searched as if nothing had been assumed.

    Without a wrong receipt, it is the installed version, which nothing is done about.
    """
    home.install(START)
    claim(home, END)
    now = datetime.now(UTC)
    dates = {END: now.isoformat(), START: (now - timedelta(days=9)).isoformat()}
    web.pages |= mirrors.dated_index_pages(dates, yanked=[END])
    done = home.run(*source(web))
    assert f"uv {END} from the index {web.url}/simple/ is hidden by the policy: yanked" in done.err
    assert (done.code != 0, home.version()) == (True, START)
    assert wheel(END) not in web.paths()


def test_receipt_with_an_older_version(home: Home, web: Web) -> None:
    """A download that turns out to be needless is stopped, and leaves nothing behind."""
    home.install(START)
    claim(home, "0.5.0")
    web.pages |= mirrors.index_pages([START])
    begun, over = threading.Event(), threading.Event()
    page = web.pages[wheel(START)]

    def wait(_: Asked) -> Page:
        begun.set()
        over.wait(30)
        assert isinstance(page, Page)
        return page

    web.pages[wheel(START)] = wait
    before = home.rest()
    try:
        done = home.run(*source(web))
        assert begun.is_set()
    finally:
        over.set()
    assert (done.code, "latest version" in done.err) == (0, True), done.err
    assert home.rest() == before


@pytest.fixture
def held(web: Web) -> Iterator[threading.Event]:
    """Hold the wheel back; return the event that it is requested."""
    web.pages |= mirrors.index_pages([END, START])
    page = web.pages[wheel(END)]
    begun, over = threading.Event(), threading.Event()

    def wait(_: Asked) -> Page:
        begun.set()
        over.wait(30)
        assert isinstance(page, Page)
        return page

    web.pages[wheel(END)] = wait
    yield begun
    over.set()


def update(home: Home, web: Web) -> subprocess.Popen[bytes]:
    """Start an update in a process of its own."""
    command = [sys.executable, "-m", "uv_self_update", *source(web)]
    return subprocess.Popen(command, env=home.full_environ(), stderr=subprocess.DEVNULL)


def test_killed_during_the_download(home: Home, web: Web, held: threading.Event) -> None:
    """The update after a killed one removes what was downloaded ahead, and its uv disturbs none."""
    home.install(START)
    before = home.rest()
    with update(home, web) as process:
        assert held.wait(30)
        process.kill()
    left = [path.name for path in (home.bin / ".uv-self-update").iterdir()]
    assert f"index-{process.pid}" in left
    web.pages |= mirrors.index_pages([END, START])
    done = home.run(*source(web))
    assert (done.code, home.version(), home.receipt_version()) == (0, END, END), done.err
    assert home.rest() == before


def test_ended_during_the_download(home: Home, web: Web, held: threading.Event) -> None:
    """A signal ends the uv that downloads ahead as well, and nothing is left."""
    home.install(START)
    before = home.snapshot()
    with update(home, web) as process:
        assert held.wait(30)
        process.terminate()
    running = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # others end meanwhile
            running.append(path.read_bytes())
    assert [words for words in running if bytes(home.uv) in words] == []
    assert (process.returncode, home.snapshot()) == (-15, before)


HIDING = {
    "versions": f'[policy]\nversions = "<{END}"\n',
    "min-age": '[policy]\nmin-age = "3 days"\n',
    "approved": f'[policy]\napproved = ["{START}"]\n',
    "prerelease": "[policy]\nprerelease = true\nversions = '<0.1'\n",
    "yanked": "",
}


@pytest.mark.parametrize("rule", HIDING)
@pytest.mark.parametrize("target", [(), (END,)])
def test_policy_comes_before_the_download(
    home: Home, web: Web, rule: str, target: tuple[str, ...]
) -> None:
    """No wheel is requested that the policy hides, neither by name nor as the newest."""
    home.install(START)
    home.configure(HIDING[rule])
    now = datetime.now(UTC)
    dates = {END: now.isoformat(), START: (now - timedelta(days=9)).isoformat()}
    web.pages |= mirrors.dated_index_pages(dates, yanked=[END] if rule == "yanked" else [])
    done = home.run(*target, *source(web))
    # Without a version that is allowed, it is an error; else uv is up to date.
    assert (done.code != 0) == bool(target or rule == "prerelease"), done.err
    assert home.version() == START
    assert [path for path in web.paths() if path.endswith(".whl")] == []


def test_policy_that_allows(home: Home, web: Web, runs: Counter[str]) -> None:
    """A range and an age are part of the requirement: the allowed wheel is downloaded ahead."""
    home.install(START)
    home.configure(f'[policy]\nversions = "<={END}"\nmin-age = "3 days"\n')
    ago = datetime.now(UTC) - timedelta(days=9)
    web.pages |= mirrors.dated_index_pages(dict.fromkeys([END, START], ago.isoformat()))
    done = home.run(*source(web))
    assert (done.code, home.version()) == (0, END), done.err
    assert web.paths().count(wheel(END)) == runs["pip install"] == 1


@pytest.mark.parametrize("target", [END, END.rpartition(".")[0], f">={END}"])
def test_named_version(home: Home, web: Web, runs: Counter[str], target: str) -> None:
    """A named version is downloaded once, be it named exactly or not."""
    home.install(START)
    web.pages |= mirrors.index_pages([END, START])
    done = home.run(target, *source(web))
    assert (done.code, home.version()) == (0, END), done.err
    assert web.paths().count(wheel(END)) == runs["pip install"] == 1


def test_dry_run_downloads_nothing(home: Home, web: Web, runs: Counter[str]) -> None:
    """What changes nothing fetches no wheel."""
    home.install(START)
    web.pages |= mirrors.index_pages([END, START])
    assert home.run("--dry-run", *source(web)).code == 0
    assert (web.paths(), runs["pip install"]) == ([PAGE], 0)


@pytest.mark.parametrize("rule", ["required", "pinned"])
def test_digest_rules_come_before_the_download(home: Home, web: Web, rule: str) -> None:
    """A wheel without the digest that the policy requires is not even requested."""
    home.install(START)
    pin = f'[policy.digests."{END}"]\n"uv-x86_64-unknown-linux-gnu.tar.gz" = "{"0" * 64}"\n'
    home.configure(pin if rule == "pinned" else "[policy]\nrequire-digest = true\n")
    web.pages |= mirrors.index_pages([END, START])
    page = web.pages[PAGE]
    assert isinstance(page, Page)
    assert isinstance(page.body, bytes)
    web.pages[PAGE] = Page(body=re.sub(rb"#sha256=\w+", b"", page.body), headers=page.headers)
    done = home.run(*source(web))
    assert (done.code != 0, home.version()) == (True, START)
    assert web.paths().count(wheel(END)) == 0


@pytest.mark.parametrize("start", ["0.5.0", "0.8.24", "0.11.13"])
def test_uv_that_does_not_verify(home: Home, web: Web, runs: Counter[str], start: str) -> None:
    """A uv that compares no digest unless told is stopped before it requests anything.

    It reads the page instead, once.
    """
    home.install(binaries.version(start))
    web.pages |= mirrors.index_pages([END])
    page = web.pages[PAGE]
    assert isinstance(page, Page)
    web.pages[PAGE] = replace(page, headers={**page.headers, "Cache-Control": "max-age=600"})
    done = home.run(*source(web))
    assert (done.code, home.version()) == (0, END), done.err
    assert web.paths() == [PAGE, wheel(END)]
    assert (runs["pip install"], runs["pip compile"]) == (2, 3)


@pytest.mark.parametrize(
    ("line", "goes_on"),
    [
        ("DEBUG uv 0.12.15 (x86_64-unknown-linux-gnu)", False),
        ("DEBUG uv 0.12.16 (x86_64-unknown-linux-gnu)", True),
        ("DEBUG uv 1.0.0-rc.1", True),
        ("DEBUG uv 0.5.0", False),
        ("DEBUG another message", False),
        ("Resolved 1 package in 11ms", False),
        ("warning: a message that may come first", True),
    ],
)
def test_first_line_of_the_log(line: str, *, goes_on: bool, home: Home, tmp_path: Path) -> None:
    """Only a uv goes on that says that it is one which compares all digests by itself."""
    script, done = tmp_path / "uv", tmp_path / "done"
    rest = f"echo x > {done}; echo 'DEBUG other' >&2" if goes_on else "exec sleep 60"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *verify-hashes*) ;; *) exit ;; esac\necho "{line}" >&2\n{rest}\n'
    )
    script.chmod(0o755)
    uv = UvPip(script, home.full_environ())
    prefetch = Prefetch(uv, uv.create_cache(tmp_path), "uv>0.1.0", [])
    ended = Background(lambda: prefetch.installed("0.2.0"))
    assert ended.wait(30), "it was not stopped"
    assert not ended.result()
    assert done.exists() is goes_on


@pytest.mark.parametrize(
    ("line", "expected"),
    [("DEBUG uv 0.12.16 (x86_64-unknown-linux-gnu)", True), ("warning: a message", False)],
)
def test_verified_by_a_known_uv(line: str, *, expected: bool, home: Home, tmp_path: Path) -> None:
    """What was downloaded ahead is used only if uv has logged a version that verifies it."""
    script = tmp_path / "uv"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "{line}" " + uv==0.2.0" >&2\n')
    script.chmod(0o755)
    uv = UvPip(script, home.full_environ())
    prefetch = Prefetch(uv, uv.create_cache(tmp_path), "uv>0.1.0", [])
    assert prefetch.installed("0.2.0") is expected


def test_page_that_may_not_be_stored(home: Home, web: Web) -> None:
    """An index that forbids to store its page is asked again; the wheel is requested once."""
    home.install(START)
    web.pages |= mirrors.index_pages([END, START])
    page = web.pages[PAGE]
    assert isinstance(page, Page)
    headers = {**page.headers, "Cache-Control": "no-store"}
    web.pages[PAGE] = Page(body=page.body, headers=headers)
    done = home.run(*source(web))
    assert (done.code, home.version()) == (0, END), done.err
    assert (web.paths().count(PAGE), web.paths().count(wheel(END))) == (2, 1)


def test_wheel_that_is_missing(home: Home, web: Web) -> None:
    """A download that fails is repeated as before, and its error is that of the repetition."""
    home.install(START)
    web.pages |= mirrors.index_pages([END, START])
    del web.pages[wheel(END)]
    done = home.run(*source(web))
    assert (done.code != 0, home.version(), home.receipt_version()) == (True, START, START)
    assert f"`uv pip install` failed for the index {web.url}/simple/:" in done.err
    assert "404" in done.err


def test_bomb(home: Home, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of what is unpacked is limited ahead as well."""
    monkeypatch.setattr(watched, "LARGEST_UNPACKED", 1 << 20)
    home.install(START)
    web.pages |= mirrors.index_pages([END, START])
    before = home.snapshot()
    done = home.run(*source(web))
    assert (done.code != 0, home.snapshot()) == (True, before)
    assert "it contains more than" in done.err


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_index_that_refuses(home: Home, web: Web, status: int) -> None:
    """An index that refuses is asked by one run of uv, and by another for the reason."""
    home.install(START)
    home.environ["UV_HTTP_RETRIES"] = "0"
    web.pages[PAGE] = Page(status=status)
    done = home.run(*source(web))
    said = "500" if status == 500 else f"{web.url}{PAGE} "
    assert (done.code != 0, said in done.err) == (True, True), done.err
    assert len(web.paths()) <= 2


def test_keyring_is_asked_once(home: Home, web: Web, tmp_path: Path) -> None:
    """A keyring that asks its user for a password is run once for an update."""
    home.install(START)
    listing = mirrors.index_pages([END, START])

    def behind(page: Page) -> Callable[[Asked], Page]:
        headers = {"WWW-Authenticate": 'Basic realm="x"'}
        refused = Page(status=401, headers=headers)
        return lambda asked: page if asked.headers.get("Authorization") else refused

    web.pages |= {path: behind(page) for path, page in listing.items() if isinstance(page, Page)}
    log, keyring = tmp_path / "log", home.bin / "keyring"
    keyring.write_text(f'#!/bin/sh\necho "$*" >> {log}\necho s3cret\n')
    keyring.chmod(0o755)
    home.environ["UV_KEYRING_PROVIDER"] = "subprocess"
    url = web.url.replace("//", "//me@") + "/simple/"
    done = home.run(environ={"UV_DEFAULT_INDEX": url})
    assert (done.code, home.version()) == (0, END), done.err
    assert len(log.read_text().splitlines()) == 1


def test_users_cache(home: Home, web: Web, tmp_path: Path) -> None:
    """The user's cache keeps what uv knows about this Python, and no wheel."""
    cache = tmp_path / "cache"
    home.environ["UV_CACHE_DIR"] = str(cache)
    cache.mkdir()
    home.install(START)
    web.pages |= mirrors.index_pages([END, START])
    assert home.run(*source(web)).code == 0
    (kept,) = [path for path in cache.rglob("*") if path.is_file()]
    assert kept.relative_to(cache).parts[0].startswith("interpreter-v")


@pytest.mark.parametrize(("asked", "expected"), [("0.3.0", True), ("0.2.0", False)])
def test_another_version_than_found(
    asked: str, *, expected: bool, home: Home, tmp_path: Path
) -> None:
    """What was downloaded ahead counts only for the version that the index was found to have."""
    script = tmp_path / "uv"
    said = "DEBUG uv 0.13.9 (x)\\nResolved 1 package in 1ms\\n + uv==0.3.0+site"
    script.write_text(f"#!/bin/sh\nprintf '{said}\\n' >&2\n")
    script.chmod(0o755)
    uv = UvPip(script, home.full_environ())
    prefetch = Prefetch(uv, uv.create_cache(tmp_path), "uv>0.1.0", [])
    assert prefetch.installed(asked) is expected


def test_what_is_copied_from_the_users_cache(tmp_path: Path) -> None:
    """Of the user's cache, what is known about this Python is copied, and nothing else."""
    users, own = tmp_path / "users", tmp_path / "own"
    own.mkdir()
    for name, text in {
        "interpreter-v5/a/1.msgpack": f"x{sys.executable}x",
        "interpreter-v3/2.msgpack": f"x{sys.executable}x",
        "interpreter-v5/a/3.msgpack": "/another/python",
        "simple-v28/index/uv.rkyv": sys.executable,
        "archive-v0/4/uv": sys.executable,
    }.items():
        (users / name).parent.mkdir(parents=True, exist_ok=True)
        (users / name).write_text(text)
    cache = OwnCache(own, users)
    cache.create()
    found = [path.relative_to(cache.path) for path in cache.path.rglob("*") if path.is_file()]
    expected = ["interpreter-v3/2.msgpack", "interpreter-v5/a/1.msgpack"]
    assert sorted(map(str, found)) == expected
