"""Tab: what the program suggests, and that each shell asks for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from uv_self_update.cli.options import COMMANDS, COMPLETION_VARIABLE
from uv_self_update.config.settings import FIELDS

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Home

SHELLS = ("bash", "fish", "powershell", "zsh")


def suggested(home: Home, line: str) -> set[str]:
    """Return what can follow a line, whose last word may be half of one."""
    words = line.split(" ")
    done = home.call(
        environ={
            COMPLETION_VARIABLE: "bash_complete",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
    )
    assert (done.code, done.err) == (0, "")
    return {item.partition(",")[2] for item in done.out.split()}


def test_commands(home: Home) -> None:
    """The first word is one of the commands."""
    assert suggested(home, "uv-self-update ") == set(COMMANDS) - {"update"}
    assert suggested(home, "uv-self-update re") == {"rehearse", "releases"}
    assert suggested(home, "uv-self-update config u") == {"unset"}


@pytest.mark.parametrize("before", ["", "releases ", "config get ", "--config x releases "])
def test_options(home: Home, before: str) -> None:
    """Global options can be completed anywhere, and a command's own behind it."""
    options = suggested(home, f"uv-self-update {before}--")

    assert {"--source", "--config", "--quiet", "--color"} <= options | {"--config"}
    assert ("--limit" in options) == ("releases" in before)
    assert ("--check" in options) == (not before)


def test_values(home: Home) -> None:
    """Kinds of sources, settings, choices and shells are completed."""
    assert suggested(home, "uv-self-update --source ne") == {"nexus+https://"}
    assert suggested(home, "uv-self-update releases --source in") == {"index"}
    assert suggested(home, "uv-self-update config get network.") == {
        key for key in FIELDS if key.startswith("network.")
    }
    assert suggested(home, "uv-self-update releases --color a") == {"auto", "always"}
    assert suggested(home, "uv-self-update generate-shell-completion ") == set(SHELLS)


def test_powershell(home: Home) -> None:
    """PowerShell gets a value and its help, and its script is one that its grammar knows."""
    environ = {
        COMPLETION_VARIABLE: "powershell_complete",
        "COMP_WORDS": "uv-self-update re",
        "COMP_CWORD": "re",
    }
    done = home.call(environ=environ)
    script = home.call("generate-shell-completion", "powershell").out

    assert [line.split("\t")[0] for line in done.out.splitlines()] == ["rehearse", "releases"]
    assert all(line.split("\t")[1] for line in done.out.splitlines())
    tree = Parser(Language(tree_sitter_powershell.language())).parse(script.encode())
    assert not tree.root_node.has_error


def test_unknown_shell_is_refused(home: Home) -> None:
    """A shell that the program does not know gets nothing, and an exit code."""
    done = home.call(environ={COMPLETION_VARIABLE: "csh_complete"})

    assert (done.code, done.out) == (2, "")


ASK = {
    "bash": """
        eval "$(uv-self-update generate-shell-completion bash)"
        COMP_WORDS=(uv-self-update re) COMP_CWORD=1
        _uv_self_update_completion uv-self-update
        printf '%s\\n' "${COMPREPLY[@]}"
    """,
    "fish": """
        uv-self-update generate-shell-completion fish | source
        complete --do-complete 'uv-self-update re' | string split -f 1 \\t
    """,
    "zsh": """
        autoload -Uz compinit && compinit -D -u
        eval "$(uv-self-update generate-shell-completion zsh)"
        _describe() { local -a all=("${(@P)3}"); print -rl -- "${all[@]%%:*}" }
        words=(uv-self-update re) CURRENT=2
        _uv_self_update_completion
    """,
}


@pytest.mark.system
@pytest.mark.parametrize("shell", ASK)
def test_shell_asks(shell: str, home: Home, tmp_path: Path) -> None:
    """The function of a real shell gets the commands that begin so."""
    program = tmp_path / "uv-self-update"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m uv_self_update "$@"\n')
    program.chmod(0o755)
    found = shutil.which(shell)
    assert found is not None, f"`.ci/run` installs {shell}"
    without_files = {"bash": "--norc", "fish": "--no-config", "zsh": "-f"}[shell]

    done = subprocess.run(
        [found, without_files, "-c", ASK[shell]],
        env=home.full_environ({"PATH": f"{tmp_path}:/usr/bin:/bin"}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.stdout.split(), done.stderr) == (["rehearse", "releases"], "")
