"""What a command does not need is not imported, or not before it matters."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

from uv_self_update.cli.about import answered
from uv_self_update.cli.commands import root
from uv_self_update.cli.lazy import Lazy, LazyCommands, summary
from uv_self_update.cli.options import COMMANDS

STARTED = """\
import subprocess, sys
from uv_self_update.cli.main import main

class Popen(subprocess.Popen):
    def __init__(self, command, *rest, **options):
        ours = {name for name in sys.modules if name.startswith("uv_self_update.cli.")}
        print(command[-1], "httpx" in sys.modules, "uv_self_update.cli.init" in ours, flush=True)
        super().__init__(command, *rest, **options)

subprocess.Popen = Popen
main(sys.argv[1:])
"""


def test_command_is_started_before_the_client_is_imported(tmp_path: Path) -> None:
    """`exec` starts its command first, and imports neither the client nor other commands before."""
    releases = "github+https://127.0.0.1:9/acme/tools"
    words = ["exec", "--releases", releases, "--", "true", "marked"]
    done = subprocess.run(
        [sys.executable, "-c", STARTED, *words],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout.splitlines() == ["marked False False"]


def test_commands_are_those_of_the_help() -> None:
    """Each has the name and the summary that it is listed with."""
    assert isinstance(root.commands, LazyCommands)
    assert {*root.commands} == {*COMMANDS} - {"update"}
    assert root.commands.summaries() == {
        command.name: summary(command) for command in root.commands.values()
    }


@pytest.mark.parametrize("line", ["--help", "update -h", "--version"])
def test_line_about_us_imports_nothing_else(line: str, tmp_path: Path) -> None:
    """The help and the version take little more than click, and read as with all imports."""
    program = [sys.executable, "-X", "importtime", "-m", "uv_self_update", *line.split()]
    done = subprocess.run(
        program, env={"HOME": str(tmp_path)}, capture_output=True, check=True, text=True
    )
    imported = {found.rpartition("|")[2].strip() for found in done.stderr.splitlines()}
    ours = {name for name in imported if name.startswith("uv_self_update.")}
    assert ours == {
        "uv_self_update.values",
        "uv_self_update.config",
        "uv_self_update.config.installers",
        "uv_self_update.cli",
        *(
            f"uv_self_update.cli.{name}"
            for name in ("about", "commands", "encoding", "help", "lazy", "options")
        ),
    }
    assert done.stdout == whole(*line.split(), path=tmp_path).stdout


@pytest.mark.parametrize(
    "line",
    ["config set --help", "config --version", "nope --help", "exec -- --help", "--help --json"],
)
def test_other_lines_are_left_to_the_rest(line: str, tmp_path: Path) -> None:
    """A line that is more than a question about us is read by `main`, with its errors."""
    assert answered(line.split()) is None
    assert not whole(*line.split(), path=tmp_path).stderr.startswith("Traceback")


def test_help_that_cannot_be_written(tmp_path: Path) -> None:
    """A full disk is reported as for any other line."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "uv_self_update", "--help"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={"HOME": str(tmp_path)},
            check=False,
            text=True,
        )
    assert done.stderr.startswith("error: unexpected error: OSError"), done.stderr
    assert "No space left on device" in done.stderr


def whole(*words: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line with all its imports."""
    program = "import sys; from uv_self_update.cli.main import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env={"HOME": str(path)},
        capture_output=True,
        check=False,
        text=True,
    )


def test_commands_can_be_added_and_removed() -> None:
    """A group can be changed as any other."""
    commands = LazyCommands(
        {"exec": Lazy("exec:exec_", ""), "gone": Lazy("no_such_module:command", "")}
    )
    other = click.Command("other")
    commands["other"] = other
    assert [*commands] == ["exec", "gone", "other"]
    assert commands["other"] is other
    assert commands["exec"] is commands["exec"]
    del commands["other"]
    assert "other" not in commands
    assert len(commands) == 2
    with pytest.raises(ModuleNotFoundError):
        commands["gone"]
