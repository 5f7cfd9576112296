"""What the README says is so."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from uv_self_update import errors
from uv_self_update.cli.commands import root
from uv_self_update.cli.main import COMMANDS, FLAGS, OPTIONS, UPDATE_FLAGS
from uv_self_update.config.kinds import KINDS
from uv_self_update.config.load import load
from uv_self_update.workflow.check import UPDATE_DUE

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def leaves(branch: type[errors.UvSelfUpdateError]) -> list[type[errors.UvSelfUpdateError]]:
    """Return every class of errors below one, and itself."""
    return [branch, *(leaf for below in branch.__subclasses__() for leaf in leaves(below))]


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_can_be_used(example: str, tmp_path: Path) -> None:
    """Every example of a configuration file is accepted as it stands."""
    file = tmp_path / "config.toml"
    file.write_text(example)

    assert load(file) is not None


def test_every_kind_has_an_example() -> None:
    """Each kind of source is shown in an example."""
    shown = set(re.findall(r'kind = "(\w+)"', "".join(EXAMPLES)))

    assert shown == set(KINDS)


def test_every_command_and_option_is_named() -> None:
    """Each command, option and variable stands in the README."""
    words = set(COMMANDS) - {"update"} | {*OPTIONS, *FLAGS, *UPDATE_FLAGS}
    for command in (root, *root.commands.values()):
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                words |= {option for option in parameter.opts if option.startswith("--")}
    source = "".join(file.read_text() for file in (ROOT / "src").rglob("*.py"))
    words |= set(re.findall(r"\bUV_SELF_UPDATE_[A-Z_]+\b", source))

    missing = {word for word in words - {"--version"} if word not in README}

    assert missing == set()


def test_every_exit_code_is_listed() -> None:
    """The table of exit codes has each code of the error tree, that of `--check`, and no other."""
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}

    failures = {error.exit_code for error in leaves(errors.UvSelfUpdateError)} - {1}
    assert UPDATE_DUE not in failures
    assert listed == failures | {UPDATE_DUE}


def test_continuous_integration_runs_the_command_of_the_readme() -> None:
    """`.ci/run` passes only if the README's own test command passes."""
    (command,) = re.findall(r"^\$ (.*pytest)$", README, re.MULTILINE)

    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_repository_names_no_registry() -> None:
    """No lock file is kept, and no address of a package registry is written anywhere."""
    git = shutil.which("git")
    assert git is not None
    listing = subprocess.run(
        [git, "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    files = listing.stdout.splitlines()
    registries = re.compile(r"py[p]i\.org|pythonhosted[.]org|npm[j]s\.org")

    offending = [name for name in files if registries.search((ROOT / name).read_text())]

    assert offending == []
    assert not any(name.endswith(".lock") for name in files)
