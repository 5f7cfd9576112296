"""Measure what `exec` costs on an emulated line, against plain uv on the same line.

Ten packages are synchronized, one of them from a private GitHub release through `exec`, or from an
index without it; then fifty wheels of a plain-http index, side by side. Everything runs once in
each round, in random order; ratios are of the two runs of one round.

    PYTHONPATH=tests uv run python benchmarks/exec.py [--rounds N] [--only TEXT] [--src CHECKOUT]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import trustme

from installed import install
from measured import exit_when_terminated, machine, measured, selected
from origin import origin
from packages import INTERNAL, MANY, PUBLIC, TOKEN, hold, site
from support import binaries
from support.homes import Home
from wan import NEAR, line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from measured import Measured
    from origin import Origin
    from wan import Line

_ROUNDS = 8
_RTT = 40  # milliseconds
_MBIT = 100.0
_PLAIN, _THIS, _BEFORE = "plain", "this", "before"
_PROJECT = """\
[project]
name = "app"
version = "0"
requires-python = ">=3.11"
dependencies = {dependencies}
{more}
"""
_SIDE_BY_SIDE = """\
set -eu
begin=$(date +%s%N)
curl -sSf --parallel --parallel-immediate --parallel-max 50 --remote-name-all \
    --output-dir "$1" --proxy "${http_proxy:-}" "$2/many_[00-49]-1.30-py3-none-any.whl"
end=$(date +%s%N)
echo "took $((end - begin))"
"""
_ROWS = {
    "cold": 1.15,
    "cold, locked": None,
    "warm, locked": 150.0,
    "50 wheels by uv": 0.7,
    "50 wheels by curl, no line": 0.7,
}
"""Row -> what it has to meet: a ratio at most, milliseconds more at most, a rate at least."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run."""

    row: str
    who: str
    round: int
    measured: Measured
    seconds: float
    requests: int
    """Those that came to the server."""


@dataclass(frozen=True, kw_only=True)
class Stand:
    """The server, its line, and the programs."""

    work: Path
    commands: Mapping[str, Path]
    origin: Origin
    line: Line
    trust: Path

    def run(self, row: str, who: str, number: int) -> Run:
        """Run one once, and check what it has done."""
        home = self._home(row, who)
        self.line.set(_RTT)
        start = self.origin.log.stat().st_size
        done = measured(*self._command(row, who, home), directory=home.path)
        took = done.output.rpartition("took ")[2].strip() if "curl" in row else ""
        complete = bool(took) if "curl" in row else self._installed(row, home)
        if done.code != 0 or not complete:
            message = f"{who}: {row}: exit code {done.code}\n{done.output}"
            raise AssertionError(message)
        return Run(
            row=row,
            who=who,
            round=number,
            measured=done,
            seconds=int(took) / 1e9 if took else done.wall,
            requests=len(self.origin.requests(start)),
        )

    @property
    def url(self) -> str:
        """The server's URL through the line."""
        return f"https://{NEAR}:{self.origin.port}"

    def _home(self, row: str, who: str) -> Home:
        """Return a home with a project; a cold one has empty caches."""
        kept = self.work / f"{who}-{'many' if '50' in row else 'ten'}"
        home = Home(path=kept)
        if not kept.exists():
            self._make(row, who, home)
        shutil.rmtree(kept / ".venv", ignore_errors=True)
        if row.startswith(("cold", "50")):
            shutil.rmtree(kept / "cache", ignore_errors=True)
            shutil.rmtree(kept / "files", ignore_errors=True)
            (kept / "files").mkdir()
        if row == "cold":
            (kept / "uv.lock").unlink(missing_ok=True)
        elif not (kept / "uv.lock").exists():
            # What is locked and cached comes from a run that is not measured.
            measured(*self._command("cold", who, home), directory=home.path)
            return self._home(row, who)
        return home

    def _make(self, row: str, who: str, home: Home) -> None:
        home.bin.mkdir(parents=True)
        for name in ("uv", "uvx"):
            (home.bin / name).symlink_to(binaries.executables(binaries.newest()) / name)
        many = "50" in row
        # As `uv add` writes it.
        ours = f"http://{NEAR}.{self.origin.port}.uv-self-update.invalid/acme/tools/simple/"
        index = f"{self.url}/private/simple/" if who == _PLAIN else ours
        text = _PROJECT.format(
            dependencies=json.dumps([*MANY] if many else [*PUBLIC, INTERNAL]),
            more="" if many else f'[[tool.uv.index]]\nurl = "{index}"',
        )
        (home.path / "pyproject.toml").write_text(text)
        home.configure(f'[[releases]]\nurl = "{self.url}/acme/tools"\npackages = ["internal-*"]\n')

    def _command(self, row: str, who: str, home: Home) -> tuple[list[str], dict[str, str]]:
        plain = f"http://{NEAR}:{self.origin.plain}"
        many = (home.path / "pyproject.toml").read_text().count("many-") > 0
        environ = home.full_environ(
            {
                "SSL_CERT_FILE": str(self.trust),
                "UV_CACHE_DIR": str(home.path / "cache"),
                "UV_DEFAULT_INDEX": f"{plain if many else self.url}/simple/",
                "UV_GITHUB_TOKEN": TOKEN,
                "UV_PYTHON": sys.executable,
                "UV_LINK_MODE": "hardlink",
            }
        )
        before = [] if who == _PLAIN else [str(self.commands[who]), "exec", "--"]
        if "curl" in row:
            files = f"http://127.0.0.1:{self.origin.plain}/files"
            words = ["sh", "-c", _SIDE_BY_SIDE, "sh", str(home.path / "files"), files]
            return [*before, *words], environ
        locked = [] if row == "cold" else ["--locked"]
        return [*before, str(home.uv), "sync", *locked], environ

    @staticmethod
    def _installed(row: str, home: Home) -> bool:
        names = [*MANY] if "50" in row else [*PUBLIC, INTERNAL]
        (packages,) = (home.path / ".venv" / "lib").glob("python3*/site-packages")
        return all((packages / name.replace("-", "_") / "data.bin").exists() for name in names)


