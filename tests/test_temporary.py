"""Private directories among temporary files: those of killed processes are removed, no others."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from uv_self_update.temporary import private_directory, remove_abandoned

OWNER = """
import sys
from uv_self_update.temporary import private_directory
with private_directory() as place:
    (place / "uv").mkdir()
    (place / "uv" / "uv.toml").write_text("secret")
    print(place, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make this the directory for temporary files, which is empty."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def killed(place: Path) -> Path:
    """Leave what a killed process leaves, after it was seen to be spared while it ran."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(place)},
    )
    with process:
        assert process.stdout is not None
        left = Path(os.fsdecode(process.stdout.readline().rstrip()))
        assert left.parent == place
        remove_abandoned()
        assert (left / "uv" / "uv.toml").exists()
        process.kill()
    return left


def test_of_a_killed_process(killed: Path, place: Path) -> None:
    """It is removed as soon as its process is gone, and those of running ones stay."""
    with private_directory() as own:
        assert killed.exists()
        remove_abandoned()
        assert [*place.iterdir()] == [own]
        assert own.stat().st_mode & 0o777 == 0o700
    assert [*place.iterdir()] == []


@pytest.mark.parametrize("changed", ["mode", "owner", "link", "lock", "linked lock", "machine"])
def test_what_is_not_provably_ours(
    changed: str,
    killed: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A directory that might be another user's, another machine's or another program's stays."""
    lock, elsewhere = killed / "lock", tmp_path_factory.mktemp("elsewhere") / "x"
    if changed == "mode":
        killed.chmod(0o755)
    elif changed == "owner":
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    elif changed == "link":
        killed.symlink_to(killed.rename(elsewhere))
    elif changed == "lock":
        lock.rename(killed / ".lock")
    elif changed == "linked lock":
        lock.symlink_to(lock.rename(elsewhere))
    else:
        lock.write_text("another")

    remove_abandoned()

    assert (killed / "uv" / "uv.toml").read_text() == "secret"


def test_links_inside(killed: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a link in it points to stays."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "file").touch()
    (killed / "link").symlink_to(elsewhere)

    remove_abandoned()

    assert not killed.exists()
    assert (elsewhere / "file").exists()


def test_what_cannot_be_removed(killed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of a removal that failed, or was killed, is removed by a later run."""

    def refused(*_: object, **__: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", refused)
        remove_abandoned()
        assert (killed / "uv" / "uv.toml").exists()

    remove_abandoned()

    assert not killed.exists()


def test_without_locks(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where files cannot be locked, a directory is made and removed all the same, by its owner."""
    import fcntl  # noqa: PLC0415 # not on Windows

    def refused(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", refused)
        with private_directory() as own:
            assert own.is_dir()
            patch.undo()
            remove_abandoned()
            assert own.is_dir()
    assert [*place.iterdir()] == []
