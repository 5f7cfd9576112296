"""Our scripts for PowerShell, run line by line: by the stand-in, or by the real ones of Windows."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from support.binaries import newest, newest_but_one
from support.web import Page
from uv_self_update.gateway import scripts
from windows import sources
from windows.machine import Machine, windows
from windows.parts import REAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.homes import Done
    from support.web import Web

pytestmark = pytest.mark.wine

ODD = "Jürgen O'Neill & Söhne (2) $x"


@pytest.fixture(params=["powershell", "pwsh"] if REAL else ["powershell"])
def shell(request: pytest.FixtureRequest) -> str:
    """Return a PowerShell: 5.1, and 7 on Windows itself."""
    return str(request.param)


def run(machine: Machine, shell: str, script: bytes, **more: str) -> Done:
    """Run a script as uv does."""
    machine.temporary.mkdir(exist_ok=True)
    file = machine.temporary / "uv-installer.ps1"
    file.write_bytes(script)
    return machine.start(shell, "-ExecutionPolicy", "ByPass", str(windows(file)), **more)


def translated(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the scripts name the Python of a machine, and our package in it."""
    packages = machine.python.parent / "Lib" / "site-packages"
    if REAL:
        packages = machine.python.parents[1] / "Lib" / "site-packages"
    handover = windows(packages / "uv_self_update" / "gateway" / "handover.py")
    monkeypatch.setattr(sys, "executable", str(windows(machine.python)))
    monkeypatch.setattr(scripts, "_HANDOVER", handover)


@pytest.mark.parametrize("status", [200, 502])
def test_native(
    status: int, shell: str, machine: Machine, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It requests the installation, prints the answer in UTF-8, and hands its result on."""
    translated(machine, monkeypatch)
    web.pages["/secret/install/0.12.3"] = Page(status=status, body="Übergröße Ω\n".encode())
    base = f"{web.url}/secret/"

    script = scripts.native("install/0.12.3", windows=True)
    done = run(machine, shell, script, UV_INSTALLER_GHE_BASE_URL=base)

    assert done.code == (0 if status == 200 else 1), done
    assert "Übergröße Ω" in done.out + done.err


def test_staged(shell: str, machine: Machine, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sets variables and the directory for the release's own installer, then hands over."""
    translated(machine, monkeypatch)
    web.pages["/secret/install/0.12.3/token"] = Page(body=b"done\n")
    directory = machine.path / ODD
    directory.mkdir()
    script = scripts.staged(
        "install/0.12.3",
        token="token",  # noqa: S106 # of a test
        script=cast("Path", windows(machine.python)),
        directory=cast("Path", windows(directory)),
        environ={"PYTHONSTARTUP": ODD, "UV_EMPTY": ""},
        windows=True,
    )

    done = run(machine, shell, script, UV_INSTALLER_GHE_BASE_URL=f"{web.url}/secret/")

    assert done.code == 0, done
    assert done.out.endswith("done\n"), done


def test_failing(shell: str, machine: Machine) -> None:
    """It prints each line as it is, and fails."""
    done = run(machine, shell, scripts.failing('it\'s $x\n`a` "b"', windows=True))

    assert done.code == 1, done
    assert done.out.splitlines() == ["it's $x", '`a` "b"']


@pytest.mark.skipif(REAL, reason="the real one knows more")
@pytest.mark.parametrize(
    "line",
    [
        "Remove-Item C:\\uv.exe",
        'Write-Output "it\'s"',
        "Write-Output 'a' 'b'",
        "& powershell",
        "exit 0",
        "$x = 'a'",
    ],
)
def test_stand_in_refuses(line: str, machine: Machine) -> None:
    """The stand-in does nothing that it does not know."""
    done = run(machine, "powershell", f"{line}\r\n".encode("utf-8-sig"))

    assert done.code == 97, done
    assert "does not know this line" in done.out


@pytest.fixture
def profile() -> Iterator[None]:
    """Have each PowerShell 5.1 of this user end at once, with success."""
    command = ["powershell", "-NoProfile", "-Command", "$PROFILE.CurrentUserAllHosts"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    file = Path(done.stdout.strip())
    assert not file.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("exit 0\n")
    yield
    file.unlink()


@pytest.mark.skipif(not REAL, reason="the stand-in reads no profile: see test_faults.py")
@pytest.mark.usefixtures("profile")
def test_profile_that_exits(machine: Machine) -> None:
    """PowerShell ends with 0 without having run the script: uv stays, and the reason is named."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest())
    before = machine.rest()

    done = machine.run("--source", source)

    assert done.code == 8, done
    assert "PowerShell ended without running" in done.err
    assert machine.version() == machine.receipt_version() == newest_but_one()
    assert machine.rest() == before
