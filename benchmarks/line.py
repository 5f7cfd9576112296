"""Measure updates on an emulated line, through uv-self-update and by bare `uv self update`.

nginx with TLS 1.3 is behind a proxy that adds a round-trip time and limits the bandwidth. In each
round, everything is run once in random order; ratios are of the two runs of one round.

    PYTHONPATH=tests uv run python benchmarks/line.py [--rounds N] [--only TEXT] [--src CHECKOUT]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import trustme

from holdings import hold, site
from installed import install
from line_report import report
from line_runs import BARE, ROWS, Row, Run, Stand
from measured import exit_when_terminated, machine, selected
from origin import origin
from wan import line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROUNDS = 8
_RTTS = (40, 100)  # milliseconds
_MBIT = 100.0
_INSTALLED, _NEWEST = "0.12.24", "0.13.9"
_THIS, _BEFORE = "this", "before"


def main() -> None:
    """Measure, and print the tables."""
    options = _options()
    exit_when_terminated()
    every = [
        Row(task=task, source=source, rtt=rtt)
        for task, sources in ROWS.items()
        for source in sources
        for rtt in ([None] if task == "start" else options.rtt or _RTTS)
    ]
    names = selected([row.name for row in every], options.only)
    rows = [row for row in every if row.name in names]
    with _stand(options, rows) as stand:
        runs = _measure(stand, rows, options.rounds, random.Random(options.seed))  # noqa: S311 # no secret
        traced = _trace(stand, rows)
        print(report(rows, runs, traced, others=[who for who in stand.commands if who != _THIS]))
    if options.json is not None:
        document = {
            "machine": machine(),
            "runs": [asdict(run) for run in runs],
            "processes": [
                {"row": row.name, "who": who, "programs": programs}
                for (row, who), programs in traced.items()
            ],
        }
        options.json.write_text(json.dumps(document, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument(
        "--rtt", type=int, action="append", help="milliseconds; can be repeated (40 and 100)"
    )
    parser.add_argument("--mbit", type=float, default=_MBIT, help="bandwidth, in Mbit/s")
    parser.add_argument(
        "--only", action="append", metavar="TEXT", help="part of a row's name; can be repeated"
    )
    parser.add_argument(
        "--src", type=Path, metavar="CHECKOUT", help="another checkout, measured as `before`"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="every run, as JSON")
    parser.add_argument("--seed", type=int, default=0, help="of the order within a round")
    parser.add_argument("--installed", default=_INSTALLED, help="the uv that is updated")
    parser.add_argument("--newest", default=_NEWEST, help="the uv that it is updated to")
    return parser.parse_args()


@contextmanager
def _stand(options: argparse.Namespace, rows: Sequence[Row]) -> Iterator[Stand]:
    """Start the server and its lines, install the programs, and check the lines with curl."""
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="line-")))
        root, log, trust = work / "root", work / "connections", work / "trust.pem"
        root.mkdir()
        authority = trustme.CA()
        # As many certificates as a real store has: reading them takes time.
        trust.write_bytes(authority.cert_pem.bytes() + Path(certifi.where()).read_bytes())
        server = stack.enter_context(origin(root, authority, site))
        log.touch()
        near = stack.enter_context(line(ports=[server.port], mbit=options.mbit, log=log))
        checkouts = {_THIS: None} | ({_BEFORE: options.src} if options.src else {})
        commands = {}
        for who, checkout in checkouts.items():
            place = work / f"program-{who}"
            place.mkdir()
            commands[who] = install(place, checkout)
        stand = Stand(
            work=work,
            commands=commands,
            origin=server,
            line=near,
            log=log,
            trust=trust,
            installed=options.installed,
            newest=options.newest,
        )
        held = hold(root, stand.url, installed=options.installed, newest=options.newest)
        print(f"{machine()}; uv {options.installed} to {options.newest}, ", end="")
        print(f"{held.archive / 1e6:.1f} MB, a list of {held.release / 1e3:.0f} KB a release")
        for rtt in sorted({row.rtt for row in rows if row.rtt is not None}):
            archive = next((root / "listing" / stand.newest).glob("*.tar.gz"))
            url = f"{stand.url}/listing/{stand.newest}/{archive.name}"
            print(near.measured(rtt, url, trust))
        yield stand


def _measure(stand: Stand, rows: Sequence[Row], rounds: int, order: random.Random) -> list[Run]:
    """Run everything once without measuring, then in rounds."""
    pairs = [
        (row, who)
        for row in rows
        for who in ([BARE] if row.paired and _first(row, rows) else []) + [*stand.commands]
    ]
    warmed = set()
    for row, who in pairs:
        if row.task != "update" or (row.source, who) not in warmed:
            warmed.add((row.source, who))
            stand.run(row, who, 0)
    runs = []
    for number in range(1, rounds + 1):
        order.shuffle(pairs)
        for row, who in pairs:
            runs.append(stand.run(row, who, number))
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
    return runs


def _first(row: Row, rows: Sequence[Row]) -> bool:
    """Return whether a row is the first of its task and line: bare uv has one source only."""
    return row is next(one for one in rows if (one.task, one.rtt) == (row.task, row.rtt))


def _trace(stand: Stand, rows: Sequence[Row]) -> dict[tuple[Row, str], list[str]]:
    """Count the processes of updates, and of what finds nothing to do."""
    if shutil.which("strace") is None:
        return {}
    shortest = min((row.rtt for row in rows if row.rtt is not None), default=None)
    return {
        (row, who): stand.processes(row, who)
        for row in rows
        if row.task in {"update", "nothing to do"} and row.rtt == shortest
        for who in ([BARE] if _first(row, rows) else []) + [*stand.commands]
    }


if __name__ == "__main__":
    main()
