"""The built wheel, installed as its users install it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors

if TYPE_CHECKING:
    from support.homes import Home
    from support.web import Web

ROOT = Path(__file__).parents[1]


@pytest.fixture
def tool(tmp_path: Path) -> Path:
    """Build the wheel, install it by `uv tool install`, and return the command."""
    uv = binaries.uv_command()
    folders = {"UV_TOOL_DIR": str(tmp_path / "tools"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin")}
    dist = tmp_path / "dist"
    build = [uv, "build", "--quiet", "--wheel", "--out-dir", str(dist), str(ROOT)]
    subprocess.run(build, check=True, cwd=tmp_path)
    (wheel,) = dist.glob("*.whl")
    install = [uv, "tool", "install", "--quiet", "--python", sys.executable, str(wheel)]
    subprocess.run(install, check=True, cwd=tmp_path, env={**os.environ, **folders})
    return tmp_path / "bin" / "uv-self-update"


@pytest.mark.extra
def test_installed_tool_updates_uv(tool: Path, home: Home, web: Web) -> None:
    """What `uv tool install dist/*.whl` installs updates by each source, up and down."""
    start, end = binaries.newest_but_one(), binaries.newest()
    home.install(start)
    web.pages |= mirrors.index_pages([end, start], real=True)
    web.pages |= mirrors.urls_pages([end, start], real=True)
    web.pages |= mirrors.github_pages([end, start], prefix="/base", real=True)
    index = f"index+{web.url}/simple/"
    github = f"github+{web.url}/base/astral-sh/uv"
    urls = {
        "LATEST_RELEASE_URL": f"{web.url}/latest.json",
        "RELEASES_DOWNLOAD_URL": f"{web.url}/files",
    }
    before = home.rest()
    command = (str(tool),)

    seen = []
    for arguments in (
        ["--source", index],
        ["--source", index, start],
        ["--source", github],
        [start, "--source", github],
        [],
        [start],
    ):
        done = home.run(*arguments, program=command, environ=urls)
        seen.append((done.code, home.version(), home.receipt_version()))

    assert seen == [(0, end, end), (0, start, start)] * 3
    assert home.rest() == before


def test_installed_tool_has_its_template(tool: Path, home: Home) -> None:
    """What a new configuration file says comes along."""
    done = home.run("config", "edit", program=(str(tool),), environ={"EDITOR": "true"})
    assert done.code == 0, done.err
    assert "#[policy]" in home.config.read_text()
