"""`--installer release`: the real script of cargo-dist, by a stand-in that does what it says."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from support import release_installers
from support.binaries import newest, newest_but_one
from windows import sources
from windows.machine import Machine, windows
from windows.parts import REAL

pytestmark = [
    pytest.mark.wine,
    pytest.mark.skipif(REAL, reason="cargo-dist, which generates the script, is for Linux"),
]

RUN = ("--installer", "release")


@pytest.fixture
def source(machine: Machine) -> str:
    """Return a source with the newest uv, and its script."""
    machine.install(newest_but_one())
    found = sources.directory(machine, newest())
    script = machine.path / "mirror" / newest() / "uv-installer.ps1"
    script.write_bytes(release_installers.script(newest(), windows=True))
    return found


@pytest.fixture
def stand_in(machine: Machine) -> None:
    """Have the stand-in for PowerShell run the script."""
    file = machine.python.parent / "release_installer.py"
    shutil.copyfile(Path(__file__).parent / "shims" / file.name, file)
    machine.environ["UV_TEST_RELEASE"] = f'"{windows(machine.python)}" -I "{windows(file)}"'


def unchanged(machine: Machine, before: set[str]) -> None:
    """Check that uv and its receipt are the old ones, and nothing is left."""
    assert machine.version() == machine.receipt_version() == newest_but_one()
    assert machine.rest() == before


@pytest.mark.usefixtures("stand_in")
def test_updated(machine: Machine, source: str) -> None:
    """The script fills an empty directory, whatever variables and proxy the user has set.

    Its own temporary directory stays, as the script leaves it.
    """
    before = machine.rest()
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        done = machine.run(
            *("--source", source, *RUN),
            ALL_PROXY=address,
            HTTPS_PROXY=address,
            CARGO_DIST_FORCE_INSTALL_DIR=str(windows(machine.path / "elsewhere")),
            UV_DOWNLOAD_URL=address,
        )
        proxy.settimeout(0)
        with pytest.raises(BlockingIOError):
            proxy.accept()

    assert done.code == 0, done
    assert machine.version() == machine.receipt_version() == newest()
    left = machine.rest() - before
    assert before <= machine.rest(), done
    assert [Path(name).name for name in left] == ["uv.zip"], left


@pytest.mark.usefixtures("stand_in")
def test_other_archive(machine: Machine, source: str) -> None:
    """The script verifies nothing: an archive with another digest does not reach it."""
    archive = machine.path / "mirror" / newest() / "uv-x86_64-pc-windows-msvc.zip"
    archive.with_name(f"{archive.name}.sha256").write_text(f"{'0' * 64} *{archive.name}\n")
    before = machine.rest()

    done = machine.run("--source", source, *RUN)

    assert done.code == 2, done  # uv's
    assert "digest mismatch" in done.err
    assert machine.version() == machine.receipt_version() == newest_but_one()
    left = machine.rest() - before
    assert before <= machine.rest(), done
    assert {Path(name).name for name in left} <= {"uv.zip"}, left


def test_failing(machine: Machine, source: str) -> None:
    """The script is run, and its failure leaves uv, its receipt and TEMP alone."""
    before = machine.rest()

    done = machine.run("--source", source, *RUN)

    assert done.code == 2, done
    assert "does not know this line" in done.err
    assert f"the installer of uv {newest()} failed" in done.err
    unchanged(machine, before)
    assert list(machine.temporary.iterdir()) == []


@pytest.mark.usefixtures("stand_in")
def test_other_script(machine: Machine, source: str) -> None:
    """The stand-in does nothing that another script says."""
    script = machine.path / "mirror" / newest() / "uv-installer.ps1"
    script.write_bytes(script.read_bytes() + b"Remove-Item -Recurse C:\\\n")
    before = machine.rest()

    done = machine.run("--source", source, *RUN)

    assert done.code == 2, done
    assert "does not know this script" in done.out + done.err
    unchanged(machine, before)
