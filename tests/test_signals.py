"""Whoever asks an update to end, it ends: uv, the gateway, and all that was begun."""

from __future__ import annotations

import ctypes
import json
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.detection_shelves import shelf
from support.processes import SOON, Running, Stuck, Trickle, ended, refuses, until
from support.web import Page
from uv_self_update.auth.credentials import Credentials
from uv_self_update.background import Background
from uv_self_update.config.settings import Network
from uv_self_update.errors import Interrupted
from uv_self_update.network.client import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.homes import Home
    from support.web import Web

pytestmark = pytest.mark.system

PROMPTLY = 8.0
"""Seconds for a command to end; a staging that cannot be stopped is waited for longer."""

START, END = "0.8.24", "0.11.13"
HALF = 8 << 20  # bytes of an archive


def ctrl_c(running: Running) -> None:
    """Type Ctrl-C, which the terminal sends to everybody in the foreground."""
    running.type(b"\x03")


def terminate(running: Running) -> None:
    """Do as `kill` and supervisors do: they name this process only."""
    running.process.terminate()


def interrupt(running: Running) -> None:
    """Do as `kill -INT` does."""
    running.process.send_signal(signal.SIGINT)


def hang_up(running: Running) -> None:
    """Do as `kill -HUP` does."""
    running.process.send_signal(signal.SIGHUP)


def terminate_another_thread(running: Running) -> None:
    """Do as the system may: it hands a signal to any thread of a process that takes it."""
    threads = [int(path.name) for path in Path(f"/proc/{running.process.pid}/task").iterdir()]
    ctypes.CDLL(None).tgkill(running.process.pid, max(threads), signal.SIGTERM)


def close_terminal(running: Running) -> None:
    """Close the window that it runs in."""
    running.close_terminal()


WAYS = pytest.mark.parametrize(
    ("way", "number"),
    [
        (ctrl_c, signal.SIGINT),
        (interrupt, signal.SIGINT),
        (terminate, signal.SIGTERM),
        (terminate_another_thread, signal.SIGTERM),
        (hang_up, signal.SIGHUP),
        (close_terminal, signal.SIGHUP),
    ],
    ids=["Ctrl-C", "SIGINT", "SIGTERM", "SIGTERM to a thread", "SIGHUP", "closed terminal"],
)


@pytest.fixture
def stuck() -> Iterator[Callable[[Page], Stuck]]:
    """Make pages that do not come."""
    made: list[Stuck] = []

    def make(page: Page) -> Stuck:
        made.append(Stuck(page))
        return made[-1]

    yield make
    for page in made:
        page.release()


@pytest.fixture
def trickle(tmp_path: Path) -> Iterator[Callable[[Path], Trickle]]:
    """Make pages that break off half-way."""
    made: list[Trickle] = []

    def make(file: Path) -> Trickle:
        content = file.read_bytes()
        page = Trickle(tmp_path / f"pipe-{len(made)}", content[:HALF], len(content))
        made.append(page)
        return page

    yield make
    for page in made:
        page.release()


def prepare(home: Home, web: Web) -> None:
    """Install a uv, and offer it a newer one by `urls`."""
    home.install(START)
    web.pages |= mirrors.urls_pages([END], real=True)
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )


def prepare_index(home: Home, web: Web) -> None:
    """The same by an index."""
    home.install(START)
    web.pages |= mirrors.index_pages([END], real=True)
    home.configure(f'[[source]]\nkind = "index"\nurl = "{web.url}/simple/"\n')


def staged(home: Home) -> list[str]:
    """Return the names of the folders that a native installer has begun to fill."""
    return [path.name for path in home.bin.glob(".uv-self-update/new")]


def staged_bytes(home: Home) -> int:
    """Return how much of the executables a native installer has unpacked."""
    return sum(path.stat().st_size for path in home.bin.glob(".uv-self-update/new/**/uv*"))


