"""What is run on a line: rows of the table, and one run of bare uv or of an uv-self-update."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from measured import measured, processes
from support import binaries
from support.homes import Home
from uv_self_update.uv.receipt import new_receipt
from wan import NEAR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from measured import Measured
    from origin import Origin, Request
    from wan import Line

BARE = "bare"
"""`uv self update` without us, pointed at the same line."""

_FIRST = "index, first run in a home"
"""An index, for a uv that has yet to find out about the Python of uv-self-update: 45 ms or more."""

_UPDATE_AVAILABLE = 11  # exit code of `--check`
_CLOSING = 10  # seconds until the connections of a run have ended


@dataclass(frozen=True, kw_only=True)
class Row:
    """What is measured: a task, and the source that it uses."""

    task: str
    source: str = ""
    rtt: int | None = None
    """Milliseconds; None for a command that uses no network."""

    @property
    def name(self) -> str:
        """How it is called in tables and by `--only`."""
        latency = "" if self.rtt is None else f"{self.rtt} ms"
        return ", ".join(part for part in (self.task, self.source, latency) if part)

    @property
    def paired(self) -> bool:
        """Whether bare uv has a command for it."""
        return self.task in {"update", "nothing to do", "check"}


ROWS: Mapping[str, Sequence[str]] = {
    "update": ("github", "listing", "urls", "index", _FIRST, "release's own installer"),
    "nothing to do": ("github", "listing", "urls", "index"),
    "check": ("github", "listing", "urls", "index"),
    "releases": ("github", "listing", "urls", "index"),
    "start": (
        *("--version", "--help", "config show", "config --help", "releases --help"),
        *("rehearse --help", "init --help", "exec --help", "fetch --help"),
    ),
}
"""Task -> sources, or commands that use no network."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run."""

    row: Row
    who: str
    """BARE, or the name of an uv-self-update."""

    round: int
    measured: Measured
    requests: Sequence[Request]
    connections: int
    """Those that were opened, used or not."""


@dataclass(kw_only=True)
class Stand:
    """The server, its lines, the programs, and the homes that they are run in."""

    work: Path
    """A directory for homes, on one file system."""

    commands: Mapping[str, Path]
    """The name of an uv-self-update -> its program."""

    origin: Origin
    line: Line
    log: Path
    """Where the lines note connections."""

    trust: Path
    """The certificates that every program trusts."""

    installed: str
    newest: str
    _homes: dict[tuple[str, str, str], Home] = field(default_factory=dict)

    def run(self, row: Row, who: str, number: int) -> Run:
        """Run one once, and check what it has done."""
        home = self._home(row, who)
        self.line.set(row.rtt or 0)
        start, opened = self.origin.log.stat().st_size, self._connections()[0]
        done = measured(*self._command(row, who, home), directory=home.path)
        self._await_end()
        self._check(row, who, home, done)
        self._keep(home, who)
        return Run(
            row=row,
            who=who,
            round=number,
            measured=done,
            requests=self.origin.requests(start),
            connections=self._connections()[0] - opened,
        )

    def processes(self, row: Row, who: str) -> list[str]:
        """Return the programs of the processes of a run, which is slow and not measured."""
        home = self._home(row, who)
        self.line.set(row.rtt or 0)
        found = processes(*self._command(row, who, home), directory=home.path)
        self._await_end()
        return found

    @property
    def url(self) -> str:
        """The server's URL through the line, without a slash at its end."""
        return f"https://{NEAR}:{self.origin.port}"

    def _home(self, row: Row, who: str) -> Home:
        """Return a new home for an update, and the same one each time for anything else."""
        key = row.task, row.source, who
        if row.task != "update" and key in self._homes:
            return self._homes[key]
        path = self.work / ("home" if row.task == "update" else f"home-{len(self._homes)}")
        shutil.rmtree(path, ignore_errors=True)
        home = Home(path=path)
        if row.task != "update":
            self._homes[key] = home
        version = self.newest if row.task == "nothing to do" else self.installed
        home.bin.mkdir(parents=True)
        for name in ("uv", "uvx"):
            kept = self.work / f"{name}-{version}"
            if not kept.exists():
                shutil.copy2(binaries.executables(version) / name, kept)
            # An update replaces files and never writes into them. A copy would be written to the
            # disk while the update is measured.
            os.link(kept, home.bin / name)
        document = new_receipt(prefix=home.bin, version=version, executables=("uv", "uvx"))
        home.receipt.parent.mkdir(parents=True)
        home.receipt.write_text(json.dumps(document))
        (path / "tmp").mkdir()
        if (self.work / f"cache-{who}").exists() and row.source != _FIRST:
            shutil.copytree(self.work / f"cache-{who}", path / ".cache")
        return home

    def _keep(self, home: Home, who: str) -> None:
        """Keep what uv found out about the Python of a program, which it does once in a home."""
        kept = self.work / f"cache-{who}"
        for found in home.path.glob(".cache/uv/interpreter-v*"):
            if not kept.exists():
                shutil.copytree(found, kept / "uv" / found.name)

    def _command(self, row: Row, who: str, home: Home) -> tuple[list[str], dict[str, str]]:
        environ = home.full_environ(
            {"SSL_CERT_FILE": str(self.trust), "TMPDIR": str(home.path / "tmp")}
        )
        if who == BARE and row.rtt is not None:
            environ |= {"UV_INSTALLER_GHE_BASE_URL": f"{self.url}/", "UV_NO_CONFIG": "1"}
            dry = ["--dry-run"] if row.task == "check" else []
            return [str(home.uv), "self", "update", *dry], environ
        program = str(self.commands[who])
        if row.rtt is None:
            return [program, *row.source.split()], environ
        words = {
            "check": ["--check"],
            "releases": ["releases"],
        }.get(row.task, [])
        if row.source == "release's own installer":
            words += ["--installer", "release"]
        return [program, *words, *self._source(row.source, self.url, home)], environ

    def _source(self, source: str, url: str, home: Home) -> list[str]:
        if source == "urls":
            config = home.path / "config.toml"
            config.write_text(
                f'[[source]]\nkind = "urls"\n'
                f'latest = "{url}/api/v3/repos/astral-sh/uv/releases/latest"\n'
                f'download = "{url}/astral-sh/uv/releases/download/{{tag}}/{{asset}}"\n'
            )
            return ["--config", str(config)]
        index = "index+{}/simple/"
        places = {"listing": "listing+{}/listing/", "index": index, _FIRST: index}
        return ["--source", places.get(source, "github+{}/astral-sh/uv").format(url)]

    def _check(self, row: Row, who: str, home: Home, done: Measured) -> None:
        """Fail if a run has not done its task."""
        said = {
            "nothing to do": "latest version",
            "check": "Would update" if who == BARE else self.newest,
            "releases": self.newest,
        }.get(row.task, "")
        code = _UPDATE_AVAILABLE if row.task == "check" and who != BARE else 0
        if done.code != code or said not in done.output:
            message = f"{who}: {row.name}: exit code {done.code}\n{done.output}"
            raise AssertionError(message)
        if row.task == "update" and home.version() != self.newest:
            message = f"{who}: {row.name}: uv is {home.version()}\n{done.output}"
            raise AssertionError(message)

    def _connections(self) -> tuple[int, int]:
        """Return how many connections the lines have opened, and closed."""
        text = self.log.read_text()
        return text.count("+"), text.count("-")

    def _await_end(self) -> None:
        deadline = time.monotonic() + _CLOSING
        while len({*self._connections()}) > 1:
            if time.monotonic() > deadline:
                message = "a connection is open after its program has ended"
                raise AssertionError(message)
            time.sleep(0.005)
