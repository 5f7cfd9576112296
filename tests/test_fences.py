"""Every fenced block of the pages is correct: commands are run, configurations are loaded.

A block that cannot be run has a comment before it, `<!-- not run: REASON -->`.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.catalogue import Catalogue, catalogue
from support.fences import FENCES, ROOT, Fence, read
from support.simulator import gitea, github, gitlab, index, listing, objects, plain, repositories
from support.simulator.dialect import Setup
from support.simulator.server import Simulator
from support.web import Page, Web
from uv_self_update.config.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from support.fences import Command
    from support.homes import Home
    from support.simulator.dialect import Dialect
    from support.web import Asked

START, OLD, NEW = "0.8.24", "0.12.24", "0.13.9"
"""The installed version, that of the pages, and the newest."""

SERVERS: Mapping[str, tuple[type[Dialect], Setup]] = {
    "https://nexus.example.com/repository/uv": (repositories.Nexus, Setup()),
    "https://nexus.example.com/repository/pypi/simple": (index.Index, Setup()),
    "https://artifactory.example.com/artifactory/uv-local": (repositories.Artifactory, Setup()),
    "https://gitlab.example.com/platform/tools/uv": (gitlab.GitlabPackages, Setup()),
    "https://gitea.example.com/platform/uv": (gitea.GiteaPackages, Setup()),
    "https://github.example.com/mirrors/uv": (github.Github, Setup()),
    "https://files.example.com/mirrors/uv": (listing.NginxHtml, Setup()),
    "https://files.example.com/uv": (plain.UrlsText, Setup()),
    "https://s3.example.com/tools/uv": (objects.S3Path, Setup()),
    "https://mirror.example.com/astral": (plain.Astral, Setup()),
}
"""Each server that the pages name -> its simulator."""

INSTALLATION = "uv tool install "
OURS = "uv-self-update"
AS_ROOT = "sudo "
CI = (ROOT / ".ci" / "run").read_text()
SHORTEST_REASON = 10  # characters


def repeats(fence: Fence) -> bool:
    """Return whether later blocks contain each command of a block."""
    later = {c.line for other in FENCES[FENCES.index(fence) + 1 :] for c in other.commands}
    return all(not command.output and command.line in later for command in fence.commands)


MARKED = [fence for fence in FENCES if fence.reason is not None]
RUN = [fence for fence in FENCES if fence.reason is None]
CONSOLES = [fence for fence in RUN if fence.commands and not repeats(fence)]
SCRIPTS = [fence for fence in RUN if fence.language == "sh"]


def of_language(language: str) -> pytest.MarkDecorator:
    """Run a test for each block in a language."""
    chosen = [fence for fence in RUN if fence.language == language]
    return pytest.mark.parametrize("fence", chosen, ids=str)


def unclaimed(fence: Fence) -> list[str]:
    """Return the parts of a block that no test runs and no comment marks."""
    if fence.reason is not None or fence.language in {"toml", "json", "sh"}:
        return []
    if fence.language not in {"console", "text"}:
        return [f"{fence}: nothing runs this language"]
    if fence.language == "console" and not fence.commands:
        return [f"{fence}: there is no command in it"]
    return [
        f"{fence}: {command.line}"
        for command in fence.commands
        if not (is_ours(command) or is_of_ci(command) or command.line.startswith(INSTALLATION))
    ]


def is_ours(command: Command) -> bool:
    """Return whether a command is a call of this program, by an administrator perhaps."""
    return command.line.removeprefix(AS_ROOT).split()[:1] == [OURS]


def is_of_ci(command: Command) -> bool:
    """Return whether `.ci/run` runs each part of a command, on a fresh machine."""
    lines = [part.strip() for line in CI.splitlines() for part in line.split("&&")]
    return all(part.strip() in lines for part in command.line.split("&&"))


@pytest.mark.parametrize("fence", FENCES, ids=str)
def test_block_is_run_or_marked(fence: Fence) -> None:
    """Each block is run by a test, or a comment before it says why not."""
    assert unclaimed(fence) == []


@pytest.mark.parametrize("fence", MARKED, ids=lambda fence: f"{fence}: {fence.reason}")
def test_reason(fence: Fence) -> None:
    """A block that is not run has a reason, and a script among them is valid."""
    assert len(fence.reason or "") >= SHORTEST_REASON
    if fence.language == "sh":
        subprocess.run(["/bin/sh", "-n", "-c", fence.text], check=True)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("```console\n$ uv-self-update\n```\n", 0),
        ("```console\n$ make install\n```\n", 1),
        ("<!-- not run: it needs make -->\n```console\n$ make install\n```\n", 0),
        ("<!-- not run: it needs make -->\n\nText.\n\n```console\n$ make install\n```\n", 1),
        ("- item\n\n  ```console\n  $ make install\n  ```\n", 1),
        ("~~~~console\n$ make install\n~~~~\n", 1),
        ("```\n$ make install\n```\n", 1),
        ("```console\nmake install\n```\n", 1),
        ("```text\n$ make install\n```\n", 1),
        ("```text\nprinted\n```\n", 0),
        ("```python\nimport uv\n```\n", 1),
        ("```console\n$ python -m pip install uv && uv run pytest\n```\n", 0),
        ("```console\n$ python -m pip install uv && uv run mytest\n```\n", 1),
    ],
)
def test_new_block_has_to_be_run_or_marked(text: str, wrong: int) -> None:
    """A block that no test runs turns the test above red, unless it is marked."""
    (fence,) = read("page.md", text)
    assert len(unclaimed(fence)) == wrong


@of_language("toml")
def test_configuration_loads(fence: Fence, tmp_path: Path) -> None:
    """Each configuration is accepted by the program's own reader, as it stands."""
    for named in ("client.pem", "client.key"):
        (tmp_path / named).touch()
    file = tmp_path / "config.toml"
    file.write_text(fence.text)
    assert load(file).values