def end(running: Running, way: Callable[[Running], None]) -> tuple[int, list[str], bool]:
    """End a command; return its code, which of its processes stayed, and if the gateway is gone."""
    others, gateway = running.others(), running.gateway()
    way(running)
    code = running.wait(PROMPTLY)
    left = [name for number, name in others.items() if not ended(number)]
    return code, left, gateway is None or refuses(gateway)


@WAYS
def test_while_uv_waits_for_the_latest_release(
    way: Callable[[Running], None],
    number: int,
    home: Home,
    web: Web,
    stuck: Callable[[Page], Stuck],
) -> None:
    """A source that does not answer keeps nobody."""
    prepare(home, web)
    page = web.pages["/latest.json"] = stuck(Page(status=404))
    before = home.snapshot()

    with Running(home) as running:
        page.wait()
        until(lambda: "uv" in running.others().values())
        assert running.gateway() is not None
        outcome = end(running, way)

    assert outcome == (-number, [], True)
    assert home.snapshot() == before


@WAYS
@pytest.mark.parametrize("installer", ["native", "release"])
def test_while_the_archive_is_on_its_way(
    installer: str,
    way: Callable[[Running], None],
    number: int,
    home: Home,
    web: Web,
    trickle: Callable[[Path], Trickle],
) -> None:
    """A download that has got half-way is given up, and what was staged is removed."""
    prepare(home, web)
    archive = binaries.archive(END)
    page = web.pages[f"/files/{END}/{archive.name}"] = trickle(archive)
    before = home.snapshot()

    with Running(home, "--installer", installer) as running:
        page.wait()
        if installer == "native":
            until(lambda: staged_bytes(home) > HALF / 2)
        else:
            # The archive is fetched ahead, while the script starts that requests it.
            until(lambda: not {"curl", "wget"}.isdisjoint(running.others().values()))
        assert "uv" in running.others().values()
        assert staged(home) == (["new"] if installer == "native" else [])
        outcome = end(running, way)

    assert outcome == (-number, [], True)
    assert home.snapshot() == before


KEPT = " interrupted: uv was not changed\n"
REPLACED = f" interrupted: uv {END} is already installed\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), True), (("--installer", "release"), False), (("-q",), False)],
    ids=["ours", "release", "quiet"],
)
def test_interrupted_update_says_that_uv_is_the_old_one(
    home: Home,
    web: Web,
    stuck: Callable[[Page], Stuck],
    arguments: tuple[str, ...],
    *,
    said: bool,
) -> None:
    """Whoever ends an update is told what uv is now, where it is our own installer's to say."""
    prepare(home, web)
    page = web.pages["/latest.json"] = stuck(Page(status=404))

    with Running(home, *arguments) as running:
        page.wait()
        until(lambda: "uv" in running.others().values())
        interrupt(running)
        code = running.wait(PROMPTLY)
        shown = running.shown()

    assert code == -signal.SIGINT
    assert (KEPT in shown) == said
    assert shown.count("interrupted") == said


REMOVED = " interrupted: the temporary copy of uv was removed, and your own uv was not changed"


