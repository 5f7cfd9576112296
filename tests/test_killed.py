"""Whatever is killed and whenever: uv runs, and the next update finishes what was begun."""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from support.killing import RECEIPTS, Victim, kill, telling

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

SHARDS = 33
KILLS = 10
"""In each shard of the long run: 330 in all."""

STOPS = 5
FEW = 18
"""In the quick run, shared among the receipts."""

LATE = 1.1
"""The last instants are after the end of an update: they too belong to what can happen."""


each_receipt = pytest.mark.parametrize("victim", RECEIPTS, indirect=True)


@pytest.fixture
def victim(request: pytest.FixtureRequest, tmp_path: Path) -> Victim:
    """Return a home whose updates are killed."""
    return Victim(tmp_path, getattr(request, "param", "own"))


def instants(victim: Victim, *, seed: int, count: int) -> Iterator[float]:
    """Yield seconds from the start of an update: one in each part of it, in random order."""
    print(f"seed {seed}")  # noqa: T201 # to do it again
    chance = random.Random(seed)  # noqa: S311 # no secret
    parts = list(range(count))
    chance.shuffle(parts)
    for part in parts:
        yield (part + chance.random()) / count * victim.duration * LATE


def kill_at(victim: Victim, instants: Iterator[float]) -> None:
    """Kill an update at each of these instants; every third time, the one after it as well."""
    for number, instant in enumerate(instants):
        victim.reset()
        with telling(f"number {number}: killed after {instant:.4f} of {victim.duration:.4f} s"):
            for again in range(1 + (number % 3 == 2)):
                with victim.started() as process:
                    time.sleep(instant / (1 + again))  # nobody announces an instant
                    kill(process)
                victim.usable()
            victim.finished_by_next()


def stop_at(victim: Victim, instants: Iterator[float]) -> None:
    """Stop the gateway at each of these instants, and then kill it or let it go on, in turns."""
    for number, instant in enumerate(instants):
        victim.reset()
        with telling(f"number {number}: stopped after {instant:.4f} of {victim.duration:.4f} s"):
            with victim.started() as process:
                time.sleep(instant)  # nobody announces an instant
                stop(process)
                victim.usable()
                if number % 2:
                    process.send_signal(signal.SIGCONT)
                    victim.succeeds(process)
            if number % 2:
                victim.is_new()
            else:
                victim.usable()
                victim.finished_by_next()


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop one process, if it has not ended yet, and wait until it stands still."""
    process.send_signal(signal.SIGSTOP)
    if process.returncode is None:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


@each_receipt
def test_killed_at_some_instants(victim: Victim) -> None:
    """Uv runs, old or new; the next update ends as if nothing had happened."""
    kill_at(victim, instants(victim, seed=0, count=FEW // len(RECEIPTS)))


@pytest.mark.sampled(len(RECEIPTS))  # one of each
@pytest.mark.slow
@pytest.mark.parametrize(
    ("seed", "victim"),
    [(seed, RECEIPTS[seed % len(RECEIPTS)]) for seed in range(1, 1 + SHARDS)],
    indirect=["victim"],
)
def test_killed_at_many_instants(seed: int, victim: Victim) -> None:
    """The same, often."""
    kill_at(victim, instants(victim, seed=seed, count=KILLS))


def test_gateway_is_stopped_at_some_instants(victim: Victim) -> None:
    """While this process stands still uv runs; the update ends well, or is killed."""
    stop_at(victim, instants(victim, seed=0, count=STOPS))


@pytest.mark.sampled(1)
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_gateway_is_stopped_at_many_instants(seed: int, victim: Victim) -> None:
    """The same, often."""
    stop_at(victim, instants(victim, seed=seed, count=2 * STOPS))
