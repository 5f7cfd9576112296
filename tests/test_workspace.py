"""What has to be resolved for a project: its workspace, its Python, its extras and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from uv_self_update.uv.configuration import UnusableFile
from uv_self_update.uv.workspace import Workspace, proxy_keys

if TYPE_CHECKING:
    from pathlib import Path


def project(directory: Path, text: str) -> Path:
    """Write a pyproject.toml."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "pyproject.toml").write_text(text)
    return directory


def of(directory: Path) -> Workspace:
    """Return the workspace of a directory, which has one."""
    found = Workspace.find(directory)
    assert found is not None
    return found


ROOT = '[tool.uv.workspace]\nmembers = ["./libs/*/", "tool"]\nexclude = ["libs/out"]\n'


def test_root_of_a_member(tmp_path: Path) -> None:
    """A member belongs to its root, and what the root excludes to itself."""
    project(tmp_path, ROOT)
    one = project(tmp_path / "libs" / "one", '[project]\nname = "one"\n')
    out = project(tmp_path / "libs" / "out", '[project]\nname = "out"\n')
    tool = project(tmp_path / "tool", '[project]\nname = "tool"\n')
    (tmp_path / "libs" / "empty").mkdir()
    (tmp_path / "libs" / "page.html").touch()
    (one / "src").mkdir()

    for directory in (tmp_path, one / "src", tool):
        assert of(directory).root == tmp_path
        assert of(directory).sources() == ["libs/one/pyproject.toml", "tool/pyproject.toml"]
    assert of(out).root == out
    assert of(out).sources() == ["pyproject.toml"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A broken file above a project is no root of it, and a broken one of its own is an error."""
    project(tmp_path, "broken")
    inner = project(tmp_path / "inner", '[project]\nname = "inner"\n')
    assert of(inner).root == inner
    with pytest.raises(UnusableFile):
        Workspace.find(tmp_path)
    project(tmp_path, '[tool.uv.workspace]\nmembers = ["/absolute/*", "../*", ""]\n')
    assert of(tmp_path).root == tmp_path


@pytest.mark.parametrize(
    ("requires", "lowest"),
    [
        ([">=3.8"], "3.8"),
        ([">=3.9,<4", ">=3.11,!=3.12.1"], "3.11"),
        (["~=3.10"], "3.10"),
        (["==3.12.*"], "3.12"),
        (["<4"], None),
        (["nonsense"], None),
        ([], None),
    ],
)
def test_lowest_python(requires: list[str], lowest: str | None, tmp_path: Path) -> None:
    """The lowest Python is one that every member supports."""
    project(tmp_path, '[tool.uv.workspace]\nmembers = ["*"]\n')
    for number, text in enumerate(requires):
        project(tmp_path / str(number), f'[project]\nname = "p"\nrequires-python = "{text}"\n')

    assert of(tmp_path).python() == lowest


def test_selections(tmp_path: Path) -> None:
    """Everything is resolved at once, unless some of it conflicts."""
    text = (
        '[project]\nname = "p"\n[project.optional-dependencies]\na = []\nb = []\n'
        "[dependency-groups]\ndev = []\n"
    )
    project(tmp_path, text)
    assert of(tmp_path).selections() == [["--all-extras", "--group", "dev"]]
    project(tmp_path, f'{text}[tool.uv]\nconflicts = [[{{ extra = "a" }}, {{ extra = "b" }}]]\n')
    assert of(tmp_path).selections() == [[], ["--extra", "a"], ["--extra", "b"], ["--group", "dev"]]


def test_group_of_a_member(tmp_path: Path) -> None:
    """The group of a member is named with its file."""
    project(tmp_path, '[tool.uv.workspace]\nmembers = ["m"]\n[dependency-groups]\ndev = []\n')
    project(tmp_path / "m", '[project]\nname = "m"\n[dependency-groups]\nlint = []\n')

    assert of(tmp_path).selections() == [
        ["--all-extras", "--group", "dev", "--group", "m/pyproject.toml:lint"]
    ]


@pytest.mark.parametrize(
    ("inner", "keys"), [('[project]\nname = "a"\n', ["http-proxy"]), ("[tool.uv]\n", [])]
)
def test_files_of_a_project(inner: str, keys: list[str], tmp_path: Path) -> None:
    """A `pyproject.toml` without a table of uv does not hide the files above it."""
    above = tmp_path / "uv.toml"
    above.write_text('http-proxy = "http://proxy.example:3128"\n')
    directory = project(tmp_path / "a", inner)

    found = proxy_keys({"XDG_CONFIG_DIRS": str(tmp_path)}, directory, windows=False)
    assert [*found] == [(above, key) for key in keys]
