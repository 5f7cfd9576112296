"""The pages agree with the code."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import click
import pytest

from uv_self_update.cli.commands import root
from uv_self_update.cli.options import COMMANDS, FLAGS, OPTIONS, UPDATE_FLAGS
from uv_self_update.config.edit import assign
from uv_self_update.config.kinds import KINDS, parse_source
from uv_self_update.config.load import load
from uv_self_update.releases.target import parse_target
from uv_self_update.uv.arguments import arrange, split, take, take_flags

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "docs" / "sources"
PAGES = {path.stem: path for path in sorted(SOURCES.glob("*.md")) if path.stem != "README"}
DOCS = sorted((ROOT / "docs").rglob("*.md"))
WITH_README = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]

HEADINGS = (
    "Configuration",
    "Authentication",
    "For administrators",
    "What it understands",
    "When it fails",
)
"""The sections of each page, in this order."""

LEAST = 80  # characters below a heading that say something
LONGEST = 110  # lines of a page
UVS = frozenset({"--dry-run", "--token", "-v", "-q"})
"""The options of `uv self update` that a page may use."""


def name_of(path: Path) -> str:
    """Return the name of a file's test."""
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path, language: str) -> list[str]:
    """Return the blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def prose(path: Path) -> str:
    """Return a page without its blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)


def sections(path: Path) -> dict[str, str]:
    """Return the text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", path.read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def anchors(path: Path) -> set[str]:
    """Return the names of a page's headings, as links lead to them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    named = re.findall(r'<a id="([\w-]+)"></a>', prose(path))
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings} | {*named}


def links(path: Path) -> list[str]:
    """Return the targets of a page's relative links."""
    found = re.findall(r"\]\(([^()\s]+)\)", prose(path))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield each call of the program in a console block, and its arguments."""
    for path in WITH_README:
        for block in blocks(path, "console"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line.removeprefix("$ "), comments=True)
                if line.startswith("$ ") and "uv-self-update" in words[:1]:
                    yield f"{name_of(path)}: {line}", words[1:]


CALLS = dict(commands())


each_page = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


def test_every_kind_has_a_page() -> None:
    """There is a page for each kind, and for nothing else."""
    assert set(PAGES) == set(KINDS)


def test_index_leads_to_every_page() -> None:
    """From the index, each page can be reached."""
    assert {f"{kind}.md" for kind in KINDS} <= set(links(SOURCES / "README.md"))


@each_page
def test_page_answers_the_same_questions(page: Path) -> None:
    """Each page says something below each of the same headings, and has no others."""
    found = sections(page)

    assert tuple(found) == HEADINGS
    assert {heading for heading, text in found.items() if len(text.strip()) < LEAST} == set()


@each_page
def test_page_is_short(page: Path) -> None:
    """A user with a problem reads one short page."""
    assert len(page.read_text().splitlines()) <= LONGEST


@each_page
def test_page_shows_its_own_kind(page: Path, tmp_path: Path) -> None:
    """Each block of a page loads as a configuration, with sources of the page's kind."""
    examples = blocks(page, "toml")
    file = tmp_path / "config.toml"

    assert examples
    for example in examples:
        file.write_text(example)
        assert {source.kind for source in load(file).values["source"]} == {page.stem}


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_examples_load(path: Path, tmp_path: Path) -> None:
    """Each block of each page loads as a configuration."""
    file = tmp_path / "config.toml"
    for named in ("client.pem", "client.key"):
        (tmp_path / named).touch()
    for example in blocks(path, "toml"):
        file.write_text(example)
        assert load(file).values


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_no_page_puts_a_secret_into_a_url(path: Path) -> None:
    """No page advises what `init` and `config set` refuse."""
    assert not re.search(r"`[^` ]*@`? into the URL|:[A-Z]+@", path.read_text())


