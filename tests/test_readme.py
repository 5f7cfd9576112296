"""README and the reference agree with the code."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from support import reference, troubleshooting
from uv_self_update.cli.commands import root
from uv_self_update.cli.options import COMMANDS, FLAGS, OPTIONS, UPDATE_FLAGS
from uv_self_update.config.kinds import KINDS, SOURCE_FIELDS
from uv_self_update.config.load import load
from uv_self_update.config.releases import RELEASES_FIELDS
from uv_self_update.config.settings import FIELDS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REFERENCE = reference.PAGE.read_text(encoding="utf-8")
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", CONFIGURATION, re.DOTALL | re.MULTILINE)

LONGEST = 130  # lines of the README


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


def test_readme_is_short() -> None:
    """README says what it is and how to begin; everything else is in `docs/`."""
    assert len(README.splitlines()) <= LONGEST


def test_readme_leads_to_every_page() -> None:
    """README links to each page in `docs/`; the pages of the sources have an index of their own."""
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}

    assert pages <= set(re.findall(r"\]\(docs/([^)/]+\.md)\)", README))
    assert "](docs/sources/README.md)" in README


def test_readme_names_every_command() -> None:
    """Each command, and each flag of the update but `--json`, is in README's table."""
    table = README[README.index("## Use it") : README.index("## What you can rely on")]
    words = {*COMMANDS, *UPDATE_FLAGS} - {"update", "--json"}

    assert {word for word in words if f"`uv-self-update {word}" not in table} == set()


def test_reference_is_current() -> None:
    """The generated part of the reference is what the code says."""
    assert reference.renewed(REFERENCE) == REFERENCE, f"run `{reference.COMMAND}`"


def test_troubleshooting_is_current() -> None:
    """The list of errors is what the code says."""
    page = troubleshooting.PAGE.read_text(encoding="utf-8")
    assert troubleshooting.renewed(page) == page, f"run `{troubleshooting.COMMAND}`"


def test_every_command_and_option_is_named() -> None:
    """Each command, option, key and variable is in the reference."""
    words = set(COMMANDS) - {"update"} | {*OPTIONS, *FLAGS, *UPDATE_FLAGS}
    for command in (root, *root.commands.values()):
        for parameter in command.params:
            if isinstance(parameter, click.Option) and not parameter.hidden:
                words |= {option for option in parameter.opts if option.startswith("--")}
    source = "".join(file.read_text() for file in (ROOT / "src").rglob("*.py"))
    words |= set(re.findall(r"\bUV_SELF_UPDATE_[A-Z_]+\b", source))
    words |= {f"`{key}`" for key in (*FIELDS, *SOURCE_FIELDS)}

    missing = {word for word in words if word not in REFERENCE}

    assert missing == set()


def test_every_setting_has_a_meaning() -> None:
    """Each key says what it does: in the code, or in the table of the reference."""
    assert [key for key, field in FIELDS.items() if not field.help] == []
    assert set(reference.SOURCE_KEYS) == set(SOURCE_FIELDS)
    assert set(reference.RELEASES_KEYS) == set(RELEASES_FIELDS) - set(SOURCE_FIELDS)


def test_every_exit_code_is_listed() -> None:
    """The table of exit codes has each code of the error tree, that of `--check`, and no other."""
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", REFERENCE, re.MULTILINE)}

    assert listed == reference.exit_codes() == set(reference.EXIT_CODES)


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
