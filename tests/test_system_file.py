"""The uv.toml of a run, and when variables take its place."""

from __future__ import annotations

import errno
import os
import re
from typing import TYPE_CHECKING

import pytest

from support.stand import done, locked
from uv_self_update.uv import system_file

if TYPE_CHECKING:
    from pathlib import Path

    from support.stand import Stand

OURS = re.compile(r"http://uv:[0-9a-f]{48}@127\.0\.0\.1:\d+")


def shows(stand: Stand, version: str) -> None:
    """Let `uv` be a program of a version that prints what it would use."""
    stand.home.uv.unlink()
    stand.home.uv.write_text(
        f"#!/bin/sh\nif [ $1 = --version ]; then echo uv {version}; exit; fi\n"
        'echo "proxy=$HTTP_PROXY"; echo "lower=$http_proxy"; echo "dirs=$XDG_CONFIG_DIRS"\n'
    )
    stand.home.uv.chmod(0o755)


def seen(stand: Stand, **environ: str) -> dict[str, str]:
    """Return what uv sees under `exec`."""
    answer = done(stand.run("uv", "sync", HTTP_PROXY="http://user:1", **environ))
    return dict(line.split("=", 1) for line in answer.out.splitlines())


def by_variables(found: dict[str, str]) -> bool:
    """Return whether the variables name our proxy, and no file of ours."""
    assert (OURS.fullmatch(found["proxy"]) is None) is (found["lower"] == "")
    return bool(found["lower"])


@pytest.mark.parametrize(
    ("version", "old"), [("0.9.22", True), ("0.9.23", False), ("0.10.0", False), ("x", True)]
)
def test_version(version: str, stand: Stand, *, old: bool) -> None:
    """A uv before 0.9.23, or of an unknown version, refuses the keys, and gets variables."""
    shows(stand, version)

    found = seen(stand)

    assert by_variables(found) is old
    assert ("uv-self-update-" in found["dirs"]) is not old


def test_no_place_for_the_file(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file cannot be written, variables take its place."""

    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    shows(stand, "0.13.9")
    monkeypatch.setattr(system_file, "private_directory", full)

    assert by_variables(seen(stand))


def test_unusable_system_file(stand: Stand, tmp_path: Path) -> None:
    """A system file that uv would refuse is not hidden by ours: variables, and uv says so."""
    shared = tmp_path / "shared" / "uv"
    shared.mkdir(parents=True)
    (shared / "uv.toml").write_text("no TOML")
    directories = str(shared.parent)

    refused = stand.run("uv", "lock", XDG_CONFIG_DIRS=directories)
    assert refused.code == 2
    assert str(shared / "uv.toml") in refused.err
    shows(stand, "0.13.9")
    found = seen(stand, XDG_CONFIG_DIRS=directories)
    assert by_variables(found)
    assert found["dirs"] == directories


def test_directories_of_the_user_count(stand: Stand, tmp_path: Path) -> None:
    """With several directories, the first system file that uv would read still counts."""
    for name, text in (
        ("second", f'[[index]]\nurl = "{stand.public.index}"\ndefault = true\n'),
        ("third", 'offline = true\n[[index]]\nurl = "http://third.invalid/"\ndefault = true\n'),
    ):
        place = tmp_path / name / "uv"
        place.mkdir(parents=True)
        (place / "uv.toml").write_text(text)
    directories = ":".join(str(tmp_path / name) for name in ("first", "second", "third"))

    done(stand.run("uv", "lock", XDG_CONFIG_DIRS=directories, UV_DEFAULT_INDEX=""))

    assert locked(stand)["iniconfig"] == f"2.0.0 {stand.public.index}"
    assert locked(stand)["internal-package"] == f"1.1.0 {stand.packages.index}"


@pytest.mark.parametrize("option", ["--no-config", "--config-file"])
def test_options_about_files(option: str, stand: Stand, tmp_path: Path) -> None:
    """An option that says which files uv reads leaves it to variables."""
    shows(stand, "0.13.9")
    (tmp_path / "uv.toml").write_text("")
    words = [option, str(tmp_path / "uv.toml")][: 2 if option == "--config-file" else 1]

    answer = done(stand.run("uv", "sync", *words))

    assert OURS.search(answer.out)


@pytest.mark.parametrize("name", ["UV_NO_SYSTEM_CONFIG", "UV_NO_CONFIG"])
def test_system_files_are_switched_off(name: str, stand: Stand) -> None:
    """Where uv reads no system file, it is reached by variables."""
    done(stand.run("uv", "lock", **{name: "1"}))

    assert locked(stand)["internal-package"] == f"1.1.0 {stand.packages.index}"
