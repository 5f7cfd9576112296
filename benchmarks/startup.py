"""What `uv-self-update --dry-run` costs on top of a bare `uv self update --dry-run`.

Both ask the same mirror on loopback, which has the same newest release for them, in turns.
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
from mirror import mirror
from support import binaries, mirrors
from support.homes import Home

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDS = 21


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


if __name__ == "__main__":
    main()
