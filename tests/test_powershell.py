"""The scripts for PowerShell, read by a grammar of it: nothing in them is more than it seems."""

from __future__ import annotations

import itertools
import re
import string
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tree_sitter_powershell
from hypothesis import given
from hypothesis import strategies as st
from tree_sitter import Language, Parser

from uv_self_update.gateway import scripts
from uv_self_update.workflow.mirror.record import File
from uv_self_update.workflow.mirror.scripts import installers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_PARSER = Parser(Language(tree_sitter_powershell.language()))

QUOTES = "'\u2018\u2019\u201a\u201b"
"""What ends a literal in single quotes: the grammar knows the first, PowerShell all of them."""

NASTY = {
    "a plain one": r"C:\Python\python.exe",
    "a blank": r"C:\Program Files (x86)\Python 3\python.exe",
    "a quote": r"C:\it's\python.exe",
    "only quotes": "''''",
    "quotes at both ends": "'C:'",
    "typographic quotes": "C:\\\u2018a\u2019\u201ab\u201b\\python.exe",
    "mixed quotes": "'\u2019'\u2018",
    "double quotes": 'say "no"; \u201cno\u201d \u201eno\u201f',
    "a variable": r"C:\$HOME\$env:TEMP\${x}\python.exe",
    "a command": "C:\\$(Remove-Item x)\\@(1)\\@{a=1}\\python.exe",
    "backticks": "C:\\`n`$x`\\python.exe",
    "a separator": "a; Remove-Item x | y && z || w & v",
    "brackets": r"C:\[System.IO.File]::Delete('x')\{0}\python.exe",
    "no ASCII": "C:\\Üñïçødé\\日本語\\🐍\\python.exe",
    "here-string marks": "@'\nx\n'@",
    "double here-string marks": '@"\nx\n"@',
    "ends of lines": "a\nb\r\nc\n",
    "comments": "<# a #> # b",
    "the end of arguments": "--% %PATH% -- -",
    "a backslash at the end": "C:\\folder\\",
    "long": "C:\\" + "\\".join(["d'$(x)`\u2019"] * 30) + "\\python.exe",
}
"""What paths and messages may hold. Some is impossible in a path of Windows, and quoted as well."""


def statements(script: bytes) -> list[Node]:
    """Return the statements of a script that a grammar of PowerShell understands."""
    assert script.startswith(b"\xef\xbb\xbf"), "Windows PowerShell would take it for a code page"
    tree = _PARSER.parse(script.removeprefix(b"\xef\xbb\xbf"))
    assert not tree.root_node.has_error, str(tree.root_node)
    assert tree.root_node.type == "program"
    (body,) = tree.root_node.named_children
    assert body.type == "statement_list"
    return body.named_children


def everything(node: Node) -> Iterator[Node]:
    """Yield a node and all below it."""
    yield node
    for child in node.children:
        yield from everything(child)


def text(node: Node) -> str:
    """Return what a node is made of."""
    assert node.text is not None
    return node.text.decode()


def literal(node: Node) -> str:
    """Return the value of a node that is a literal in single quotes, and nothing else."""
    while node.type != "string_literal":
        (node,) = node.named_children
    (verbatim,) = node.named_children
    assert verbatim.type == "verbatim_string_characters"
    quoted = text(verbatim)
    assert (quoted[0], quoted[-1]) == ("'", "'")
    # As PowerShell's own tokenizer does: two quotes of any kind are one, one is the end.
    parts = re.findall(f"[{QUOTES}]{{2}}|[^{QUOTES}]|[{QUOTES}]", quoted[1:-1], re.DOTALL)
    assert not any(part in QUOTES for part in parts if len(part) == 1), f"it ends early: {quoted}"
    return "".join(part[0] for part in parts)


def only_literal(statement: Node) -> str:
    """Return the value of the one literal in a statement."""
    (node,) = (node for node in everything(statement) if node.type == "string_literal")
    return literal(node)


def command(statement: Node) -> tuple[str, list[str]]:
    """Return the name and the arguments of a statement that is one command, and nothing else."""
    (chain,) = statement.named_children
    (called,) = chain.named_children
    assert [statement.type, chain.type, called.type] == ["pipeline", "pipeline_chain", "command"]
    *name, elements = called.named_children
    assert elements.type == "command_elements"
    arguments = [node for node in elements.named_children if node.type != "command_argument_sep"]
    separators = {
        text(node) for node in elements.named_children if node.type == "command_argument_sep"
    }
    assert separators == {" "}
    values = [literal(argument) for argument in arguments]
    if len(name) == 1:
        assert name[0].type == "command_name"
        return text(name[0]), values
    operator, program = name
    assert (text(operator), program.type) == ("&", "command_name_expr")
    return "&", [literal(program), *values]


