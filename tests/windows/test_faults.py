"""What goes wrong on Windows alone, and what this package makes of it."""

from __future__ import annotations

import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.binaries import newest, newest_but_one
from windows import sources
from windows.machine import windows
from windows.parts import REAL
from windows.test_updates import _temporary as temporary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windows.machine import Machine

pytestmark = pytest.mark.wine

_HOLD = """\
import ctypes, os, sys, time
from ctypes import wintypes
open_file = ctypes.windll.kernel32.CreateFileW
open_file.restype = wintypes.HANDLE
file, journal, seconds = sys.argv[1:]
# As a scanner: others may read, but neither write, rename nor remove.
handle = open_file(file, 0x80000000, 1, None, 3, 0, None)
assert handle != wintypes.HANDLE(-1).value, ctypes.GetLastError()
print("held", flush=True)
while not os.path.exists(journal):
    time.sleep(0.01)
time.sleep(float(seconds))
ctypes.windll.kernel32.CloseHandle(wintypes.HANDLE(handle))
"""


@contextmanager
def held(machine: Machine, name: str, *, seconds: float) -> Iterator[None]:
    """Hold a file as a scanner does, until so many seconds after files begin to be replaced."""
    file = machine.receipt if name == "uv-receipt.json" else machine.bin / name
    journal = machine.bin / ".uv-self-update" / "journal.json"
    paths = [str(windows(path)) for path in (file, journal)]
    process = machine.popen(str(machine.python), "-c", _HOLD, *paths, str(seconds))
    assert process.stdout is not None
    assert process.stdout.readline().strip() == b"held"
    try:
        yield
    finally:
        process.kill()
        process.communicate()


def unchanged(machine: Machine, before: set[str]) -> None:
    """Check that uv and its receipt are the old ones, and nothing is left."""
    assert machine.version() == machine.receipt_version() == newest_but_one()
    assert machine.rest() == before


@pytest.mark.skipif(REAL, reason="its own test has a profile: test_powershell.py")
@pytest.mark.parametrize("code", ["0", "1"])
def test_script_is_not_run(code: str, machine: Machine) -> None:
    """PowerShell ends without having run the script: uv stays, and the reason is named."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest())
    before = machine.rest()

    done = machine.run("--source", source, UV_TEST_POWERSHELL=f"exit {code}")

    assert done.code not in {0, 10}, done
    assert "PowerShell" in done.err
    unchanged(machine, before)


@pytest.mark.parametrize("name", ["My Temp", "O'Neill & Co. (2)", "$temp;{1}"])
def test_temp(name: str, machine: Machine) -> None:
    """A TEMP that PowerShell 5.1 does not take for a path is no obstacle."""
    machine.install(newest_but_one())
    directory = machine.path / name
    directory.mkdir()
    machine.environ |= temporary(windows(directory))
    source = sources.directory(machine, newest())

    doctor = machine.run("--source", source, "doctor")
    done = machine.run("--source", source)

    assert doctor.code == 0, doctor
    assert done.code == 0, done
    assert machine.version() == machine.receipt_version() == newest()
    assert list(directory.iterdir()) == []
    assert not (machine.bin / ".uv-self-update").exists()


@pytest.mark.parametrize("machine", ["O'Neill"], indirect=True)
def test_temp_without_a_way_out(machine: Machine) -> None:
    """Where uv's directory is no better, the message names TEMP, before uv changes anything."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest())
    before = machine.rest()

    doctor = machine.run("--source", source, "doctor")
    done = machine.run("--source", source)

    assert doctor.code == 8, doctor
    assert str(windows(machine.temporary)) in doctor.out
    assert done.code == 2, done  # uv's
    assert str(windows(machine.temporary)) in done.err
    assert "set TEMP" in done.err
    unchanged(machine, before)


@pytest.mark.skipif(REAL, reason="the stand-in has modes")
def test_temp_in_constrained_language(machine: Machine) -> None:
    """Under AppLocker, TEMP is not changed to a directory of other rights."""
    machine.install(newest_but_one())
    directory = machine.path / "O'Neill"
    directory.mkdir()
    machine.environ |= temporary(windows(directory))
    source = sources.directory(machine, newest())
    before = machine.rest()

    done = machine.run("--source", source, UV_TEST_POWERSHELL="ConstrainedLanguage")

    assert done.code == 2, done  # uv's
    assert "O'Neill" in done.err
    unchanged(machine, before)


def test_code_page(machine: Machine) -> None:
    """What PowerShell loses of a path with umlauts and more is printed again, as it is."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest(), name="Übergrößen Ω")

    # The directory has no `uv-installer.ps1`.
    done = machine.run("--source", source, "--installer", "release", PYTHONUTF8="1")

    assert done.code == 2, done  # uv's
    assert "Übergrößen Ω" in done.err


@pytest.mark.parametrize("name", ["uvx.exe", "uv-receipt.json"])
def test_held_for_a_moment(name: str, machine: Machine) -> None:
    """A scanner that reads a file while it is replaced delays the update, and no more."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest())

    with held(machine, name, seconds=0.7):
        done = machine.run("--source", source)

    assert done.code == 0, done
    assert machine.version() == machine.receipt_version() == newest()
    assert not (machine.bin / ".uv-self-update").exists()


@pytest.mark.parametrize("name", ["uvx.exe", "uv-receipt.json"])
def test_held_for_ever(name: str, machine: Machine) -> None:
    """A file that another program does not let go is named, with the reason; nothing is left."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest())
    before = machine.rest()

    with held(machine, name, seconds=600):
        doctor = machine.run("--source", source, "doctor")
        done = machine.run("--source", source)

    assert doctor.code == 8, doctor
    assert f"{name}: " in doctor.out
    assert machine.run("--source", source, "doctor").code == 0
    assert done.code == 2, done  # uv's
    assert name in done.err
    assert "failed to restore" not in done.err
    unchanged(machine, before)
    again = machine.run("--source", source)
    assert again.code == 0, again
    assert "interrupted" not in again.err


def test_read_only(machine: Machine) -> None:
    """Read-only executables and a read-only receipt are replaced, and stay read-only."""
    machine.install(newest_but_one())
    files = [machine.uv, machine.bin / "uvx.exe", machine.receipt]
    set_read_only = "import os, sys\nfor name in sys.argv[1:]: os.chmod(name, 0o444)"
    names = [str(windows(file)) for file in files]
    machine.start(str(machine.python), "-c", set_read_only, *names)
    source = sources.directory(machine, newest())
    before = machine.rest()

    done = machine.run("--source", source)

    assert done.code == 0, done
    assert machine.version() == machine.receipt_version() == newest()
    assert machine.rest() == before
    assert not [file for file in files if file.stat().st_mode & stat.S_IWUSR]