@each_page
def test_advice_is_accepted(page: Path, tmp_path: Path) -> None:
    """Each setting that a page advises can be added to the page's first example."""
    advised = re.findall(r"`uv-self-update config set ([^`]*)`", page.read_text())
    file = tmp_path / "config.toml"
    (tmp_path / "FILE").touch()
    for words in map(shlex.split, advised):
        file.write_text(blocks(page, "toml")[0])
        if {"source.username", "source.password-env"} & {*words}:
            remove_login(file)
        assign(file, dict(zip(words[::2], words[1::2], strict=True)))


def remove_login(file: Path) -> None:
    """Remove a token, which cannot be combined with a password."""
    file.write_text(re.sub(r"(?m)^token-env = .*\n", "", file.read_text()))


@each_page
def test_page_can_be_done_in_one_command(page: Path) -> None:
    """Each page shows the kind in a call of the program, or the kind that needs no name."""
    shown = "".join(blocks(page, "console"))
    due = "--source https://" if page.stem == "auto" else f"{page.stem}+"

    assert due in shown


@pytest.mark.parametrize("path", WITH_README, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    """Each relative link leads to a file, and to a heading in it if it names one."""
    for link in links(path):
        file, _, anchor = unquote(link).partition("#")
        target = path.parent / file if file else path

        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_tests_that_are_named_are_there() -> None:
    """Each test that a page names, such as security.md, exists."""
    named = {
        name for path in WITH_README for name in re.findall(r"`(test_\w+\.py)", path.read_text())
    }

    assert "test_tampering.py" in named
    assert [name for name in sorted(named) if not (ROOT / "tests" / name).exists()] == []


def test_files_to_change_exist() -> None:
    """Each file in the table of CONTRIBUTING that says where to change what is there."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("## Where to change what")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([\w/.-]+(?:\.\w+|/))`", table)) - {"src/uv_self_update/"}

    assert "installer/replace.py" in named
    places = (ROOT, ROOT / "src" / "uv_self_update")
    assert [name for name in sorted(named) if not any((at / name).exists() for at in places)] == []


def test_hosts_are_examples() -> None:
    """No configuration and no call names a server that may exist."""
    text = "".join("".join(blocks(path, "toml") + blocks(path, "console")) for path in DOCS)
    hosts = re.findall(r"://(?:[^\s/@\"']*@)?([^\s/:\"'?]+)", text)

    assert hosts
    assert {host for host in hosts if not re.fullmatch(r"(?:.+\.)?example\.com", host)} == set()


@pytest.mark.parametrize("call", CALLS)
def test_calls_are_understood(call: str) -> None:
    """Each call of the program in a console block has a known command, options and sources."""
    values, _, others = take(CALLS[call], OPTIONS, flags=FLAGS)
    name, *rest = arrange(others, COMMANDS, default="update")

    for spec in values["--source"] + (rest[:1] if name == "init" else []):
        assert parse_source(spec).kind in KINDS
    if name == "update":
        _, rest = take_flags(rest, UPDATE_FLAGS)
        arguments = split(rest)
        assert arguments.target is None or str(parse_target(arguments.target))
        options = {word.partition("=")[0] for word in arguments.all if word.startswith("-")}
        assert options <= UVS
        return
    command: click.Command = root
    while isinstance(command, click.Group):
        command = command.commands[name]
        if isinstance(command, click.Group):
            name, *rest = rest
    with command.make_context(name, rest):  # which raises what a user would see
        pass


def test_console_calls_are_found() -> None:
    """The page of each kind shows a call, so that the test above checks something."""
    text = "\n".join(CALLS)

    assert {kind for kind in KINDS if f"docs/sources/{kind}.md" not in text} == set()


def test_site_has_every_page() -> None:
    """The navigation of the site names each page once, and no other but the changelog."""
    text = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    named = re.findall(r'"([\w/-]+\.md)"', text)

    assert sorted(named) == sorted(
        [*(path.relative_to(ROOT / "docs").as_posix() for path in DOCS), "changelog.md"]
    )
