"""How uv is left by updates that are killed, and by the next one: ours, and uv's own.

`PYTHONPATH=tests python -m support.kill_series` prints the table in `docs/reliability.md`. Half of
the kills come at instants spread over an update; the others as soon as an executable is another
file, when an installer that replaces one after the other is between its steps.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support import binaries, mirrors, release_installers
from support.homes import Home
from support.killing import kill
from support.web import Page, Web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.web import Asked

WAYS = {
    "native": "`--installer native`",
    "release": "`--installer release`",
    "bare": "`uv self update`, without us",
}
"""How uv is updated, and what the table calls that."""

FAULTS = {
    "broken when killed": "uv does not run when it is killed",
    "broken": "uv does not run",
    "receipt": "the receipt names another version",
    "uvx": "uvx is of another version",
    "leftovers": "files are left behind",
    "old": "uv is the old one",
}
"""What can be wrong, and what the table calls that: all but the first after the next update."""

OLD, NEW = "0.13.8", "0.13.9"
"""Early versions of uv compare the receipt's version with the newest, and not their own."""

LATE = 1.1
"""The last instants are after the end of an update: they too belong to what can happen."""

_LOOK = 0.00005  # seconds between two looks
_PAUSE = 0.003  # seconds, at most, between a replaced executable and the kill
_TIMEOUT = 120  # seconds for one update on a busy machine
_INSTALLER = "uv-installer.sh"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a home has when nothing runs."""

    uv: str | None
    """The version; None where it does not run."""

    uvx: str
    receipt: str | None
    """The version; None where there is no receipt that can be read."""

    paths: frozenset[str]
    """All that is there, temporary files included."""

    def faults(self, *, killed: Found, after: Found) -> Iterator[str]:
        """Yield what is wrong, where this is what an update leaves that nobody disturbs.

        Args:
            killed: What there was when an update had been killed.
            after: What there was after the next one.
        """
        for wrong, name in (
            (killed.uv is None, "broken when killed"),
            (after.uv is None, "broken"),
            (after.receipt != after.uv, "receipt"),
            (after.uvx != after.uv, "uvx"),
            (bool(after.paths - self.paths), "leftovers"),
            (after.uv == OLD, "old"),
        ):
            if wrong:
                yield name


class Series:
    """A home whose updates are killed, one after the other."""

    def __init__(self, root: Path, way: str, web: Web) -> None:
        """Prepare it, and update it once undisturbed, so that it is known how that ends.

        Args:
            root: An empty directory.
            way: One of `WAYS`.
            web: Serves what a bare uv asks for.
        """
        self._root = root
        self._temporary = root / "temporary"
        mirror = root / "mirror"
        self._home = Home(
            path=root / "home",
            environ={
                "TMPDIR": str(self._temporary),
                "UV_CACHE_DIR": str(root / "cache"),
                "UV_INSTALLER_GHE_BASE_URL": f"{web.url}/",
                "UV_SELF_UPDATE_SOURCE": f"directory+{mirror}",
            },
        )
        ours = [sys.executable, "-m", "uv_self_update", "--installer", way]
        self._command = [str(self._home.uv), "self", "update"] if way == "bare" else ours
        for folder in (self._home.path, self._temporary, mirror / NEW):
            folder.mkdir(parents=True)
        archive, script = binaries.archive(NEW), release_installers.script(NEW)
        (mirror / NEW / archive.name).symlink_to(archive)
        (mirror / NEW / _INSTALLER).write_bytes(script)
        web.pages |= _enterprise(web.url, script)
        self._uvx = {
            (binaries.executables(version) / "uvx").read_bytes(): version for version in (OLD, NEW)
        }
        self.reset()
        begun = time.monotonic()
        said = self.update()
        self.duration = time.monotonic() - begun
        """Seconds that it takes when nobody disturbs it."""
        self._undisturbed = self.look()
        assert self._undisturbed.uv == self._undisturbed.receipt == NEW, said

    def reset(self) -> None:
        """Put the old uv back, over whatever is there."""
        for folder in (self._home.path, self._temporary):
            shutil.rmtree(folder)
            folder.mkdir()
        self._home.install(OLD)

    def start(self) -> subprocess.Popen[bytes]:
        """Start an update in a process group of its own."""
        return subprocess.Popen(
            self._command,
            env=self._home.full_environ(),
            cwd=self._root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def update(self) -> str:
        """Update as a user would who knows of nothing, and return what is said."""
        with self.start() as process:
            return process.communicate(timeout=_TIMEOUT)[0].decode(errors="replace")

    def kill_at(self, instant: float) -> None:
        """Kill an update so many seconds after its start."""
        with self.start() as process:
            time.sleep(instant)  # nobody announces an instant
            kill(process)

    def kill_between(self, pause: float) -> None:
        """Kill an update so many seconds after it has replaced the first executable."""
        files = [self._home.bin / name for name in ("uv", "uvx")]
        before = [_inode(file) for file in files]
        with self.start() as process:
            while process.poll() is None and [_inode(file) for file in files] == before:
                time.sleep(_LOOK)  # the next step comes within less than a millisecond
            time.sleep(pause)
            kill(process)

    def look(self) -> Found:
        """Look at what is there now."""
        uvx = self._home.bin / "uvx"
        paths = [*self._home.path.rglob("*"), *self._temporary.rglob("*")]
        return Found(
            uv=self._version(),
            uvx=self._uvx.get(uvx.read_bytes() if uvx.exists() else b"", "neither"),
            receipt=self._receipt(),
            paths=frozenset(str(path.relative_to(self._root)) for path in paths),
        )

    def run(self, *, kills: int, seed: int) -> Counter[str]:
        """Kill so many updates, and count the faults.

        Args:
            kills: How many.
            seed: Of the instants.
        """
        chance = random.Random(seed)  # noqa: S311 # no secret
        count: Counter[str] = Counter()
        instants = range(kills - kills // 2)
        for number in range(kills):
            self.reset()
            if number in instants:
                part = (number + chance.random()) / len(instants)
                self.kill_at(part * self.duration * LATE)
            else:
                self.kill_between(chance.random() * _PAUSE)
            killed = self.look()
            said = self.update()
            for fault in self._undisturbed.faults(killed=killed, after=self.look()):
                count[fault] += 1
                _tell(f"kill {number} of {kills}, seed {seed}: {FAULTS[fault]}: {said}")
        return count

    def _version(self) -> str | None:
        try:
            done = self._home.run("--version", program=(str(self._home.uv),))
        except OSError:
            return None
        return done.out.split()[1] if done.code == 0 else None

    def _receipt(self) -> str | None:
        try:
            return self._home.receipt_version()
        except (OSError, ValueError, KeyError):
            return None


def _enterprise(url: str, script: bytes) -> dict[str, Page | Callable[[Asked], Page]]:
    """Return what a bare uv asks for: the newest release, and its files."""
    document = mirrors.github_json(NEW, real=True)
    document["name"] = NEW
    text = json.dumps(document).replace("https://github.com/", f"{url}/")
    return {
        **mirrors.file_pages(NEW, f"/astral-sh/uv/releases/download/{NEW}", real=True),
        "/api/v3/repos/astral-sh/uv/releases/latest": Page(body=text.encode()),
        f"/astral-sh/uv/releases/download/{NEW}/{_INSTALLER}": Page(body=script),
    }


def _inode(file: Path) -> int | None:
    try:
        return os.stat(file).st_ino  # noqa: PTH116 # as fast as it can be
    except OSError:
        return None


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def table(counts: dict[str, Counter[str]], kills: int) -> str:
    """Return the table for the documentation, in Markdown."""
    lines = [
        "| | " + " | ".join(WAYS[way] for way in counts) + " |",
        "| --- |" + " --- |" * len(counts),
        f"| killed | {' | '.join([str(kills)] * len(counts))} |",
    ]
    for fault, text in FAULTS.items():
        figures = " | ".join(str(count[fault]) for count in counts.values())
        lines.append(f"| {text} | {figures} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Run all series, and print the table."""
    parser = argparse.ArgumentParser(description="Kill updates, and look at what is left.")
    parser.add_argument("--kills", type=int, default=120, help="of each way (default: 120)")
    parser.add_argument("--seed", type=int, default=1, help="of the instants (default: 1)")
    parser.add_argument("--way", action="append", choices=WAYS, help="only this one")
    chosen = parser.parse_args(arguments)
    counts = {}
    for way in chosen.way or WAYS:
        with tempfile.TemporaryDirectory() as root, Web() as web:
            series = Series(Path(root), way, web)
            counts[way] = series.run(kills=chosen.kills, seed=chosen.seed)
            _tell(f"{way}: {json.dumps(counts[way])}")
    sys.stdout.write(table(counts, chosen.kills) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
