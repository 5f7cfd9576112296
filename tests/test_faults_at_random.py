"""Servers that behave at random, and whether what comes of a file belongs together."""

from __future__ import annotations

import random
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.faults import Faults, File, chunked, headless, in_turn, said
from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import UpstreamError
from uv_self_update.network.client import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from support.faults import Answer, Asked, Reply

_RETRIES = 3
_DATES = ("Thu, 29 Jan 2026 20:24:46 GMT", "Fri, 30 Jan 2026 20:24:46 GMT")
_ANY = random.Random(4).randbytes(1_300_000)  # noqa: S311 # no secret
_OTHER = _ANY[::-1]

_often = settings(max_examples=200, deadline=None, derandomize=True, database=None)

SIZES = st.sampled_from([1, 1000, 70_000, 200_000, len(_ANY)])
"""Below and above what the client takes at once, and what makes a connection worth it."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """How one request is answered."""

    newer: bool
    """Whether with the second version of the file."""

    tag: Literal["strong", "weak", "none"]
    dated: bool
    ranges: bool
    careless: bool
    """Whether a part is sent whatever `If-Range` says; then it says of which version it is."""

    in_chunks: bool
    fault: Literal["none", "closed", "reset", "headless", 503]
    sent: int
    """How much of the body comes before the fault, in percent."""

    def answer(self, versions: tuple[bytes, bytes]) -> Answer:
        """Return what is answered."""
        letter = "b" if self.newer else "a"
        strong = self.careless or self.tag == "strong"
        file = File(
            content=versions[self.newer],
            etag=f'"{letter}"' if strong else f'W/"{letter}"' if self.tag == "weak" else None,
            modified=_DATES[self.newer] if self.dated or self.careless else None,
            ranges=self.ranges,
            careless=self.careless,
        )
        answer: Answer = chunked(file, size=50_000) if self.in_chunks else file
        match self.fault:
            case "none":
                return answer
            case "headless":
                return headless(answer, 20)
            case 503:
                return said(503)
            case end:
                return self._broken(answer, end)

    def _broken(self, answer: Answer, end: Literal["closed", "reset"]) -> Answer:
        def broken(asked: Asked) -> Reply:
            reply = answer(asked)
            return replace(reply, stop=len(reply.body) * self.sent // 100, end=end)

        return broken


def step(
    newer: bool,  # noqa: FBT001 # which of two
    fault: str | int | None = None,
) -> st.SearchStrategy[Step]:
    """Return one answer of a version, with any fault or a certain one in the middle of it."""
    any_fault = st.sampled_from(["closed", "closed", "closed", "reset", "headless", 503, "none"])
    return st.builds(
        Step,
        newer=st.just(newer),
        tag=st.sampled_from(["strong", "weak", "none"]),
        dated=st.booleans(),
        ranges=st.booleans(),
        careless=st.booleans(),
        in_chunks=st.booleans(),
        fault=any_fault if fault is None else st.just(fault),
        sent=st.integers(0, 100) if fault is None else st.integers(10, 90),
    )


OLD, NEW = step(newer=False), step(newer=True)


@contextmanager
def line() -> Iterator[Callable[[list[Step], tuple[bytes, bytes]], AbstractContextManager[str]]]:
    """Yield what puts a file on a bad line, and returns where it is."""
    with Faults() as server:
        numbers = count()

        @contextmanager
        def put(plan: list[Step], versions: tuple[bytes, bytes]) -> Iterator[str]:
            path = f"/{next(numbers)}"
            well = replace(plan[-1], fault="none")
            server.answers[path] = in_turn(*(step.answer(versions) for step in [*plan, well]))
            yield server.url + path
            del server.answers[path]
            server.served.clear()

        yield put


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Return a client that tries again at once."""
    monkeypatch.setattr("uv_self_update.network.client.pause", lambda _, *, after: after or 0.0)
    network = Network(timeout=10, retries=_RETRIES)
    client = Upstream(network, Credentials(), environ={"NO_PROXY": "*"})
    yield client
    client.close()


def fetch(upstream: Upstream, url: str) -> tuple[bytes, bool]:
    """Return what is handed on of a file, and whether it comes to an end."""
    got = b""
    try:
        with upstream.open(url) as download:
            for chunk in download.chunks:
                got += chunk
    except UpstreamError:
        return got, False
    return got, True


def test_versions_are_never_mixed(patient: Upstream) -> None:
    """Whatever a server does, what is handed on is the start of one version; in the end, all."""
    with line() as put:

        @_often
        @given(
            first=step(newer=False, fault="closed"),
            plan=st.lists(NEW | NEW | OLD, min_size=1, max_size=_RETRIES),
            size=SIZES,
            longer=st.sampled_from([0, 0, 1, 50_000]),
            common=st.sampled_from([0, 0, 0, 1000, 150_000]),
        )
        def holds(first: Step, plan: list[Step], size: int, longer: int, common: int) -> None:
            versions = _ANY[:size], (_ANY[:common] + _OTHER[common:])[: size + longer]

            with put([first, *plan], versions) as url:
                got, ended = fetch(patient, url)

            assert any(version.startswith(got) for version in versions)
            assert got in versions or not ended

        holds()


def test_unchanged_file_arrives(patient: Upstream) -> None:
    """A file that stays as it is arrives: one retry is left for a part that is of no use."""
    with line() as put:

        @_often
        @given(plan=st.lists(OLD, min_size=1, max_size=_RETRIES - 1), size=SIZES)
        def holds(plan: list[Step], size: int) -> None:
            content = _ANY[:size]

            with put(plan, (content, b"")) as url:
                got, ended = fetch(patient, url)

            assert ended
            assert got == content

        holds()


def test_lines_arrive_once_and_in_order(patient: Upstream) -> None:
    """What is read line by line has each line once, wherever the line breaks."""
    with line() as put:

        @_often
        @given(
            plan=st.lists(OLD, min_size=1, max_size=_RETRIES), number=st.sampled_from([1, 10, 3000])
        )
        def holds(plan: list[Step], number: int) -> None:
            due = [b"%d" % at for at in range(number)]

            with put(plan, (b"\n".join(due), b"")) as url, patient.lines(url) as lines:
                got = list(lines)

            assert got == due

        holds()
