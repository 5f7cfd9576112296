"""After an update, another uv that PATH finds first is named."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Home
    from support.web import Web

START, FIRST = "0.8.24", "0.5.31"


@pytest.fixture
def home(home: Home, web: Web) -> Home:
    """Return a home with a uv that can be updated."""
    home.install(START)
    web.pages |= mirrors.urls_pages([binaries.newest()])
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )
    return home


def path_of(*folders: Path | str) -> str:
    """Return a PATH that begins with these folders."""
    return os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"])


def put(folder: Path, version: str = FIRST) -> Path:
    """Put a uv somewhere."""
    folder.mkdir(parents=True)
    shutil.copy2(binaries.scripts(version) / "uv", folder / "uv")
    return folder / "uv"


def test_another_comes_before(home: Home, tmp_path: Path) -> None:
    """Both are named with their versions."""
    first = put(tmp_path / "first")
    path = path_of(first.parent, home.bin)

    done = home.run("--uv", str(home.uv), environ={"PATH": path})

    assert done.code == 0, done.err
    assert done.err.splitlines()[-1] == (
        f"warning: {home.uv} ({binaries.newest()}) was updated, but `uv` on PATH is {first} "
        f"({FIRST}), which comes first"
    )


def test_updated_one_is_not_on_path(home: Home, tmp_path: Path) -> None:
    """Where PATH does not lead to the updated one at all, that is said."""
    first = put(tmp_path / "first")

    done = home.run("--uv", str(home.uv), environ={"PATH": path_of(first.parent)})

    end = f"`uv` on PATH is {first} ({FIRST}): {home.bin} is not on PATH"
    assert done.err.splitlines()[-1].endswith(end)


def test_another_does_not_run(home: Home, tmp_path: Path) -> None:
    """One that does not even run is named all the same."""
    first = tmp_path / "first" / "uv"
    first.parent.mkdir()
    first.write_text("#!/bin/sh\nexit 1\n")
    first.chmod(0o755)

    done = home.run("--uv", str(home.uv), environ={"PATH": path_of(first.parent, home.bin)})

    assert f"`uv` on PATH is {first} (it does not run), which comes first" in done.err


def test_the_same_by_another_name(home: Home, tmp_path: Path) -> None:
    """A link to the updated one, or nothing at all on PATH, is no reason to speak."""
    link = tmp_path / "links" / "uv"
    link.parent.mkdir()
    link.symlink_to(home.uv)

    linked = home.run("--uv", str(home.uv), environ={"PATH": path_of(link.parent)})
    again = home.run(START, "--uv", str(home.uv), environ={"PATH": path_of("relative")})

    assert linked.code == 0, linked.err
    assert "warning" not in linked.err + again.err


@pytest.mark.parametrize("arguments", [("--dry-run",), ("-q",), ("9.9.9",)])
def test_silent_without_an_update(arguments: tuple[str, ...], home: Home, tmp_path: Path) -> None:
    """Nothing is said where nothing was updated, or where uv was told to be quiet."""
    first = put(tmp_path / "first")
    path = path_of(first.parent, home.bin)

    done = home.run(*arguments, "--uv", str(home.uv), environ={"PATH": path})

    assert "on PATH" not in done.err


def test_silent_if_nothing_is_due(home: Home, tmp_path: Path) -> None:
    """A uv that is the newest already is not updated, and nothing is said."""
    home.install(binaries.newest())
    first = put(tmp_path / "first")
    path = path_of(first.parent, home.bin)

    done = home.run("--uv", str(home.uv), environ={"PATH": path})

    assert done.code == 0, done.err
    assert "on PATH" not in done.err
