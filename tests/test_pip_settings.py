"""Where pip is told its index, read as pip itself reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from uv_self_update.sources.index.pip_settings import PipIndex, pip_index

if TYPE_CHECKING:
    from support.homes import Home

GLOBAL = "[global]\nindex-url = https://me:s3cret@h.example/simple/\n"


def test_places(tmp_path: Path) -> None:
    """Variables come before files, and the user's files before the system's."""
    home, etc = tmp_path / "home", tmp_path / "etc"
    environ = {"HOME": str(home)}

    def found(**more: str) -> PipIndex | None:
        return pip_index({**environ, **more}, platform="linux", etc=etc)

    assert found() is None
    place = etc / "pip.conf"
    for path in (
        place,
        etc / "xdg/pip/pip.conf",
        home / ".pip/pip.conf",
        home / ".config/pip/pip.conf",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GLOBAL)
        assert found() == PipIndex(place=str(path), key="global.index-url")
    assert found(PIP_CONFIG_FILE=os.devnull) is None
    assert found(PIP_CONFIG_FILE=str(place)) == PipIndex(place=str(place), key="global.index-url")
    assert found(PIP_INDEX_URL="https://h/") == PipIndex(place="PIP_INDEX_URL")
    empty = tmp_path / "empty.conf"
    empty.write_text("")
    assert found(PIP_CONFIG_FILE=str(empty)) == PipIndex(
        place=str(etc / "xdg" / "pip" / "pip.conf"), key="global.index-url"
    )


@pytest.mark.parametrize(
    ("text", "key", "variable"),
    [
        (GLOBAL, "global.index-url", "UV_DEFAULT_INDEX"),
        ("[install]\nindex_url = https://h/\n", "install.index-url", "UV_DEFAULT_INDEX"),
        (
            "[global]\nextra-index-url =\n  https://h/\n  https://i/\n",
            "global.extra-index-url",
            "UV_INDEX",
        ),
        ("[global]\ntimeout = 60\n", None, None),
        ("nonsense", None, None),
        ("[global]\nindex-url = %(x)s\n", "global.index-url", "UV_DEFAULT_INDEX"),
    ],
)
def test_keys(text: str, key: str | None, variable: str | None, tmp_path: Path) -> None:
    """The key is named as `pip config` has it, and the URL with its password is not kept."""
    file = tmp_path / "pip.conf"
    file.write_text(text)
    found = pip_index({"PIP_CONFIG_FILE": str(file)}, platform="linux", etc=tmp_path / "etc")
    if key is None:
        assert found is None
        return
    assert found == PipIndex(place=str(file), key=key)
    assert found.command == f'export {variable}="$(python -m pip config get {key})"'
    assert "s3cret" not in f"{found!r}{found}{found.command}"


@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_other_systems(platform: str, tmp_path: Path) -> None:
    """Windows and macOS have places of their own."""
    parts, name = {
        "win32": ("pip", "pip.ini"),
        "darwin": ("Library/Application Support/pip", "pip.conf"),
    }[platform]
    file = tmp_path / parts / name
    file.parent.mkdir(parents=True)
    file.write_text(GLOBAL)
    environ = {"HOME": str(tmp_path), "APPDATA": str(tmp_path)}
    assert pip_index(environ, platform=platform, etc=tmp_path / "etc") == PipIndex(
        place=str(file), key="global.index-url"
    )


@pytest.mark.system
def test_as_pip_reads_it(home: Home) -> None:
    """The command that is advised prints the index, asked of the real pip."""
    file = home.path / ".config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True)
    file.write_text("[global]\nindex-url = https://h.example/simple/\n")
    environ = home.full_environ({"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"})
    found = pip_index(environ)
    assert found is not None
    done = subprocess.run(
        ["/bin/sh", "-c", f'{found.command}; echo "$UV_DEFAULT_INDEX"'],
        env=environ,
        cwd=home.path,
        capture_output=True,
        check=True,
        text=True,
    )
    assert done.stdout == "https://h.example/simple/\n"