def native(program: str, path: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the command line of our own installer, and make sure that there is nothing else."""
    with monkeypatch.context() as patched:
        patched.setattr(sys, "executable", program)
        before, called, after = statements(scripts.native(path, windows=True))
    assert text(before) == "$global:LASTEXITCODE = 1"
    assert text(after) == "exit $LASTEXITCODE"
    name, words = command(called)
    assert name == "&"
    return words


def failing(message: str) -> list[str]:
    """Return the lines that a failing script prints, and make sure that it does nothing else."""
    *prints, end = statements(scripts.failing(message, windows=True))
    assert text(end) == "exit 1"
    lines = []
    for statement in prints:
        name, (line,) = command(statement)
        assert name == "Write-Output"
        lines.append(line)
    return lines


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_every_path_is_a_literal(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python, the handover and what is asked for come out as they went in, each one argument."""
    folder = Path("/", *value.split("/"))
    monkeypatch.setattr(scripts, "_HANDOVER", folder / "handover.py")

    words = native(value, value, monkeypatch)

    assert words == [value, "-IS", str(folder / "handover.py"), value]


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_every_value_for_a_release_is_a_literal(value: str) -> None:
    """So do the variables and the script of a release's own installer."""
    folder = Path("/", *value.split("/"))
    environ = {"UV_INSTALL_DIR": value}

    assigned, moved, cleared, called, failed, token, *rest = statements(
        scripts.staged(
            "install/1",
            token="T",  # noqa: S106 # of no gateway
            script=folder / "s.ps1",
            directory=folder,
            environ=environ,
            windows=True,
        )
    )

    assert text(assigned).startswith("$env:UV_INSTALL_DIR = ")
    assert only_literal(assigned) == value
    assert text(moved).startswith("Set-Location -LiteralPath ")
    assert only_literal(moved) == str(folder)
    assert text(cleared) == "$global:LASTEXITCODE = 0"
    assert text(called).startswith("& ")
    assert only_literal(called) == str(folder / "s.ps1")
    assert text(failed) == "if ($LASTEXITCODE -ne 0) { exit $LASTEXITCODE }"
    assert text(token) == "$env:_UV_SELF_UPDATE_TOKEN = 'T'"
    assert list(map(text, rest)) == list(
        map(text, statements(scripts.native("install/1", windows=True)))
    )


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_every_message_is_a_literal(value: str) -> None:
    """Each line of a reason is printed as it is."""
    assert failing(value) == value.splitlines()


SIGNS = st.text(st.sampled_from(string.printable + QUOTES + "“”„é日🐍[]{}\u2028\x85")) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
)


@given(SIGNS)
def test_any_text_is_a_literal(value: str) -> None:
    """The same for whatever else there may be."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        assert native(value, value, monkeypatch)[::3] == [value, value]
    assert failing(value) == value.splitlines()


def test_arguments_reach_python_in_every_version() -> None:
    """No argument is one that Windows PowerShell 5.1 hands to programs other than 7 does.

    Up to 7.2 an argument with a double quote, an empty one, and one with a blank that ends in a
    backslash arrive changed: Microsoft's about_Parsing.
    """
    script = scripts.native("install/0.12.3", windows=True)

    _, (_program, *arguments) = command(statements(script)[1])

    assert len(arguments) == 3
    for argument in arguments:
        assert argument
        assert '"' not in argument
        assert not argument.endswith("\\")


def test_constrained_language_mode_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no type, no member, no method, and no cmdlet but one: about_Language_Modes."""
    forbidden = re.compile("type_literal|member|invokation_expression|script_block|function|class")
    for value in NASTY.values():
        monkeypatch.setattr(sys, "executable", value)
        ours = [scripts.native(value, windows=True), scripts.failing(value, windows=True)]
        nodes = [
            node
            for script in ours
            for statement in statements(script)
            for node in everything(statement)
        ]
        assert not [text(node) for node in nodes if forbidden.match(node.type)]
        assert {text(node) for node in nodes if node.type == "command_name"} == {"Write-Output"}


@pytest.mark.parametrize(
    "script",
    [
        "(New-Object Net.WebClient).DownloadFile('x', 'y')",
        "[System.IO.File]::Delete('x')",
        "$x.Delete()",
        "$x.Name",
    ],
)
def test_what_it_forbids_would_be_seen(script: str) -> None:
    """The grammar names what constrained language mode forbids as the test above expects."""
    nodes = everything(_PARSER.parse(script.encode()).root_node)

    assert any(re.match("type_literal|member|invokation_expression", node.type) for node in nodes)


@pytest.mark.parametrize(
    "quote",
    [
        pytest.param("'{}'".format, id="as it is"),
        pytest.param('"{}"'.format, id="in double quotes"),
        pytest.param(str, id="without quotes"),
        pytest.param(lambda value: "'" + value.replace("'", "''") + "'", id="the plain ones only"),
    ],
)
def test_missing_quotes_would_be_seen(quote: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts that quote less than ours do not pass for all of the table."""
    monkeypatch.setattr(scripts, "_quote_powershell", quote)

    seen = 0
    for value in NASTY.values():
        try:
            assert failing(value) == value.splitlines()
        except (AssertionError, ValueError):
            seen += 1

    assert seen > 0


def test_quotes_are_those_of_powershell() -> None:
    """Every pair of quotes in a row is one sign, as PowerShell's tokenizer has it."""
    for pair in itertools.product(QUOTES, repeat=2):
        assert failing("".join(pair)) == ["".join(pair)]


def test_small_installer() -> None:
    """That of a mirror is a script as well, in ASCII: no PowerShell takes it for a code page."""
    files = {
        f"uv-{triple}-pc-windows-msvc.zip": File(sha256="ab" * 32, size=1)
        for triple in ("aarch64", "x86_64")
    }

    script = installers("0.13.9", files, "https://uv.example.com/")["uv-installer.ps1"]

    assert script.isascii()
    tree = _PARSER.parse(script)
    assert not tree.root_node.has_error, str(tree.root_node)
    assert script.count(b"ab" * 32) == 2
