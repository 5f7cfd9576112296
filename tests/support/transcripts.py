"""What a user sees: the files in `tests/transcripts/`, written anew by COMMAND."""

from __future__ import annotations

import io
import json
import re
import signal
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from unittest.mock import patch

from support import mirrors
from support.homes import Home
from support.processes import Trickle
from support.progress_lines import file_of, line_table
from support.screens import screen
from support.simulator.packages import wheel
from support.stand import standing
from support.terminals import Terminal
from support.web import Page, Web
from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.web import Asked


MIB = 1 << 20
START, END = "0.8.24", "0.11.13"
_HALF = re.compile(r"8\.00 MiB/16\.00 MiB|\(unpacked\) +[1-9]\d*\.\d\d MiB")
_UNPACKED = re.compile(r"(?<=\(unpacked\)) +\d+\.\d\d MiB")
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

    source: Literal["urls", "github", "index", "packages"] = "urls"
    """The kind of the source."""

    probed: bool = False
    """Whether the first request for the archive reads no more than its beginning."""


_PLAIN = {"NO_COLOR": "1"}
_GITHUB = "github+{}/astral-sh/uv"

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
    "update from an index": Case(environ=_PLAIN, stalled=True, source="index"),
    "rehearse": Case(arguments=("rehearse",), environ=_PLAIN, stalled=True),
    "init": Case(
        arguments=("init", _GITHUB), environ=_PLAIN, stalled=True, source="github", probed=True
    ),
    "fetch": Case(arguments=("fetch",), environ=_PLAIN, stalled=True, source="packages"),
    "mirror": Case(
        arguments=(
            *("mirror", "copy", "--source", _GITHUB, "--no-wheels"),
            *("--limit", "2", "--platform", platforms.current().triple),
        ),
        environ=_PLAIN,
        stalled=True,
        source="github",
    ),
}


def read(case: Case, folder: Path) -> str:
    """Run a case in an empty directory, and return what is seen, during a download and at its end.

    Ports have a name instead, and rates are left out: they are other ones each time.
    """
    home = Home(path=folder / "home", environ={"UV_CACHE_DIR": str(folder / "cache")})
    home.path.mkdir()
    if case.source == "packages":
        return _fetching(case, home, folder / "pipe")
    home.install(START)
    with Web() as web:
        trickle = _offer(case, home, web, folder / "pipe")
        try:
            shown = _shown(case, home, web)
        finally:
            if trickle is not None:
                trickle.release()
    shown = shown.replace(web.url, "http://127.0.0.1:PORT").replace("\x1b", "\\e")
    shown = shown.replace(str(home.path), "HOME")
    return _UNPACKED.sub(" N MiB", _RATE.sub("", shown)).rstrip("\n") + "\n"


def _fetching(case: Case, home: Home, pipe: Path) -> str:
    """Return what is seen of a package that stops half-way."""
    with standing(home) as stand:
        name, content = wheel("internal-package", "1.1.0", code=f"# {' ' * 16 * MIB}\n")
        stand.packages.releases[0].files = {name: content}
        storage = stand.packages.storage
        answer = storage.page_for
        page = Trickle(pipe, content[: 8 * MIB], len(content), {})

        def whole_or_part(asked: Asked) -> Page:
            parts = "range" in {name.lower() for name in asked.headers}
            return answer(asked) if parts else page(asked)

        with patch.object(storage, "page_for", whole_or_part):
            home.environ |= stand.environ()
            try:
                shown = _shown(case, home, stand.packages)
            finally:
                page.release()
    return _RATE.sub("", shown).rstrip("\n") + "\n"


def _offer(case: Case, home: Home, web: Web, pipe: Path) -> Trickle | None:
    """Configure a source; return the page of the archive or the wheel, if it is to stop."""
    if case.source == "index":
        home.environ["UV_DEFAULT_INDEX"] = f"{web.url}/simple/"
        return _wheel(web, pipe)
    archive = platforms.current().archive
    if case.source == "github":
        pages = mirrors.github_pages([END, START], size=16 * MIB)
        web.pages |= {path: page for path, page in pages.items() if not path.endswith(".sh")}
        path = f"/astral-sh/uv/releases/download/{END}/{archive}"
    else:
        web.pages |= mirrors.urls_pages([END])
        document = mirrors.github_json(END, size=16 * MIB)
        document["published_at"] = "2026-05-07T10:11:12Z"
        web.pages["/latest.json"] = Page(body=json.dumps(document).encode())
        path = f"/files/{END}/{archive}"
        home.configure(
            f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
            f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
        )
    if not case.stalled:
        return None
    page = _stalled(web, path, pipe, bytes(8 * MIB), 16 * MIB)
    if case.probed:
        first = iter([Page(body=b"")])
        web.pages[path] = lambda asked: next(first, None) or page(asked)
    return page


def _wheel(web: Web, pipe: Path) -> Trickle:
    """Offer a wheel on an index that names its metadata, so that uv reads it once."""
    name, info = f"uv-{END}-py3-none-any.whl", f"uv-{END}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: uv\nVersion: {END}\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr(f"{info}/METADATA", metadata)
        file.writestr(f"uv-{END}.data/scripts/uv", bytes(16 * MIB))
    link = f'<a href="/{name}" data-core-metadata="true">{name}</a>'
    web.pages["/simple/uv/"] = Page(body=link.encode(), headers={"Content-Type": "text/html"})
    web.pages[f"/{name}.metadata"] = Page(body=metadata)
    whole = packed.getvalue()
    return _stalled(web, f"/{name}", pipe, whole[: 8 * MIB], len(whole))


def _stalled(web: Web, path: str, pipe: Path, start: bytes, length: int) -> Trickle:
    page = Trickle(pipe, start, length, {"ETag": '"a"'})
    web.pages[path] = page
    return page


def _shown(case: Case, home: Home, web: Web) -> str:
    environ = dict(case.environ)
    arguments = [argument.format(web.url) for argument in case.arguments]
    if case.columns is None:
        piped = home.run(*arguments, environ={"UV_NO_PROGRESS": "false", **environ})
        return f"{piped.out}{piped.err}\n(exit code {piped.code})"
    with Terminal(home, *arguments, columns=case.columns, environ=environ) as terminal:
        during = ""
        if case.stalled:
            terminal.until(_HALF.search)
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