def test_json_is_json() -> None:
    """Each block of JSON is one document."""
    for fence in RUN:
        if fence.language == "json":
            json.loads(fence.text)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Callable[[Catalogue, str], dict[str, str]]]:
    """Serve the places that a text names; return each name and its replacement."""
    with ExitStack() as stack:

        def serve(releases: Catalogue, text: str) -> dict[str, str]:
            share = tmp_path / "share"
            plain.Directory(releases, Setup(folder=share))
            names = {"/mnt/share/uv": str(share)}
            if "/wheels" in text:
                wheels = [binaries.wheel(release.version) for release in releases.releases]
                names |= _wheels(stack, tmp_path / "wheels", wheels)
            for place, (server, setup) in SERVERS.items():
                if place in text:
                    simulator = stack.enter_context(Simulator(server(releases, setup)))
                    names[place] = simulator.place
            return names

        yield serve


def _wheels(stack: ExitStack, directory: Path, wheels: list[Path]) -> dict[str, str]:
    directory.mkdir()
    for wheel in wheels:
        (directory / wheel.name).symlink_to(wheel)
    links = "".join(f'<a href="{wheel.name}">{wheel.name}</a><br>' for wheel in wheels)
    page = Page(body=f"<!DOCTYPE html>{links}".encode(), headers={"Content-Type": "text/html"})
    files = {f"/wheels/{wheel.name}": Page(body=wheel) for wheel in wheels}
    web = stack.enter_context(Web({"/wheels/": page, **files}))
    return {
        "/mnt/share/wheels": str(directory),
        "https://files.example.com/wheels": f"{web.url}/wheels",
    }


def _no_receipt(home: Home) -> dict[str, str]:
    home.receipt.unlink()
    return {"/opt/tools/uv": str(home.uv), "/home/me": str(home.path)}


def _of_homebrew(home: Home) -> dict[str, str]:
    cellar = home.path / "Cellar" / "uv" / START / "bin"
    cellar.mkdir(parents=True)
    home.uv.rename(cellar / "uv")
    home.uv.symlink_to(cellar / "uv")
    home.receipt.unlink()
    return {"/opt/homebrew/bin/uv": str(home.uv)}


def _policies(home: Home) -> dict[str, str]:
    site = home.path / "xdg" / "uv-self-update" / "config.toml"
    site.parent.mkdir(parents=True)
    site.write_text('[policy]\nmin-age = "3 days"\n')
    home.environ["XDG_CONFIG_DIRS"] = str(home.path / "xdg")
    home.configure('[policy]\nversions = "<0.14"\n')
    return {"/etc/xdg": str(home.path / "xdg"), "/home/me": str(home.path)}


def _system_file(home: Home) -> dict[str, str]:
    home.environ["XDG_CONFIG_DIRS"] = str(home.path / "xdg")
    rules = 'versions = "<0.14"\nmin-age = "3 days"'
    (home.path / "config.toml").write_text(f"[policy]\n{rules}\n")
    return {"/etc/xdg": str(home.path / "xdg")}


SETTINGS: Mapping[str, Callable[[Home], dict[str, str]]] = {
    "there is no receipt": _no_receipt,
    "managed by Homebrew": _of_homebrew,
    "`policy.min-age =": _policies,
    "config set --system": _system_file,
}
"""Words in a block -> how to prepare the home for it."""


