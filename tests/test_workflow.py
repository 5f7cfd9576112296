"""What is checked of every change, on which systems, and with which rights."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
CI = ROOT / ".github" / "workflows" / "ci.yml"
EVERY = ROOT / ".github" / "workflows" / "every.yml"
WINDOWS = ROOT / ".github" / "workflows" / "windows.yml"
RELEASE = ROOT / ".github" / "workflows" / "release.yml"
OTHER_TYPES = (" --platform win32 src", " --platform darwin src")


def read(file: Path) -> dict[str, Any]:
    """Return a workflow; YAML 1.1 takes its key `on` for a truth."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in document.items()}


JOBS = [
    pytest.param(job, id=f"{file.stem}: {name}")
    for file in FILES
    for name, job in read(file)["jobs"].items()
    if "strategy" in job
]
TRIGGERS = {
    CI: {"push", "pull_request"},
    EVERY: {"schedule", "workflow_dispatch"},
    RELEASE: {"push"},
    WINDOWS: {"push", "pull_request"},
}


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_actions_are_pinned(file: Path) -> None:
    """Every action is pinned by a commit, with its version beside it, and the same everywhere."""
    lines = re.findall(r"^\s*(?:- )?uses: *(.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)

    used = [
        step["uses"]
        for job in read(file)["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ]
    assert len(lines) == len(used) > 0
    for line in lines:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    actions = {line.partition("@")[0] for line in lines}
    assert len(set(lines)) == len(actions)


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_nothing_is_permitted_by_default(file: Path) -> None:
    """A job has no right but those that it names; an outdated run of a branch is given up."""
    workflow = read(file)

    assert workflow["permissions"] == {}
    assert "github.ref" in workflow["concurrency"]["group"]
    assert workflow["concurrency"]["cancel-in-progress"] is (file != RELEASE)
    assert set(workflow["on"]) == TRIGGERS[file]


@pytest.mark.parametrize("job", JOBS)
def test_job_may_read_and_no_more(job: dict[str, Any]) -> None:
    """Each reads the repository, keeps no login, ends some time, and lets the others go on."""
    assert job["permissions"] == {"contents": "read"}
    assert 0 < job["timeout-minutes"] <= 120
    assert job["strategy"]["fail-fast"] is False
    (checkout,) = [step for step in job["steps"] if "checkout" in step.get("uses", "")]
    assert checkout["with"]["persist-credentials"] is False
    (python,) = [step for step in job["steps"] if "setup-python" in step.get("uses", "")]
    assert python["with"]["python-version"] == "${{ matrix.python }}"
    # What somebody else has named, such as a branch, is no part of a command.
    assert not [step for step in job["steps"] if "${{" in step.get("run", "")]


def test_every_promised_python_is_tried_on_every_system() -> None:
    """The classifiers and the matrix name the same Pythons, and none stands as a number."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    promised = re.findall(r"Python :: (\d+\.\d+)$", "\n".join(project["classifiers"]), re.MULTILINE)
    jobs = read(CI)["jobs"].values()

    systems = [
        system for job in jobs for system in job["strategy"]["matrix"].get("os", [job["runs-on"]])
    ]
    assert sorted(systems) == ["macos-latest", "ubuntu-latest", "windows-latest"]
    for job in jobs:
        assert job["strategy"]["matrix"]["python"] == promised


TESTS = "python -m pip install uv && uv run pytest"
REHEARSAL = "uv run --no-project --with-editable . uv-self-update rehearse"


def test_what_is_run_is_what_is_documented() -> None:
    """The README's own commands are run on every system."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert f"$ {TESTS}\n" in readme
    assert f"&& {REHEARSAL}\n" in readme
    for commands in (linux(), elsewhere()):
        assert {TESTS, REHEARSAL} <= set(commands)


def test_every_system_has_lint_and_types() -> None:
    """Linux runs the whole check, with the types of all systems; the others with their own."""
    lint = {"uv run ruff check", "uv run ruff format --check", "uv run lint-imports"}

    assert lint <= set(linux())
    assert lint <= set(elsewhere())
    assert {f"uv run mypy{of}" for of in ("", *OTHER_TYPES)} <= set(linux())
    assert "uv run mypy src" in elsewhere()


SYSTEM = 'uv run --group servers pytest -m "(system or extra) and not slow"'
EXTRA = 'uv run pytest -m "extra and not slow"'
SLOW = "uv run --group servers pytest -m slow ${EVERY:+--every}"


def test_every_test_is_run_on_linux() -> None:
    """What the README's command leaves out has a step of its own; each week all of it is run."""
    assert {TESTS, SYSTEM, SLOW} <= set(linux())
    (run,) = [step["run"] for step in read(EVERY)["jobs"]["every"]["steps"] if "run" in step]
    assert run.endswith(" EVERY=1 .ci/run")


def test_further_uvs_are_tried_on_every_system() -> None:
    """What the README's command leaves out, because it would download more, is run as well."""
    assert EXTRA in elsewhere()


def test_windows_is_run_on_both() -> None:
    """The scenarios of Windows are run by Wine on Linux, and on Windows itself."""
    (job,) = read(WINDOWS)["jobs"].values()
    runs = [step["run"] for step in job["steps"] if "run" in step]

    assert "uv run --exact pytest -m wine -n 2" in [line.partition(" #")[0] for line in linux()]
    assert [run.partition("&& ")[2] for run in runs] == ["uv run pytest -m wine -n 0"]
    assert job["runs-on"] == "windows-latest"
    assert job["defaults"] == {"run": {"shell": "bash"}}


def test_what_is_run_first_is_small() -> None:
    """`uv run` fetches what the tests of its own step need: no server, no linter."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["uv"]["default-groups"] == ["test"]
    groups = project["dependency-groups"]
    assert not [one for one in groups["test"] if isinstance(one, dict)]
    others = {name for group in groups for name in _names(groups[group]) if group != "test"}
    assert not others & _names(groups["test"])


def _names(requirements: list[str]) -> set[str]:
    """Return the names of the required packages."""
    return {re.split(r"[^\w-]", one)[0] for one in requirements}


def linux() -> list[str]:
    """Return what is run on Linux: one file, by which everybody can run it."""
    (run,) = [step["run"] for step in read(CI)["jobs"]["everything"]["steps"] if "run" in step]
    assert run.endswith(" .ci/run")
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines]


def elsewhere() -> list[str]:
    """Return what is run on macOS and on Windows, in a shell that ends where one fails."""
    job = read(CI)["jobs"]["elsewhere"]
    assert job["defaults"] == {"run": {"shell": "bash"}}
    lines = [line for step in job["steps"] for line in step.get("run", "").splitlines()]
    assert not [step for step in job["steps"] if {"shell", "if", "continue-on-error"} & set(step)]
    return [line.partition(" #")[0] for line in lines]
