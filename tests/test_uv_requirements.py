"""Where a command may name a release file by its URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from uv_self_update.releases.release_urls import OF_KIND, page_of
from uv_self_update.url import Url
from uv_self_update.uv.requirements import names_release

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORIES = {
    page_of(Url.parse(url)): OF_KIND[kind].mark
    for url, kind in (
        ("https://github.com/acme/tools", "github"),
        ("https://ghe.example:8443/Acme/Other/", "github"),
        ("https://gitlab.example/api/v4/projects/group%2Fbelow%2Ftools", "gitlab"),
        ("https://gitea.example/git/acme/tools.git", "gitea"),
    )
}
URL = "https://github.com/acme/tools/releases/download/v1/a-1.0-py3-none-any.whl"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (URL, True),
        (URL.upper().replace("HTTPS", "https"), True),
        (URL.replace("https", "http"), True),
        (URL.replace("github.com", "www.github.com"), True),
        (URL.replace("github.com", "github.com:443"), True),
        (URL.replace("github.com", "me:${TOKEN}@github.com"), True),
        ("https://ghe.example:8443/acme/other/releases/download/1/x.tar.gz", True),
        ("https://ghe.example/acme/other/releases/download/1/x.tar.gz", False),
        (URL.replace("acme/tools", "acme/toolsmith"), False),
        (URL.replace("acme", "other/acme"), False),
        (URL.replace("github.com", "github.com.evil.example"), False),
        (URL.replace("github.com", "notgithub.com"), False),
        (URL.replace("github.com", "githubxcom"), False),
        (URL.replace("/releases/download/", "/archive/"), False),
        ("git+https://github.com/acme/tools", False),
        (URL.replace("github.com", "github.com:8443"), False),
        ("https://gitlab.example/group/below/tools/-/releases/v/1/downloads/x/y.whl", True),
        ("https://gitlab.example/group/below/tools/-/releases/v1", False),
        ("https://gitlab.example/group/below/tools/releases/download/v1/y.whl", False),
        ("https://gitea.example/git/acme/tools/releases/download/v1/y.whl", True),
    ],
)
def test_urls(url: str, tmp_path: Path, *, expected: bool) -> None:
    """A URL of a configured repository counts in all its spellings, and no other one."""
    words = ["uv", "pip", "install", f"a @ {url}"]

    assert names_release(REPOSITORIES, words, [tmp_path], {}) is expected


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("pyproject.toml", "uv sync"),
        ("uv.lock", "uv sync"),
        ("uv.toml", "make"),
        ("requirements.txt", "make"),
        ("dev-requirements.in", "sh -c 'uv pip sync dev-requirements.in'"),
        ("pylock.prod.toml", "uv pip sync pylock.prod.toml"),
        ("tool.py", "uv run tool.py"),
        ("tool.py.lock", "uv run tool.py"),
        ("other/r.md", "uv pip install -r other/r.md"),
        ("other/r.md", "uv pip install -rother/r.md"),
        ("other/r.md", "uv pip install --requirements=other/r.md"),
        ("other/r.md", "sh -c 'uv pip install -r other/r.md; true'"),
    ],
)
@pytest.mark.parametrize("below", [False, True])
def test_files(path: str, words: str, tmp_path: Path, *, below: bool) -> None:
    """Every file that uv would read is looked at, and no other."""
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'x = {{ url = "{URL}" }}')
    directory = tmp_path
    if below:
        directory = tmp_path / "below"
        directory.mkdir()
    found = names_release(REPOSITORIES, words.split(), [directory], {})

    # What belongs to a project counts for each directory in it.
    assert found is (not below or path in {"pyproject.toml", "uv.lock", "uv.toml"})


def test_files_that_are_included(tmp_path: Path) -> None:
    """Included requirements, workspace members and paths are followed, in circles too."""
    (tmp_path / "packages" / "one").mkdir(parents=True)
    (tmp_path / "near").mkdir()
    member = tmp_path / "packages" / "one" / "pyproject.toml"
    path = tmp_path / "near" / "pyproject.toml"
    deep = tmp_path / "near" / "deep.txt"
    (tmp_path / "pyproject.toml").write_text(
        '[tool.uv.workspace]\nmembers = [\n  "packages/*",\n  "[", "/",\n]\n'
        '[tool.uv.sources]\nnear = { path = "near", editable = true }\n'
    )
    (tmp_path / "requirements.txt").write_text("-r near/deep.txt\n-c requirements.txt\n")
    (tmp_path / "app").mkdir()
    for file in (member, path, deep):
        assert not names_release(REPOSITORIES, ["uv", "sync"], [tmp_path], {})
        file.write_text(f"a @ {URL}")
        assert names_release(REPOSITORIES, ["uv", "sync"], [tmp_path], {})
        # Only what belongs to the project is read from a directory below.
        below = names_release(REPOSITORIES, ["uv", "sync"], [tmp_path / "app"], {})
        assert below is (file is not deep)
        file.unlink()


def test_files_that_variables_name(tmp_path: Path) -> None:
    """Uv's variables name files as well."""
    (tmp_path / "c.md").write_text(URL)

    assert not names_release(REPOSITORIES, ["uv"], [tmp_path], {})
    assert names_release(REPOSITORIES, ["uv"], [tmp_path], {"UV_CONSTRAINT": "a.txt c.md"})


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """A directory, a link to nothing and bytes of no text are no error."""
    (tmp_path / "uv.lock").mkdir()
    (tmp_path / "requirements.txt").symlink_to("nothing")
    (tmp_path / "constraints.txt").write_bytes(b"\xff\x00" + URL.encode())

    assert names_release(REPOSITORIES, ["uv", "\0", "x" * 5000], [tmp_path], {})