@pytest.mark.parametrize(
    ("at", "way", "number"),
    [("latest", terminate, signal.SIGTERM), ("archive", ctrl_c, signal.SIGINT)],
    ids=["latest", "archive"],
)
def test_interrupted_rehearsal_says_what_was_left(
    at: str,
    way: Callable[[Running], None],
    number: int,
    home: Home,
    web: Web,
    stuck: Callable[[Page], Stuck],
) -> None:
    """Whoever ends a rehearsal, before uv runs or later, is told that nothing was changed."""
    prepare(home, web)
    path = "/latest.json" if at == "latest" else f"/files/{END}/{binaries.archive(END).name}"
    page = web.pages[path] = stuck(Page(status=404))
    before = home.snapshot()

    with Running(home, "rehearse") as running:
        page.wait()
        outcome = end(running, way)
        shown = running.shown()

    assert outcome == (-number, [], True)
    assert shown.endswith(f"{REMOVED}\n")
    assert home.snapshot() == before
    assert list((home.path.parent / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("written", "way", "number"),
    [
        (False, ctrl_c, signal.SIGINT),
        (True, ctrl_c, signal.SIGINT),
        (True, terminate, signal.SIGTERM),
    ],
    ids=["before", "after, Ctrl-C", "after, SIGTERM"],
)
def test_interrupted_init_says_what_was_left(
    way: Callable[[Running], None],
    number: int,
    home: Home,
    web: Web,
    stuck: Callable[[Page], Stuck],
    *,
    written: bool,
) -> None:
    """Whoever ends `init` is told whether the configuration was written."""
    home.install(START)
    web.pages |= shelf([END])
    page, listed = stuck(Page(status=404)), web.pages["/uv/"]
    assert isinstance(listed, Page)
    web.pages["/uv/"] = lambda asked: page(asked) if home.config.exists() is written else listed

    with Running(home, "init", f"{web.url}/uv/") as running:
        page.wait()
        outcome = end(running, way)
        shown = running.shown()

    said = f"{REMOVED}; {home.config} was written\n"
    assert outcome == (-number, [], True)
    assert shown.endswith(said if written else f" interrupted: {home.config} was not changed\n")
    assert home.config.exists() is written
    assert list((home.path.parent / "temporary").iterdir()) == []


LINGERING_UV = """#!{python}
import json, os, signal, subprocess, sys, urllib.request

asked = [signal.SIGINT]
signal.pthread_sigmask(signal.SIG_BLOCK, asked)
base = os.environ["UV_INSTALLER_GHE_BASE_URL"]
with urllib.request.urlopen(base + "/api/v3/repos/astral-sh/uv/releases/latest") as reply:
    urls = [asset["browser_download_url"] for asset in json.load(reply)["assets"]]
[url] = [url for url in urls if url.endswith("uv-installer.sh")]
with urllib.request.urlopen(url) as reply:
    script = reply.read()
subprocess.run(["/bin/sh"], input=script, check=True)
signal.sigwait(asked)
sys.exit(2)
"""
"""A uv that has itself replaced, and then does not end."""


def test_interrupted_update_says_that_uv_is_the_new_one(home: Home, web: Web) -> None:
    """Whoever ends an update when the new uv is in its place is told so."""
    prepare(home, web)
    home.uv.write_text(LINGERING_UV.format(python=sys.executable))

    with Running(home) as running:
        assert running.read_line() == f"uv {END} is installed"
        interrupt(running)
        code = running.wait(PROMPTLY)
        shown = running.shown()

    assert code == -signal.SIGINT
    assert REPLACED in shown
    assert home.version() == END


def test_client_that_is_closed_waits_no_longer(
    web: Web, trickle: Callable[[Path], Trickle], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that waits for more of a download is woken, rather than left to its time limit."""
    archive = binaries.archive(END)
    web.pages["/archive"] = trickle(archive)
    received = 0
    waiting = threading.Event()
    receive = socket.socket.recv

    def recv(connection: socket.socket, size: int) -> bytes:
        if received == HALF:
            waiting.set()
        return receive(connection, size)

    def fetch() -> None:
        nonlocal received
        with upstream.open(f"{web.url}/archive") as download:
            for chunk in download.chunks:
                received += len(chunk)

    monkeypatch.setattr(socket.socket, "recv", recv, raising=False)
    upstream = Upstream(Network(timeout=3600), Credentials(), environ={})
    download = Background(fetch)
    assert waiting.wait(SOON)

    upstream.close()

    assert download.wait(SOON)
    with pytest.raises(Interrupted, match=r"archive was interrupted after 8,388,608 of "):
        download.result()


@WAYS
def test_while_a_wheel_is_on_its_way(
    way: Callable[[Running], None],
    number: int,
    home: Home,
    web: Web,
    trickle: Callable[[Path], Trickle],
) -> None:
    """The uv that fetches from the index ends too."""
    prepare_index(home, web)
    wheel = binaries.wheel(END)
    page = web.pages[f"/wheels/{wheel.name}"] = trickle(wheel)
    before = home.snapshot()

    with Running(home) as running:
        page.wait()
        until(lambda: list(running.others().values()).count("uv") == 2)
        assert staged(home) == ["new"]
        outcome = end(running, way)

    assert outcome == (-number, [], True)
    assert home.snapshot() == before


@WAYS
@pytest.mark.parametrize("source", ["urls", "index"])
def test_while_the_target_is_resolved(
    source: str,
    way: Callable[[Running], None],
    number: int,
    home: Home,
    web: Web,
    stuck: Callable[[Page], Stuck],
) -> None:
    """Before uv is started there is only ourselves to end, and the uv that asks the index."""
    (prepare if source == "urls" else prepare_index)(home, web)
    path = "/latest.json" if source == "urls" else "/simple/uv/"
    page = web.pages[path] = stuck(Page(status=404))
    before = home.snapshot()

    with Running(home, "<1") as running:
        page.wait()
        assert [*running.others().values()] == ([] if source == "urls" else ["uv"])
        outcome = end(running, way)

    assert outcome == (-number, [], True)
    assert home.snapshot() == before


@pytest.mark.parametrize("way", [hang_up, close_terminal])
def test_nohup_goes_on(
    way: Callable[[Running], None], home: Home, web: Web, stuck: Callable[[Page], Stuck]
) -> None:
    """Whoever has SIGHUP ignored wants the update to outlive the terminal."""
    prepare(home, web)
    document = json.dumps(mirrors.github_json(END, real=True)).encode()
    page = web.pages["/latest.json"] = stuck(Page(body=document))

    with Running(home, before=["nohup"]) as running:
        page.wait()
        way(running)
        page.release()
        code = running.wait()

    assert (code, home.version(), home.receipt_version()) == (0, END, END)


OTHER_UV = """#!{python}
import signal

asked = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
signal.pthread_sigmask(signal.SIG_BLOCK, asked)
print("ready", flush=True)
print(signal.Signals(signal.sigwait(asked)).name, flush=True)
if {stays}:
    signal.sigwait([signal.SIGUSR1])
"""
"""A uv that says which signal it gets."""


def put_other_uv(home: Home, *, stays: bool) -> None:
    """Put a program in the place of uv."""
    home.bin.mkdir(parents=True)
    home.uv.write_text(OTHER_UV.format(python=sys.executable, stays=stays))
    home.uv.chmod(0o755)


@pytest.mark.parametrize(
    ("way", "number"),
    [(interrupt, signal.SIGINT), (terminate, signal.SIGTERM), (hang_up, signal.SIGHUP)],
    ids=["SIGINT", "SIGTERM", "SIGHUP"],
)
def test_signal_is_handed_on(
    way: Callable[[Running], None], number: signal.Signals, home: Home
) -> None:
    """What this process alone is sent, uv gets too, and by that signal we end."""
    put_other_uv(home, stays=False)

    with Running(home) as running:
        ready = running.read_line()
        way(running)
        heard = running.read_line()
        code = running.wait()

    assert (ready, heard, code) == ("ready", number.name, -number)


def test_uv_that_stays_is_killed(home: Home) -> None:
    """A uv that does not end although it is asked to has some seconds, and no more."""
    put_other_uv(home, stays=True)

    with Running(home) as running:
        ready = running.read_line()
        others = running.others()
        terminate(running)
        code = running.wait()
        left = [name for process, name in others.items() if not ended(process)]

    assert (ready, len(others), code, left) == ("ready", 1, -signal.SIGTERM, [])
