"""`init --releases` and `releases --packages`."""

from __future__ import annotations

import json
import tomllib
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from support.simulator.dialect import PASSWORD
from support.simulator.packages import Packages, ReleaseOf, wheel
from uv_self_update.cli.main import main
from uv_self_update.errors import NoPackages
from uv_self_update.releases import flat_index

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Home

NEW = dict(
    [
        wheel("internal", "2.0", tag="cp311-cp311-win_amd64"),
        wheel("internal", "2.0", tag="cp311-cp311-manylinux_2_17_x86_64"),
        wheel("other", "0.1"),
    ]
)
OLD = {**dict([wheel("internal", "1.0")]), "internal-1.0.tar.gz": b"sdist", "notes.txt": b""}


@pytest.fixture
def packages(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    """Serve a repository, to a user with its token."""
    for name, value in home.full_environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("UV_GITHUB_TOKEN", PASSWORD)
    monkeypatch.setenv("UV_SELF_UPDATE_CONFIG", str(home.config))
    monkeypatch.chdir(home.path)
    home.config.parent.mkdir(parents=True)
    home.config.write_text("")
    home.config.chmod(0o600)
    releases = [ReleaseOf(tag="v2", files=NEW), ReleaseOf(tag="v1", files=OLD)]
    with Packages(releases=releases) as server:
        yield server


def test_init(packages: Packages, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """A repository is examined and appended once; what a project needs is printed."""
    home.config.write_text("# mine\n[network]\nretries = 1\n")
    assert main(["init", "--releases", packages.place, "--token-env", "UV_GITHUB_TOKEN"]) == 0

    out = capsys.readouterr().out
    assert "internal: 2.0, 1.0 (manylinux_2_17_x86_64, win_amd64)\n" in out
    assert "other: 0.1 (any)\n" in out
    assert f'[[tool.uv.index]]\nurl = "{packages.index}"\n' in out
    text = home.config.read_text()
    assert text.startswith("# mine\n[network]\nretries = 1\n")
    assert tomllib.loads(text)["releases"] == [
        {
            "kind": "github",
            "url": packages.place,
            "token-env": "UV_GITHUB_TOKEN",
            "packages": ["internal", "other"],
        }
    ]
    assert main(["init", "--releases", f"github+{packages.place}"]) == 0
    assert "was not changed" in capsys.readouterr().out
    assert home.config.read_text() == text


def test_init_of_nothing(
    packages: Packages, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """A repository without packages, or that cannot be read, is not written down."""
    packages.releases.clear()
    assert main(["init", "--releases", f"github+{packages.place}"]) == 12
    assert main(["init", "--releases", f"github+{packages.url}/acme/no"]) == 6
    assert "GitHub answers 404 for a private repository" in capsys.readouterr().err
    assert home.config.read_text() == ""


def test_list(packages: Packages, home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    """Packages are listed, the newest version first, with what is claimed; or as JSON."""
    home.config.write_text(f'[[releases]]\nurl = "{packages.place}"\npackages = ["Internal"]\n')
    assert main(["releases", "--packages"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[:3] for line in lines[1:]] == [
        ["internal", "2.0", "2026-09-01"],
        ["internal", "1.0", "2026-09-01"],
        ["other", "0.1", "2026-09-01"],
    ]
    assert lines[2][3:] == ["any,", "sdist", "yes", "v1", packages.place]
    assert lines[3][3:] == ["any", "no", "v2", packages.place]

    assert main(["releases", "--packages", "--json", "--limit", "1"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["project"], row["version"]) for row in rows] == [
        ("internal", "2.0"),
        ("other", "0.1"),
    ]


def test_bad_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is wrong in `[[releases]]` is named by its key."""
    file = tmp_path / "bad.toml"
    file.write_text(
        '[[releases]]\nkind = "nexus"\n[[releases]]\nurl = "https://h.example/a/b"\n'
        'packages = "x"\nprereleases = 1\nnope = 2\n'
        '[[releases]]\nkind = "gitlab"\nurl = "https://h.example/a/b"\nprereleases = true\n'
        '[[releases]]\npath = "/mnt"\nurl = "https://h.example/a/b"\npackages = []\n'
    )
    assert main(["--config", str(file), "releases", "--packages"]) == 3
    err = capsys.readouterr().err
    for words in (
        "releases[0].kind: invalid value",
        "releases[1].packages: invalid value `x`: expected a list of names",
        "releases[1].prereleases: invalid type (a number): expected `true` or `false`",
        "releases[1].nope",
        "releases[2].prereleases: not a key of releases of kind `gitlab`",
        "releases[3].packages: invalid type (an array): expected a list of names",
        "releases[3].url: not a key",
    ):
        assert words in err


def test_init_of_an_unknown_server(
    packages: Packages, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """A token of GitHub's is not sent to a server that only might be one, which is said."""
    assert main(["init", "--releases", packages.place]) == 6

    err = capsys.readouterr().err
    assert f"Name the kind before the URL, as in `github+{packages.place}`" in err
    assert err.startswith(f"error: no releases of packages found at {packages.place}\n")
    assert all("Authorization" not in asked.headers for asked in packages.asked)
    assert home.config.read_text() == ""


def test_two_of_one_index(
    packages: Packages, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two tables with one index are refused: the second would never be asked."""
    table = f'[[releases]]\nurl = "{packages.place}"\npackages = ["%s"]\n'
    home.config.write_text(table % "internal" + table % "other")

    assert main(["exec", "--", "true"]) == 12
    assert f"have the same index {packages.index}" in capsys.readouterr().err
    assert packages.asked == []


@pytest.mark.usefixtures("packages")
@pytest.mark.parametrize(("choice", "colored"), [("always", True), ("never", False)])
def test_color_of_what_exec_reports(
    choice: str,
    *,
    colored: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """`--color` applies to what is reported once the command has ended."""
    outcome = SimpleNamespace(errors=[NoPackages("here")], warnings=["odd"], exit_code=12)
    monkeypatch.setattr("uv_self_update.cli.wrapped.run", lambda *_: outcome)

    assert main(["exec", "--color", choice, "--", "true"]) == 12

    error, *_, warning = capsys.readouterr().err.splitlines()
    assert [error.startswith("\x1b["), warning.startswith("\x1b[")] == [colored] * 2


def test_nothing_is_configured(
    packages: Packages, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command that needs releases says so; what was fetched is checked without any."""
    (home.path / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "0"\n')
    for command in ["fetch"], ["fetch", "--check"], ["releases", "--packages"], ["exec", "--", "x"]:
        assert main(command) == 12
        assert "error: no releases are configured\n" in capsys.readouterr().err
    page = home.path / "packages" / "index.html"

    assert main(["fetch", "--check", "--releases", packages.place]) == 11
    assert capsys.readouterr().out == f"{page} is missing\n"
    page.parent.mkdir()
    page.write_bytes(flat_index.render({}))
    assert main(["fetch", "--check"]) == 0
