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
from support.progress_lines import file_of, line_table
from support.screens import screen
from support.terminals import Terminal
from support.web import Page, Web
from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("CASES", "read")


MIB = 1 << 20
START, END = "0.8.24", "0.11.13"
_RATE = re.compile(r" +\d+\.\d\d [KMG]iB/s( +\w+)?")


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
    file_of("progress lines").write_text(line_table(), encoding="utf-8")
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            text = read(case, Path(folder).resolve())
        file_of(name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
