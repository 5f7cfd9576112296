"""What a user sees: the files in `tests/transcripts/`, written anew by COMMAND."""

from __future__ import annotations

import json
import re
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from support import mirrors
from support.homes import Home
from support.processes import Trickle
from support.terminals import Terminal, screen
from support.web import Page, Web
from uv_self_update import platforms
from uv_self_update.cli.progress_line import State, line

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("CASES", "COMMAND", "STATES", "file_of", "line_table", "read")

COMMAND = "PYTHONPATH=tests uv run python -m support.transcripts"
_FOLDER = Path(__file__).parents[1] / "transcripts"

MIB = 1 << 20
ARCHIVE = "uv-x86_64-unknown-linux-gnu.tar.gz"
START, END = "0.8.24", "0.11.13"
_WIDTHS = (120, 80, 60, 40, 20, 9)
_RATE = re.compile(r" +\d+\.\d\d [KMG]iB/s( +\w+)?")

STATES: Mapping[str, State] = {
    "0 %": State(name=ARCHIVE, received=0, size=16 * MIB),
    "1 %": State(name=ARCHIVE, received=16 * MIB // 100 + 1, size=16 * MIB, rate=100 << 10),
    "50 %": State(name=ARCHIVE, received=8 * MIB, size=16 * MIB, rate=1.5 * MIB),
    "100 %": State(name=ARCHIVE, received=16 * MIB, size=16 * MIB, rate=1.5 * MIB),
    "unknown size": State(name="uv (unpacked)", received=40 * MIB, rate=8 * MIB),
    # The rate is that of this run; the bar has what an earlier one has left.
    "resumed": State(name=ARCHIVE, received=12 * MIB, size=16 * MIB, rate=64 << 10),
    "more than announced": State(name=ARCHIVE, received=17 * MIB, size=16 * MIB),
    "no bytes": State(name="empty", received=0, size=0),
    "stalled": State(name=ARCHIVE, received=8 * MIB, size=16 * MIB, rate=0.0),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command on a terminal."""

    arguments: tuple[str, ...] = ()
    columns: int | None = 80
    """None without a terminal."""

    environ: Mapping[str, str] = field(default_factory=dict)
    stalled: bool = False
    """Whether the download stops half-way, and Ctrl-C follows."""


CASES: Mapping[str, Case] = {
    "update at 80 columns": Case(stalled=True),
    "update at 60 columns without colors": Case(
        columns=60, environ={"NO_COLOR": "1"}, stalled=True
    ),
    "update that ends": Case(environ={"NO_COLOR": "1"}),
    "update into a pipe": Case(columns=None),
    "quiet update": Case(arguments=("-q",)),
    "dry run": Case(arguments=("--dry-run",), environ={"NO_COLOR": "1"}),
    "quiet dry run": Case(arguments=("--dry-run", "-q")),
}


def file_of(name: str) -> Path:
    """Return the file of a transcript."""
    return _FOLDER / f"{name.replace(' ', '-')}.txt"


def line_table() -> str:
    """Return the line of each state at each width, between bars."""
    lines = []
    for columns in _WIDTHS:
        lines.append(f"{columns} columns\n")
        lines += [f"|{line(state, columns)}|  {name}\n" for name, state in STATES.items()]
        lines.append("\n")
    return "".join(lines).rstrip("\n") + "\n"


def read(case: Case, folder: Path) -> str:
    """Run a case in an empty directory, and return what is seen, during a download and at its end.

    Ports have a name instead, and rates are left out: they are other ones each time.
    """
    home = Home(path=folder / "home", environ={"UV_CACHE_DIR": str(folder / "cache")})
    home.path.mkdir()
    home.install(START)
    with Web() as web:
        trickle = _offer(home, web, folder / "pipe", stalled=case.stalled)
        try:
            shown = _shown(case, home)
        finally:
            if trickle is not None:
                trickle.release()
    shown = shown.replace(web.url, "http://127.0.0.1:PORT").replace("\x1b", "\\e")
    return _RATE.sub("", shown).rstrip("\n") + "\n"


def _offer(home: Home, web: Web, pipe: Path, *, stalled: bool) -> Trickle | None:
    web.pages |= mirrors.urls_pages([END])
    document = mirrors.github_json(END) | {"published_at": "2026-05-07T10:11:12Z"}
    archive = platforms.current().archive
    for asset in document["assets"]:
        asset["size"] = 16 * MIB if asset["name"] == archive else 1000
    web.pages["/latest.json"] = Page(body=json.dumps(document).encode())
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )
    if not stalled:
        return None
    page = Trickle(pipe, bytes(8 * MIB), 16 * MIB, {"ETag": '"a"'})
    web.pages[f"/files/{END}/{archive}"] = page
    return page


def _shown(case: Case, home: Home) -> str:
    environ = dict(case.environ)
    if case.columns is None:
        piped = home.run(*case.arguments, environ={"UV_NO_PROGRESS": "false", **environ})
        return f"{piped.out}{piped.err}\n(exit code {piped.code})"
    with Terminal(home, *case.arguments, columns=case.columns, environ=environ) as terminal:
        during = ""
        if case.stalled:
            terminal.until(lambda text: "8.00 MiB/16.00 MiB" in text)
            during = screen(terminal.text, styles=True) + "\n\n(Ctrl-C)\n\n"
            terminal.process.send_signal(signal.SIGINT)
        code = terminal.wait()
        return f"{during}{screen(terminal.text, styles=True)}\n(exit code {code})"


def main() -> None:
    """Write all files."""
    _FOLDER.mkdir(exist_ok=True)
    file_of("progress lines").write_text(line_table(), encoding="utf-8")
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            text = read(case, Path(folder).resolve())
        file_of(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
