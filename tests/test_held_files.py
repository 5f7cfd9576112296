"""Files that another program holds on Windows, as a virus scanner does; its rules are pretended."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from test_replacing import WINDOWS, Machine
from uv_self_update import files
from uv_self_update.errors import FileInUse, StagedUvBroken
from uv_self_update.uv.installation import Installation
from uv_self_update.workflow.doctor.machine import held_files
from uv_self_update.workflow.rehearse import _directory as rehearsal

if TYPE_CHECKING:
    from collections.abc import Callable


def mode_of(executable: int) -> int:
    """Return the mode that an executable has; Windows knows read-only and no other."""
    return 0o777 if os.name == "nt" else executable


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait."""
    monkeypatch.setattr(files, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine with Windows."""
    return Machine(tmp_path, WINDOWS)


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, int], None]:
    """Return what holds a file for so many attempts to replace or rename it."""
    real = Path.replace

    def hold(held: Path, attempts: int) -> None:
        left = [attempts]

        def replace(path: Path, target: Path) -> Path:
            if held in {path, Path(target)} and held.exists() and left[0] > 0:
                left[0] -= 1
                raise PermissionError(13, "The process cannot access the file")
            return real(path, target)

        monkeypatch.setattr(Path, "replace", replace)

    return hold


@pytest.mark.parametrize("name", ["uv.exe", "uvx.exe"])
def test_held_for_a_moment(name: str, machine: Machine, hold: Callable[[Path, int], None]) -> None:
    """The replacement is tried again."""
    hold(machine.bin / name, 4)

    machine.replace()

    assert machine.installed()[name] == (f"new {name}", mode_of(0o755))


@pytest.mark.parametrize("name", ["uv.exe", "uvx.exe"])
def test_held_for_ever(name: str, machine: Machine, hold: Callable[[Path, int], None]) -> None:
    """The file is named, with the reason; what has not moved is left alone, and nothing stays."""
    before = machine.installed()
    hold(machine.bin / name, 1000)

    with pytest.raises(FileInUse, match=r"The process cannot access the file") as caught:
        machine.replace()

    assert str(machine.bin / name) in str(caught.value)
    assert machine.installed() == before
    assert not (machine.work / "journal.json").exists()


@pytest.mark.parametrize("name", ["uv.exe", "uvx.exe", "uv-receipt.json", None])
def test_doctor_names_a_held_file(
    name: str | None, machine: Machine, hold: Callable[[Path, int], None]
) -> None:
    """`doctor` finds out before an update does; nothing is changed."""
    before = machine.installed()
    installation = Installation(
        uv=machine.bin / "uv.exe",
        environ={"AXOUPDATER_CONFIG_PATH": str(machine.receipt.parent)},
        platform=WINDOWS,
    )
    files = [machine.bin / "uv.exe", machine.bin / "uvx.exe", machine.receipt]
    hold(next((file for file in files if file.name == name), Path("other")), 1000)

    (found,) = held_files(installation)

    assert machine.installed() == before
    assert found.state == ("problem" if name else "ok")
    assert (f"{name}: The process cannot access the file" if name else "no other") in found.text


def test_elsewhere_nothing_is_tried_again() -> None:
    """On other systems a refusal lasts."""
    tried = []

    def refuse() -> None:
        tried.append(1)
        raise PermissionError

    with pytest.raises(PermissionError):
        files.persist(refuse, windows=False)
    assert len(tried) == 1
    with pytest.raises(PermissionError):
        files.persist(refuse, windows=True)
    assert len(tried) == 5


def test_uv_that_has_moved_aside(machine: Machine) -> None:
    """A uv that has moved aside gives the new one its mode, and a failure leaves it there."""
    (machine.bin / "uv.exe").chmod(mode_of(0o700))
    (machine.bin / "uv.exe").rename(machine.bin / "uv.exe.previous.exe")
    before = machine.installed()

    def broken(uv: Path, version: str) -> None:
        assert uv.stat().st_mode & 0o777 == mode_of(0o700)
        raise StagedUvBroken(version, "the mirror", "it does not run")

    with pytest.raises(StagedUvBroken):
        machine.replace(broken)

    assert machine.installed() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the lane kills the process on Windows")
def test_killed_while_uv_had_moved_aside(machine: Machine) -> None:
    """A uv that has moved itself back since is no other program's: all is undone."""
    before = machine.installed()
    uv, aside = machine.bin / "uv.exe", machine.bin / "uv.exe.previous.exe"
    uv.rename(aside)
    if (child := os.fork()) == 0:
        machine.replace(lambda _uv, _version: os._exit(9))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert uv.read_text() == "new uv.exe"
    aside.replace(uv)  # by uv, whose installer has failed

    def old(uv: Path, version: str) -> None:
        assert uv.read_text() == "old uv.exe"
        raise StagedUvBroken(version, "the mirror", "it reports another version")

    assert machine.recover(old) is None
    assert machine.installed() == before
    assert not (machine.work / "journal.json").exists()


def test_copy_of_a_rehearsal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copied uv that is open when its rehearsal ends is removed once it is closed."""
    monkeypatch.setattr(files, "PAUSES", (0.1,) * 50)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with rehearsal(tmp_path) as directory:
        uv = (directory / "uv.exe").open("wb")
        closing = threading.Timer(0.3, uv.close)
        closing.start()

    closing.join()
    assert not directory.exists()
