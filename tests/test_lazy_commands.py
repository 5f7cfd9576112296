"""What a command does not need is not imported, or not before it matters."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from uv_self_update.cli import options
from uv_self_update.cli.about import answered
from uv_self_update.cli.commands import root
from uv_self_update.cli.config_commands import config
from uv_self_update.cli.help import Command
from uv_self_update.workflow.check import UPDATE_DUE
from uv_self_update.workflow.fetch import DEFAULT

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


DECLARED = {**root.commands, **{f"config {name}": one for name, one in config.commands.items()}}


def test_every_command_is_declared() -> None:
    """The table that the command line is read with has the same commands."""
    assert {*root.commands} == {*options.COMMANDS} - {"update"}


@pytest.mark.parametrize("name", sorted({*DECLARED} - {"config", "version"}))
def test_function_takes_what_is_declared(name: str) -> None:
    """Each command calls a function with just the parameters that the command line has."""
    command = DECLARED[name]
    assert isinstance(command, Command)
    _, *parameters = inspect.signature(command.function()).parameters.values()
    given = {one.name for one in command.params if one.expose_value}
    required = {one.name for one in parameters if one.kind is not one.VAR_KEYWORD}
    assert required <= given
    assert required == given or len(required) < len(parameters)


def test_facts_that_the_help_repeats() -> None:
    """The help has a copy of what it does not import."""
    code = f"The exit code is {UPDATE_DUE} if "
    assert all(code in (option_help(name, "--check")) for name in ("fetch", "mirror"))
    assert f"`{DEFAULT}` beside" in option_help("fetch", "--directory")


def option_help(command: str, name: str) -> str:
    """Return the help of an option."""
    [found] = [one for one in DECLARED[command].params if name in one.opts]
    assert isinstance(found, click.Option)
    return found.help or ""


EVERY = """\
import json, sys
from uv_self_update.cli.about import answered

codes = [answered(line.split()) for line in sys.argv[1:]]
print(json.dumps([codes, [name for name in sys.modules if name.startswith("uv_self_update.")]]))
"""


def test_line_about_us_imports_nothing_else(tmp_path: Path) -> None:
    """The help and the version take little more than click, and read as with all imports."""
    lines = [
        *("--help", "-h", "--version", "help", "update -h", "help init", "help config set"),
        *(f"{name} --help" for name in DECLARED),
    ]
    *text, said = program(EVERY, *lines, path=tmp_path).stdout.splitlines()
    codes, imported = json.loads(said)
    assert codes == [0] * len(lines)
    assert {*imported} == {
        "uv_self_update.values",
        "uv_self_update.config",
        "uv_self_update.config.installers",
        "uv_self_update.cli",
        *(
            f"uv_self_update.cli.{name}"
            for name in ("about", "commands", "config_commands", "encoding", "help", "options")
        ),
    }
    assert text == program(WHOLE, *lines, path=tmp_path).stdout.splitlines()


@pytest.mark.parametrize(
    "line",
    ["config --version", "nope --help", "help nope", "exec -- --help", "--help --json"],
)
def test_other_lines_are_left_to_the_rest(line: str, tmp_path: Path) -> None:
    """A line that is more than a question about us is read by `main`, with its errors."""
    assert answered(line.split()) is None
    assert not program(WHOLE, line, path=tmp_path).stderr.startswith("Traceback")


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


WHOLE = """\
import sys
from uv_self_update.cli.main import main

for line in sys.argv[1:]:
    main(line.split())
"""


def program(text: str, *lines: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python program with command lines as its arguments."""
    return subprocess.run(
        [sys.executable, "-c", text, *lines],
        env={"HOME": str(path)},
        capture_output=True,
        check=False,
        text=True,
    )
