"""Progress is drawn on a terminal that is ours, between whole lines, and is gone afterwards."""

from __future__ import annotations

import io
import re
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from support.screens import screen
from support.web import Page
from uv_self_update.auth.credentials import Credentials
from uv_self_update.cli import progress as module
from uv_self_update.cli.progress import Drawn
from uv_self_update.cli.terminal import Terminal
from uv_self_update.config.settings import Network
from uv_self_update.network.client import Upstream
from uv_self_update.network.progress import SILENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.web import Web

MIB = 1 << 20


class Screen(io.StringIO):
    """A terminal that remembers what was written to it."""

    def isatty(self) -> bool:
        """Return True."""
        return True

    @property
    def shown(self) -> str:
        """What is seen."""
        return screen(self.getvalue().replace("\n", "\r\n"))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """Let stderr be a terminal, on which everything is drawn at once."""
    stderr = Screen()
    monkeypatch.setattr("uv_self_update.cli.terminal.sys", SimpleNamespace(stderr=stderr))
    monkeypatch.setattr(module, "_DELAY", 0.0)
    monkeypatch.setattr(module, "_INTERVAL", 0.001)
    return stderr


@pytest.fixture
def drawn(terminal: Screen) -> Iterator[Drawn]:
    """Draw on that terminal."""
    progress = Drawn(terminal, color=False, escapes=True)
    yield progress
    progress.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait for another thread to draw."""
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError


def test_download(drawn: Drawn, terminal: Screen) -> None:
    """A download has a line from its first byte to its end, and none afterwards."""
    with drawn.download("uv.tar.gz", 16 * MIB) as arrived:
        until(lambda: "0 B/16.00 MiB" in terminal.shown)
        arrived(8 * MIB)
        until(lambda: "8.00 MiB/16.00 MiB" in terminal.shown)

    assert terminal.shown == ""


def test_resumed_download(drawn: Drawn, terminal: Screen) -> None:
    """What an earlier run has received counts, but not in the rate."""
    with drawn.download("uv.tar.gz", 16 * MIB, received=8 * MIB) as arrived:
        arrived(MIB)
        until(lambda: "9.00 MiB/16.00 MiB" in terminal.shown)
        until(lambda: len(drawn._downloads[0]._samples) > 5)  # noqa: SLF001 # nothing announces it
        assert (drawn._downloads[0].state().rate or 0) <= MIB / 0.001  # noqa: SLF001 # as above


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_failed_download(drawn: Drawn, terminal: Screen, failure: type[BaseException]) -> None:
    """However a download ends, its line is gone."""

    def fail() -> None:
        with drawn.download("uv.tar.gz", 16 * MIB):
            until(lambda: terminal.shown != "")
            raise failure

    with pytest.raises(failure):
        fail()

    assert terminal.shown == ""


def test_small_download(drawn: Drawn, terminal: Screen) -> None:
    """A list or a script has no line, which would flicker."""
    with drawn.task("Checking"), drawn.download("sha256.sum", 1000):
        until(lambda: terminal.shown != "")
        assert terminal.shown == "Checking..."


def test_task_below_a_download(drawn: Drawn, terminal: Screen) -> None:
    """A task has the line before and after a download in it."""
    with drawn.task("Checking"):
        until(lambda: terminal.shown == "Checking...")
        with drawn.download("uv.tar.gz", 16 * MIB):
            until(lambda: terminal.shown.startswith("uv.tar.gz"))
        assert terminal.shown == "Checking..."

    assert terminal.shown == ""


def test_name_of_a_file_writes_nothing_else(drawn: Drawn, terminal: Screen) -> None:
    """A server chooses the name: an escape sequence in it does not reach the terminal."""
    with drawn.download("\x1b]0;title\x07\n\r.gz", 16 * MIB):
        until(lambda: "_]0;title___.gz" in terminal.shown)


def test_held(drawn: Drawn, terminal: Screen) -> None:
    """While uv writes to the terminal, nothing is drawn."""
    with drawn.download("uv.tar.gz", 16 * MIB):
        until(lambda: terminal.shown != "")
        drawn.hold()
        before = terminal.getvalue()
        assert terminal.shown == ""
        until(lambda: len(drawn._downloads[0]._samples) > 20)  # noqa: SLF001 # nothing announces it
        assert terminal.getvalue() == before
        drawn.release()
        assert terminal.shown.startswith("uv.tar.gz")


def test_message(terminal: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message stands on a line of its own, above the progress."""
    monkeypatch.setattr("sys.stderr", terminal)
    own = Terminal([], {"TERM": "xterm", "NO_COLOR": "1"})
    progress = own.show_progress([], {"TERM": "xterm", "NO_COLOR": "1"})
    with progress.download("uv.tar.gz", 16 * MIB):
        until(lambda: terminal.shown != "")
        own.warning("beware")
        above, line = terminal.shown.split("\n")
        assert (above, line[:9]) == ("warning: beware", "uv.tar.gz")
        own.close()
        assert terminal.shown == "warning: beware\n"


