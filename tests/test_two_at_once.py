"""Two updates of one home at a time: one waits for the other, or says why it does nothing."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.killing import NEW, Victim, kill, telling
from support.processes import SOON, Stuck

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.web import Web

pytestmark = pytest.mark.system

ANOTHER = re.compile(rb"\banother\b")
"""What the second one says of the first."""


class Held:
    """A home whose first update is held in the middle of its download."""

    def __init__(self, victim: Victim, web: Web) -> None:
        """Start the first one, and wait until it is at work."""
        self.victim = victim
        web.pages |= mirrors.github_pages([NEW], prefix="/base", real=True)
        archive = f"/base/astral-sh/uv/releases/download/{NEW}/{binaries.archive(NEW).name}"
        page = web.pages[archive]
        assert not callable(page)
        self._page = web.pages[archive] = Stuck(page)
        self._environ = {"UV_SELF_UPDATE_SOURCE": f"github+{web.url}/base/astral-sh/uv"}
        self._stack = ExitStack()
        self.first = self.start()
        self._page.wait()

    def start(self) -> subprocess.Popen[bytes]:
        """Start one more."""
        return self._stack.enter_context(self.victim.started(environ=self._environ))

    def let_go(self) -> None:
        """Let the download go on."""
        self._page.release()

    def close(self) -> None:
        """End everything."""
        self.let_go()
        self._stack.close()


@pytest.fixture
def victim(tmp_path: Path) -> Victim:
    """Return a home with the old uv."""
    victim = Victim(tmp_path)
    victim.reset()
    return victim


@pytest.fixture
def held(victim: Victim, web: Web) -> Iterator[Held]:
    """Return a home whose first update is held."""
    held = Held(victim, web)
    yield held
    held.close()


def says_so(process: subprocess.Popen[bytes]) -> bytes:
    """Wait until an update says that another is at work, and return all that it has said."""
    assert process.stdout is not None
    said = b""
    while not ANOTHER.search(said):
        assert select.select([process.stdout], [], [], SOON)[0], f"it says no more than {said!r}"
        more = os.read(process.stdout.fileno(), 1 << 16)
        assert more, f"it has ended and said {said!r}"
        said += more
    return said


def ends(process: subprocess.Popen[bytes], *, said: bytes = b"") -> bool:
    """Wait for an update to end, and return whether it has succeeded; if not, it says why."""
    said += process.communicate(timeout=SOON)[0]
    assert process.returncode == 0 or (process.returncode > 0 and ANOTHER.search(said)), (
        f"code {process.returncode}: {said.decode(errors='replace')}"
    )
    return process.returncode == 0


def together(victim: Victim, *, count: int, apart: float) -> None:
    """Start some updates, each some seconds after the one before, and see how they end."""
    victim.reset()
    with telling(f"{count} updates, {apart:.3f} s apart"), ExitStack() as stack:
        processes = []
        for _ in range(count):
            processes.append(stack.enter_context(victim.started()))
            time.sleep(apart)  # nobody announces how far the other has come
        succeeded = [ends(process) for process in processes]
        assert any(succeeded)
        victim.is_new()


def test_started_together(victim: Victim) -> None:
    """All end, and what they leave is what one of them leaves."""
    together(victim, count=2, apart=0)
    together(victim, count=2, apart=victim.duration / 2)
    together(victim, count=4, apart=0)


@pytest.mark.sampled(2)
@pytest.mark.slow
@pytest.mark.parametrize("shard", range(4))
def test_started_one_after_the_other(shard: int, victim: Victim) -> None:
    """The same at every distance."""
    for part in range(shard, 40, 4):
        together(victim, count=2, apart=victim.duration * part / 40)


def test_second_waits_or_says_so(held: Held) -> None:
    """While the first is at work the second says so; the first succeeds."""
    second = held.start()
    said = says_so(second)
    held.victim.usable()

    held.let_go()

    assert ends(held.first)
    ends(second, said=said)
    held.victim.is_new()


def test_first_is_killed(held: Held) -> None:
    """The second, or else a third, does all that there is to do."""
    second = held.start()
    said = says_so(second)

    kill(held.first)
    held.let_go()

    ends(second, said=said)
    held.victim.usable()
    held.victim.finished_by_next()


def test_first_stands_still(held: Held) -> None:
    """As long as the first exists nobody takes its place."""
    held.first.send_signal(signal.SIGSTOP)
    second = held.start()
    said = says_so(second)
    held.victim.usable()

    held.first.send_signal(signal.SIGCONT)
    held.let_go()

    assert ends(held.first)
    ends(second, said=said)
    held.victim.is_new()


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Do as Ctrl-C does."""
    os.killpg(process.pid, signal.SIGINT)


@pytest.mark.parametrize("way", [interrupt, kill])
def test_second_is_ended(way: Callable[[subprocess.Popen[bytes]], None], held: Held) -> None:
    """The first does not notice."""
    second = held.start()
    says_so(second)

    if second.poll() is None:
        way(second)
        second.communicate(timeout=SOON)
        assert second.returncode != 0
    held.let_go()

    assert ends(held.first)
    held.victim.is_new()
