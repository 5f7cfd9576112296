"""The tables of `line.py`: medians of paired runs, and what they have to meet."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from line_runs import BARE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from line_runs import Row, Run

_THIS = "this"
_RATIOS = {
    "github": 0.77,
    "listing": 0.80,
    "urls": 0.80,
    "release's own installer": 1.0,
}
"""Source -> the ratio to bare uv that an update must not exceed."""

_INDEX = {40: 0.82, 100: 0.80}
"""The same for the index, by round-trip time."""

_REQUESTS = {"github": 2, "listing": 3, "index": 2}
"""Source -> requests of an update at most, over one connection."""

_NOTHING = {"index": 110.0}
_NOTHING_ELSE = 100.0
"""Milliseconds more than bare uv at most where nothing is to do, with one request."""

_MEMORY = 40 << 20  # bytes


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A median, and the extremes."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of some values, at least one."""
        return cls(middle=statistics.median(values), least=min(values), most=max(values))

    def shown(self, digits: int, sign: str = "") -> str:
        """Return the median with the extremes in brackets."""
        middle, least, most = (
            f"{value:{sign}.{digits}f}" for value in (self.middle, self.least, self.most)
        )
        return f"{middle} ({least} to {most})"


class _Runs:
    """The runs, by row, contestant and round."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._by_round = {(run.row, run.who, run.round): run for run in runs}
        self._bare = {
            (run.row.task, run.row.rtt, run.round): run for run in runs if run.who == BARE
        }

    def of(self, row: Row, who: str) -> list[Run]:
        """Return the runs of a row, round by round."""
        if who == BARE:
            return [
                run
                for (task, rtt, _), run in sorted(self._bare.items(), key=lambda pair: pair[0][2])
                if (task, rtt) == (row.task, row.rtt)
            ]
        return [
            run for (one, other, _), run in self._by_round.items() if (one, other) == (row, who)
        ]

    def paired(self, row: Row, who: str, compare: Callable[[Run, Run], float]) -> Spread:
        """Compare each run with bare uv's of the same round."""
        return Spread.of(
            [compare(run, self._bare[row.task, row.rtt, run.round]) for run in self.of(row, who)]
        )

    def spread(self, row: Row, who: str, value: Callable[[Run], float]) -> Spread:
        """Return the spread of a figure."""
        return Spread.of([value(run) for run in self.of(row, who)])


def report(
    rows: Sequence[Row],
    runs: Sequence[Run],
    traced: Mapping[tuple[Row, str], Sequence[str]],
    *,
    others: Sequence[str],
) -> str:
    """Return the tables, as Markdown.

    Args:
        rows: What was measured.
        runs: Every run.
        traced: The processes of some.
        others: The contestants beside bare uv and this checkout.
    """
    known = _Runs(runs)
    whos = [*others, _THIS]
    rounds = max((run.round for run in runs), default=0)
    parts = [f"\nMedians of {rounds} rounds, with the least and the most."]
    timed = [row for row in rows if row.paired]
    if timed:
        parts.append(_times(timed, known, whos))
    spent = [row for row in rows if row.task in {"update", "nothing to do"}]
    if spent:
        parts.append(_costs(spent, known, whos, traced))
    alone = [row for row in rows if not row.paired]
    if alone:
        parts.append(_alone(alone, known, whos))
    return "\n\n".join(parts)


def _times(rows: Sequence[Row], runs: _Runs, whos: Sequence[str]) -> str:
    """Show updates as ratios, the rest as milliseconds more than bare uv."""
    lines = []
    for row in rows:
        bare = f"{runs.spread(row, BARE, lambda run: run.measured.wall).middle:.2f} s"
        limit = _limit(row)
        cells, last = [], 0.0
        for who in whos:
            if row.task == "update":
                spread = runs.paired(row, who, lambda one, b: one.measured.wall / b.measured.wall)
                cells.append(spread.shown(3))
            else:
                spread = runs.paired(
                    row, who, lambda one, b: (one.measured.wall - b.measured.wall) * 1e3
                )
                cells.append(f"{spread.shown(0, '+')} ms")
            last = spread.middle
        lines.append([row.name, bare, *cells, *_verdict(limit, last)])
    return _table(["", "bare uv", *whos, "must", ""], lines)


