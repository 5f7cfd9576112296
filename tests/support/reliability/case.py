"""A fault, its outcome, and how one is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from support.faults import Answer, End, Faults, File, cut, in_turn, said
from uv_self_update import platforms

ARCHIVE = f"/{platforms.current().archive}"
SCRIPT = "/uv-installer.sh"
LATEST = "/latest.json"
LISTING = "/mirror/"

How = Literal["at once", "again", "the rest"]
"""How a file came in the end: with the first request; from its start again; its lacking rest."""


@dataclass(frozen=True, kw_only=True)
class Updated:
    """The new uv is there, and is the right one."""

    how: How
    requests: int | None = None
    """How often the file was requested; None where that depends on the machine."""

    def __str__(self) -> str:
        return {
            "at once": "updated",
            "again": "updated: the file is requested again",
            "the rest": "updated: the rest of the file is requested",
        }[self.how]


@dataclass(frozen=True, kw_only=True)
class Failed:
    """Nothing was changed, and the reason stands on stderr."""

    words: str
    """What it says."""

    requests: int | None = None

    def __str__(self) -> str:
        return f"fails: `{self.words}`"


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A mirror without faults, to be spoilt."""

    server: Faults
    door: Faults
    """Another server, which refuses connections until it is told to listen."""

    files: Mapping[str, File]
    """What is served, by path."""


Plan = Callable[[Shelf], Mapping[str, Answer]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A fault, and its outcome."""

    fault: str
    outcome: Updated | Failed
    plan: Plan
    watched: str = ARCHIVE
    """The path that is at fault, and whose requests are counted."""

    environ: Mapping[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"
    digests: bool = True
    """Whether the mirror publishes the sha256 of its files."""

    slow: bool = False
    """Whether it differs from a quicker one by no more than a number."""


ONE_RETRY = {"UV_SELF_UPDATE_RETRIES": "1"}
IMPATIENT = {**ONE_RETRY, "UV_SELF_UPDATE_TIMEOUT": "0.5"}

AT_ONCE = Updated(how="at once", requests=1)
AGAIN = Updated(how="again", requests=2)
THE_REST = Updated(how="the rest", requests=2)

Bad = Callable[[File], Answer]
"""Makes the answer at fault of the file as it should be sent."""


def of_file(
    fault: str,
    outcome: Updated | Failed,
    bad: Bad,
    environ: Mapping[str, str] | None = None,
    *,
    path: str = ARCHIVE,
) -> Case:
    """Return a case of one file."""
    return Case(
        fault=fault,
        outcome=outcome,
        plan=lambda shelf: {path: bad(shelf.files[path])},
        watched=path,
        environ=environ or {},
    )


def half(answer: Answer, file: File, end: End = "closed") -> Answer:
    """Break off in the middle of a file."""
    return cut(answer, len(file.content) // 2, end)


def once(bad: Bad, *, times: int = 1) -> Bad:
    """Answer badly so often, and then well."""
    return lambda file: in_turn(*[bad(file)] * times, file)


def broken(then: Bad = lambda file: file) -> Bad:
    """Break off in the middle of a file, and answer what comes then otherwise."""
    return lambda file: in_turn(half(file, file), then(file))


def refusing(status: int, after: str | None = None) -> Bad:
    """Answer with a status, and perhaps with `Retry-After`."""
    headers = [] if after is None else [("Retry-After", after)]
    return lambda _: said(status, *headers)


def leading(location: str) -> Answer:
    """Redirect."""
    return said(302, ("Location", location))


def web_page(_: File) -> Answer:
    """Answer with a web page in place of the file."""
    return said(200, body=b"<!DOCTYPE html><p>Please come back later")