def prepared(home: Home, fence: Fence) -> dict[str, str]:
    """Install a uv, prepare the home for the block, and return its names there."""
    home.install(START)
    (home.path / "company.pem").touch()
    names = {OLD: START}
    for words, prepare in SETTINGS.items():
        if words in fence.text:
            names |= prepare(home)
    return names


def renamed(text: str, names: Mapping[str, str]) -> str:
    """Replace names, the longest first."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return text


@pytest.mark.parametrize("fence", CONSOLES, ids=str)
def test_commands(
    fence: Fence, home: Home, world: Callable[[Catalogue, str], dict[str, str]]
) -> None:
    """Each call of the program does what the page says, with local servers."""
    releases = catalogue(OLD, NEW)
    recent = datetime.now(UTC) - timedelta(days=2, hours=1)
    if "published 2 days ago" in fence.text:
        newest = replace(releases[NEW], date=recent)
        releases = Catalogue(releases=(releases[OLD], newest))
    index_place, dated_place = (
        "https://nexus.example.com/repository/pypi/simple",
        "https://github.example.com/mirrors/uv",
    )
    names = world(releases, f"{fence.text} {index_place} {dated_place}")
    home.environ |= {
        "NO_PROXY": "*",
        "NEXUS_PASSWORD": "secret",
        "UV_DEFAULT_INDEX": names[index_place],
    }
    if "policy" in fence.text:
        home.environ["UV_SELF_UPDATE_SOURCE"] = f"github+{names[dated_place]}"
    said = {**names, **prepared(home, fence)}
    names["/etc/ssl/company.pem"] = str(home.path / "company.pem")
    for command in fence.commands:
        if not is_ours(command):
            continue
        line = renamed(command.line.removeprefix(AS_ROOT), names)
        arguments = shlex.split(line, comments=True)[1:]
        if arguments[:1] == ["init"]:
            home.config.unlink(missing_ok=True)  # each shows another way
        done = home.call(*arguments)
        fails = any(line.startswith("error: ") for line in command.output)
        due = done.code == 11 and "--check" in arguments
        assert (done.code not in {0, 11}) is fails, done.err
        assert due or done.code != 11
        for line in command.output:
            assert line == "…" or renamed(line, said) in done.out + done.err
        if home.uv.stat().st_size != (binaries.executables(START) / "uv").stat().st_size:
            home.install(START)


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    sorted({c.line for f in CONSOLES for c in f.commands if c.line.startswith(INSTALLATION)}),
)
def test_installation(line: str, home: Home) -> None:
    """The program can be installed as the pages say, here from this checkout."""
    words = shlex.split(line, comments=True)
    if words[-1] != ".":  # of a checkout, as it is
        assert words[-1].startswith(OURS)
        words[-1] = f"{words[-1]} @ {ROOT.as_uri()}"
    places = {"UV_TOOL_DIR": str(home.path / "tools"), "UV_TOOL_BIN_DIR": str(home.bin)}
    environ = {**os.environ, **places}
    subprocess.run([binaries.uv_command(), *words[1:]], env=environ, cwd=ROOT, check=True)
    assert home.run("--version", program=(str(home.bin / OURS),)).out.startswith(OURS)


@pytest.mark.parametrize("fence", SCRIPTS, ids=str)
def test_scripts(fence: Fence, tmp_path: Path) -> None:
    """Each script runs, with a local server in place of those that it names."""
    curl = shutil.which("curl")
    assert curl is not None
    place = tmp_path / "uv"
    place.mkdir()
    for name in ("uv-x86_64-unknown-linux-gnu.tar.gz", "sha256.sum"):
        (place / name).write_text(name)
    work = tmp_path if "cp -R uv" in fence.text else place

    def answer(asked: Asked) -> Page:
        status = 201 if asked.method == "PUT" else 200
        return Page(body=b"content", status=status, headers={"Connection": "close"})

    with Web() as web:
        web.page_for = answer  # type: ignore[method-assign] # whatever is asked for
        names = {"https://": f"{web.url}/", "/mnt/share": str(tmp_path / "share")}
        (tmp_path / "share").mkdir()
        script = renamed(fence.text, names)
        environ = {"PATH": os.environ["PATH"], "version": NEW, "TOKEN": "t", "HOME": str(tmp_path)}
        subprocess.run(["/bin/sh", "-euc", script], cwd=work, env=environ, check=True)
    if "curl" in fence.text:
        assert web.asked
        sent = {Path(asked.path).name for asked in web.asked if asked.method == "PUT"}
        assert sent in (set(), {path.name for path in place.iterdir()})
    else:
        assert web.asked == []