def _limit(row: Row) -> float | None:
    if row.task == "update":
        return _INDEX.get(row.rtt or 0) if row.source == "index" else _RATIOS.get(row.source)
    if row.task == "nothing to do":
        return _NOTHING.get(row.source, _NOTHING_ELSE)
    return None


def _verdict(limit: float | None, value: float) -> list[str]:
    if limit is None:
        return ["", ""]
    shown = f"at most {limit:.2f}" if limit < 10 else f"at most +{limit:.0f} ms"  # noqa: PLR2004 # no ratio is so large
    return [shown, _met(met=value <= limit)]


def _met(*, met: bool) -> str:
    return "met" if met else "NOT MET"


def _costs(
    rows: Sequence[Row],
    runs: _Runs,
    whos: Sequence[str],
    traced: Mapping[tuple[Row, str], Sequence[str]],
) -> str:
    """Show what a run uses: CPU, memory, requests, connections, processes."""
    lines = []
    for row in rows:
        bare = runs.spread(row, BARE, lambda run: run.measured.cpu).middle
        for who in (BARE, *whos):
            cpu = runs.spread(row, who, lambda run: run.measured.cpu)
            peak = runs.spread(row, who, lambda run: run.measured.peak).middle
            largest = runs.spread(row, who, lambda run: run.measured.largest).middle
            requests = runs.spread(row, who, lambda run: len(run.requests)).middle
            connections = runs.spread(row, who, lambda run: run.connections).middle
            programs = next(
                (
                    found
                    for (other, one), found in traced.items()
                    if one == who
                    and (other.task, other.rtt) == (row.task, row.rtt)
                    and (who == BARE or other == row)
                ),
                None,
            )
            failed = (
                [] if who != _THIS else _missed(row, cpu.middle, bare, peak, requests, connections)
            )
            lines.append(
                [
                    *(row.name, who, cpu.shown(2), f"{peak / 2**20:.0f}"),
                    *(f"{largest / 2**20:.0f}", f"{requests:g}", f"{connections:g}"),
                    "" if programs is None else str(len(programs)),
                    ("met" if not failed else f"NOT MET: {', '.join(failed)}")
                    if who == _THIS
                    else "",
                ]
            )
    head = ["", "", "CPU s", "own MiB", "largest MiB", "requests", "connections", "processes", ""]
    return _table(head, lines)


def _missed(
    row: Row, cpu: float, bare: float, peak: float, requests: float, connections: float
) -> list[str]:
    """Return which of a row's figures exceed what they have to meet."""
    update = row.task == "update"
    most = _REQUESTS.get(row.source) if update else (None if row.source == "index" else 1)
    return [
        name
        for name, missed in {
            "CPU": update and cpu > bare,
            "memory": peak > _MEMORY,
            "requests": most is not None and requests > most,
            "connections": most is not None and connections > 1,
        }.items()
        if missed
    ]


def _alone(rows: Sequence[Row], runs: _Runs, whos: Sequence[str]) -> str:
    """Show what bare uv has no command for, in milliseconds."""
    lines = []
    for row in rows:
        cells = [
            f"{runs.spread(row, who, lambda run: run.measured.wall * 1e3).shown(0)} ms"
            for who in whos
        ]
        cpu = runs.spread(row, _THIS, lambda run: run.measured.cpu).middle
        requests = runs.spread(row, _THIS, lambda run: len(run.requests)).middle
        lines.append([row.name, *cells, f"{cpu:.2f}", f"{requests:g}"])
    return _table(["", *whos, "CPU s", "requests"], lines)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = [" --- "] * len(head)
    return "\n".join(
        [
            f"| {' | '.join(head)} |",
            f"|{'|'.join(rule)}|",
            *(f"| {' | '.join(cells)} |" for cells in lines),
        ]
    )