def main() -> None:
    """Measure, and print the table."""
    options = _options()
    exit_when_terminated()
    rows = selected([*_ROWS], options.only)
    with _stand(options) as stand:
        runs = _measure(stand, rows, options.rounds, random.Random(options.seed))  # noqa: S311 # no secret
    whos = [who for who in stand.commands if who != _THIS] + [_THIS]
    print(_report(rows, runs, whos))
    if options.json is not None:
        document = {"machine": machine(), "runs": [asdict(run) for run in runs]}
        options.json.write_text(json.dumps(document, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    parser.add_argument("--only", action="append", metavar="TEXT", help="part of a row's name")
    parser.add_argument(
        "--src", type=Path, metavar="CHECKOUT", help="another checkout, measured as `before`"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="every run, as JSON")
    parser.add_argument("--seed", type=int, default=0, help="of the order within a round")
    return parser.parse_args()


@contextmanager
def _stand(options: argparse.Namespace) -> Iterator[Stand]:
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="exec-")))
        root, log, trust = work / "root", work / "connections", work / "trust.pem"
        root.mkdir()
        authority = trustme.CA()
        trust.write_bytes(authority.cert_pem.bytes() + Path(certifi.where()).read_bytes())
        server = stack.enter_context(origin(root, authority, site))
        ports = [server.port, server.plain, server.storage]
        near = stack.enter_context(line(ports=ports, mbit=_MBIT, log=log))
        checkouts = {_THIS: None} | ({_BEFORE: options.src} if options.src else {})
        commands = {}
        for who, checkout in checkouts.items():
            (work / f"program-{who}").mkdir()
            commands[who] = install(work / f"program-{who}", checkout)
        stand = Stand(work=work, commands=commands, origin=server, line=near, trust=trust)
        hold(root, stand.url)
        print(f"{machine()}; uv {binaries.newest()}")
        print(near.measured(_RTT, f"{stand.url}/files/public_8-1.30-py3-none-any.whl", trust))
        yield stand


def _measure(stand: Stand, rows: Sequence[str], rounds: int, order: random.Random) -> list[Run]:
    pairs = [(row, who) for row in rows for who in (_PLAIN, *stand.commands)]
    for pair in pairs:
        stand.run(*pair, 0)
    runs = []
    for number in range(1, rounds + 1):
        order.shuffle(pairs)
        runs += [stand.run(*pair, number) for pair in pairs]
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
    return runs


def _report(rows: Sequence[str], runs: Sequence[Run], whos: Sequence[str]) -> str:
    found = {(run.row, run.who, run.round): run for run in runs}
    rounds = sorted({run.round for run in runs})
    lines = [
        f"\nMedians of {len(rounds)} rounds, with the least and the most.\n",
        f"| | plain uv | {' | '.join(whos)} | CPU s, plain | CPU s | requests | must | |",
        f"|{' --- |' * (len(whos) + 7)}",
    ]
    for row in rows:
        plain = [found[row, _PLAIN, number] for number in rounds]
        cells, middle = [], 0.0
        for who in whos:
            ours = [found[row, who, number] for number in rounds]
            values = [_compared(row, one, other) for one, other in zip(ours, plain, strict=True)]
            middle = statistics.median(values)
            digits = 0 if "warm" in row else 2
            shown = [f"{value:.{digits}f}" for value in (middle, min(values), max(values))]
            unit = " ms more" if "warm" in row else ""
            cells.append(f"{shown[0]} ({shown[1]} to {shown[2]}){unit}")
        this = [found[row, _THIS, number] for number in rounds]
        figures = [
            f"{statistics.median(run.seconds for run in plain):.2f} s",
            *cells,
            f"{statistics.median(run.measured.cpu for run in plain):.2f}",
            f"{statistics.median(run.measured.cpu for run in this):.2f}",
            f"{statistics.median(run.requests for run in this):g}",
            *_verdict(row, middle),
        ]
        lines.append(f"| {row} | {' | '.join(figures)} |")
    return "\n".join(lines)


def _compared(row: str, ours: Run, plain: Run) -> float:
    """Return what a row has to meet: a ratio, milliseconds more, or a ratio of rates."""
    if "warm" in row:
        return (ours.seconds - plain.seconds) * 1e3
    if "50" in row:
        return plain.seconds / ours.seconds
    return ours.seconds / plain.seconds


def _verdict(row: str, value: float) -> tuple[str, str]:
    limit = _ROWS[row]
    if limit is None:
        return "", ""
    if "50" in row:
        return f"at least {limit:g}", "met" if value >= limit else "NOT MET"
    unit = " ms" if "warm" in row else ""
    return f"at most {limit:g}{unit}", "met" if value <= limit else "NOT MET"


if __name__ == "__main__":
    main()
