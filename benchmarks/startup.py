"""What `uv-self-update --dry-run` costs on top of a bare `uv self update --dry-run`, and others.

Both ask the same mirror on loopback, which has the same newest release for them, in turns. The help
of each command is compared with the import of click, and `doctor` with `--check`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from installed import install
from measured import measured
from mirror import mirror
from support import binaries, mirrors
from support.homes import Home
from uv_self_update.cli.options import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ROUNDS = 21
_HELP, _DOCTOR = 1.3, 1.5
"""At most so many times an import of click, and `--check`."""


def main() -> None:
    """Measure, and print a line for each source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        lay_out(folder / "mirror")
        command = install(folder)
        home = Home(path=folder / "home", environ={"UV_CACHE_DIR": str(folder / "cache")})
        home.install(binaries.newest_but_one())
        with mirror(folder / "mirror") as url:
            report(measure(home, runs(home, command, url), rounds))
            report_ratios("the import of click", _HELP, helps(home, command), rounds)
            home.install(binaries.newest())
            home.environ["UV_DEFAULT_INDEX"] = f"{url}/simple/"
            for source in (f"github+{url}/astral-sh/uv", f"index+{url}/simple/"):
                kind = source.partition("+")[0]
                compared = doctor(home, command, source)
                report_ratios(f"`--check`, {kind}", _DOCTOR, compared, rounds)


def lay_out(folder: Path) -> None:
    """Write a mirror that serves every kind of source, and uv itself."""
    newest = binaries.newest()
    # uv itself wants a name.
    release = json.dumps(mirrors.github_json(newest, real=True) | {"name": newest})
    wheel = binaries.wheel(newest)
    digest = mirrors.sha256(wheel)
    pages = {
        "latest.json": release,
        "api/v3/repos/astral-sh/uv/releases/latest": release,
        "simple/uv/index.html": f'<!DOCTYPE html><a href="{wheel.name}#sha256={digest}">'
        f"{wheel.name}</a>",
    }
    for name, text in pages.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "simple" / "uv" / wheel.name).symlink_to(wheel)
    archive = binaries.archive(newest)
    released = folder / "astral-sh" / "uv" / "releases" / "download" / newest / archive.name
    released.parent.mkdir(parents=True)
    released.symlink_to(archive)


def runs(home: Home, command: Path, url: str) -> dict[str, Callable[[], None]]:
    """Return what is measured, by its name; bare uv comes first."""
    urls = home.path / "urls.toml"
    urls.write_text(
        f'[[source]]\nkind = "urls"\nlatest = "{url}/latest.json"\n'
        f'download = "{url}/files/{{tag}}/{{asset}}"\n'
    )

    def run(*program: str | Path, **environ: str) -> Callable[[], None]:
        def once() -> None:
            done = home.run("--dry-run", program=[str(part) for part in program], environ=environ)
            if "Would update uv" not in done.err:
                raise AssertionError(done)

        return once

    return {
        "uv": run(home.uv, "self", "update", UV_INSTALLER_GHE_BASE_URL=f"{url}/", UV_NO_CONFIG="1"),
        "urls": run(command, "--config", urls),
        "github": run(command, "--source", f"github+{url}/astral-sh/uv"),
        "index": run(command, "--source", f"index+{url}/simple/"),
    }


def measure(home: Home, runs: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Run everything in turns, and return the seconds that each run has taken."""
    for run in runs.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    if home.version() != binaries.newest_but_one():
        raise AssertionError
    return seconds


def report(seconds: dict[str, list[float]]) -> None:
    """Print medians, and what is added to bare uv."""
    medians = {name: statistics.median(values) * 1000 for name, values in seconds.items()}
    bare = medians["uv"]
    print(f"`uv self update --dry-run`: {bare:.0f} ms (median of {len(seconds['uv'])})")
    for name in list(medians)[1:]:
        median = medians[name]
        print(
            f"`uv-self-update --dry-run`, {name}: {median:.0f} ms, "
            f"{median - bare:+.0f} ms, {median / bare:.1f} times"
        )


def helps(home: Home, command: Path) -> dict[str, Callable[[], tuple[float, float]]]:
    """Return what imports click, and the help of each command."""
    python = [str(command.with_name("python")), "-c", "import click"]
    lines = [[name, "--help"] for name in COMMANDS] + [["--help"]]
    return {"": timed(home, python)} | {
        " ".join(line): timed(home, [str(command), *line]) for line in lines
    }


def doctor(home: Home, command: Path, source: str) -> dict[str, Callable[[], tuple[float, float]]]:
    """Return a check of a uv that needs no update, and `doctor`."""
    given = [str(command), "--source", source]
    return {"": timed(home, [*given, "--check"]), "doctor": timed(home, [*given, "doctor"])}


def timed(home: Home, command: Sequence[str]) -> Callable[[], tuple[float, float]]:
    """Return a function that runs a command, and returns seconds of wall clock and of CPU."""

    def once() -> tuple[float, float]:
        done = measured(command, home.full_environ(), directory=home.path)
        if done.code:
            raise AssertionError(done)
        return done.wall, done.cpu

    return once


def report_ratios(
    base: str,
    target: float,
    runs: Mapping[str, Callable[[], tuple[float, float]]],
    rounds: int,
) -> None:
    """Run everything in turns, and print medians as multiples of the first."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            took[name].append(run())
    medians = {
        name: [statistics.median(each) for each in zip(*values, strict=True)]
        for name, values in took.items()
    }
    first, *others = medians
    wall, cpu = medians[first]
    print(f"{base}: {wall * 1000:.0f} ms, CPU {cpu * 1000:.0f} ms; at most {target} times that:")
    for name in others:
        ratios = medians[name][0] / wall, medians[name][1] / cpu
        verdict = "" if max(ratios) <= target else "  OVER"
        print(f"  `{name}`: {ratios[0]:.2f}, CPU {ratios[1]:.2f}{verdict}")


if __name__ == "__main__":
    main()
