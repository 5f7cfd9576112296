"""What a release is made of: one version, a changelog, the notes of a tag, one build."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from uv_self_update import __version__

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FRAGMENTS = sorted((ROOT / "changelog.d").iterdir())
TYPES = {each["directory"] for each in PROJECT["tool"]["towncrier"]["type"]}
SECTIONS = "## 0.2.0 (2026-12-01)\n\n### Fixed\n\n- One.\n\n## 0.1.0 (2026-11-29)\n\n- Two.\n"


def test_version_is_in_one_place() -> None:
    """The build reads the version from the package."""
    assert "version" not in PROJECT["project"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "src/uv_self_update/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


@pytest.mark.parametrize("path", FRAGMENTS, ids=lambda path: path.name)
def test_fragment(path: Path) -> None:
    """A fragment has a type that towncrier knows, and is one line that ends with a full stop."""
    assert re.fullmatch(r"\+[a-z0-9-]+\.(\w+)\.md", path.name), path.name
    assert path.name.split(".")[-2] in TYPES
    assert re.fullmatch(r"[A-Z][^\n]+[.)]\n", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("tag", "fragment", "expected"),
    [
        ("v0.2.0", False, "### Fixed\n\n- One.\n"),
        ("v0.3.0", False, "error: tag `v0.3.0` is not the package's version: expected `v0.2.0`"),
        ("0.2.0", False, "error: tag `0.2.0` is not the package's version: expected `v0.2.0`"),
        ("v0.2.0", True, "error: 1 fragments in `changelog.d/`: run `towncrier build`"),
    ],
)
def test_notes_of_a_tag(tmp_path: Path, tag: str, expected: str, *, fragment: bool) -> None:
    """A tag gets its section of the changelog; one that was not prepared is refused."""
    done = notes(tmp_path, tag, SECTIONS, fragment=fragment)

    assert (done.returncode, done.stdout or done.stderr.strip()) == (
        1 if "error" in expected else 0,
        expected,
    )


def test_notes_without_a_section(tmp_path: Path) -> None:
    """A changelog without the version is refused."""
    done = notes(tmp_path, "v0.2.0", SECTIONS.partition("## 0.1.0")[2], fragment=False)

    assert done.returncode == 1
    assert done.stderr == "error: `CHANGELOG.md` has no section `## 0.2.0`\n"


def notes(
    root: Path, tag: str, changelog: str, *, fragment: bool
) -> subprocess.CompletedProcess[str]:
    """Run `.ci/notes` in a repository of version 0.2.0."""
    package = root / "src" / "uv_self_update"
    for directory in (package, root / ".ci", root / "changelog.d"):
        directory.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "0.2.0"\n')
    (root / "CHANGELOG.md").write_text("# Changelog\n\n" + changelog)
    if fragment:
        (root / "changelog.d" / "+left.fixed.md").write_text("Left.\n")
    script = Path(shutil.copy(ROOT / ".ci" / "notes", root / ".ci"))
    return subprocess.run(
        [sys.executable, script, tag], capture_output=True, text=True, check=False
    )


def test_what_is_published_is_what_was_tested() -> None:
    """One build; its wheel is tested, not the checkout; each right belongs to one job."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]

    assert [job.get("needs") for job in jobs.values()] == [None, "build", "test", "publish"]
    assert [name for name in jobs if "uv build" in commands(jobs[name])] == ["build"]
    assert 'assert "site-packages" in it.__file__' in commands(jobs["test"])
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "build": {"contents": "read"},
        "test": {"contents": "read"},
        "publish": {"id-token": "write"},
        "announce": {"contents": "write"},
    }
    assert jobs["publish"]["environment"] == "pypi"
    assert "secrets." not in str(workflow)


def commands(job: dict[str, Any]) -> str:
    """Return the commands of a job."""
    return "\n".join(step.get("run", "") for step in job["steps"])


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name
)
def test_issue_template(path: Path) -> None:
    """A template says what it is for, and GitHub knows the type of each field."""
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.name == "config.yml":
        assert form == {"blank_issues_enabled": False}
        return
    assert form["name"]
    assert form["description"]
    for field in form["body"]:
        assert field["type"] in {"markdown", "textarea", "input", "dropdown", "checkboxes"}
        assert field["type"] == "markdown" or field["attributes"]["label"]