def test_terminal_without_escape_sequences(terminal: Screen) -> None:
    """Where no sequence erases a line, spaces do, and there are no colours."""
    progress = Drawn(terminal, color=False, escapes=False)
    with progress.download("uv.tar.gz", 16 * MIB):
        until(lambda: terminal.shown != "")

    assert "\x1b" not in terminal.getvalue()
    assert terminal.shown == ""
    assert terminal.getvalue().endswith("\r")


def test_old_code_page() -> None:
    """The line needs no character that a code page of Windows lacks."""
    raw = io.BytesIO()
    page = io.TextIOWrapper(raw, encoding="cp437", errors="strict")
    progress = Drawn(page, color=True, escapes=True)
    with progress.download("uv.tar.gz", 16 * MIB):
        until(lambda: b"uv.tar.gz" in raw.getvalue())
    progress.close()


def test_closed_terminal(drawn: Drawn, terminal: Screen) -> None:
    """A terminal that is gone does not end a download."""
    with drawn.download("uv.tar.gz", 16 * MIB) as arrived:
        until(lambda: terminal.shown != "")
        terminal.close()
        arrived(MIB)


@pytest.mark.parametrize(
    ("arguments", "environ", "wanted"),
    [
        ([], {}, True),
        (["--color", "never"], {}, True),
        (["-q"], {}, False),
        (["-qq"], {}, False),
        (["-v"], {}, False),
        (["--no-progress"], {}, False),
        ([], {"UV_NO_PROGRESS": "1"}, False),
        ([], {"UV_NO_PROGRESS": "TRUE"}, False),
        ([], {"UV_NO_PROGRESS": "false"}, True),
        ([], {"UV_NO_PROGRESS": "0"}, True),
        ([], {"CI": "true"}, False),
        ([], {"CI": "woodpecker"}, False),
        ([], {"CI": "false"}, True),
        ([], {"TERM": "dumb"}, False),
        ([], {"TERM": ""}, False),
    ],
)
def test_where_it_is_wanted(
    terminal: Screen, arguments: list[str], environ: dict[str, str], *, wanted: bool
) -> None:
    """Progress is for a terminal that a user looks at, who has not said no."""
    del terminal
    environ = {"TERM": "xterm", **environ}
    progress = Terminal(arguments, environ).show_progress(arguments, environ)

    assert (progress is not SILENT) == wanted


def test_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal, there is no progress; and without a stderr, no error."""
    environ = {"TERM": "xterm"}
    for stderr in (io.StringIO(), None):
        monkeypatch.setattr("uv_self_update.cli.terminal.sys", SimpleNamespace(stderr=stderr))
        assert Terminal([], environ).show_progress([], environ) is SILENT


def test_request_in_the_log(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    """With `-v`, a request has a line with its method, URL, status, bytes and milliseconds."""
    caplog.set_level("DEBUG", logger="uv_self_update")
    web.pages |= {
        "/a": Page(status=302, headers={"Location": "/b?sig=s3cret"}),
        "/b": Page(body=b"x" * 12_345),
    }
    client = Upstream(Network(retries=0), Credentials(), environ={})

    with client.open(f"{web.url}/a") as download:
        b"".join(download.chunks)
    client.status(f"{web.url}/nothing")
    client.close()

    lines = [re.sub(r"[\d,]+ ms", "N ms", record.message) for record in caplog.records]
    assert lines == [
        f"GET {web.url}/a answers 302: 0 bytes, N ms",
        f"GET {web.url}/b?sig=*** answers 200: 12,345 bytes, N ms",
        f"HEAD {web.url}/nothing answers 404: 0 bytes, N ms",
        f"GET {web.url}/nothing answers 404: 0 bytes, N ms",
    ]
