"""What a command does not need is not imported, or not before it matters."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from uv_self_update.cli.commands import root
from uv_self_update.cli.lazy import LazyCommands
from uv_self_update.cli.options import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

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
    """Each has the name that it is listed under, and a help."""
    assert {*root.commands} == {*COMMANDS} - {"update"}
    for name, command in root.commands.items():
        assert (command.name, bool(command.help)) == (name, True)


def test_commands_can_be_added_and_removed() -> None:
    """A group can be changed as any other."""
    commands = LazyCommands({"exec": "exec:exec_", "gone": "no_such_module:command"})
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
