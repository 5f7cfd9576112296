"""Updates of a real uv.exe, by this package's wheel in a Python for Windows."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from support.binaries import newest, newest_but_one, version
from windows import parts, sources
from windows.machine import Machine, windows
from windows.parts import REAL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import PureWindowsPath

    from support.homes import Done
    from support.web import Web

pytestmark = pytest.mark.wine

ODD = "Jürgen O'Neill & Söhne (2)"
"""A directory as a user may name it."""


def updated(machine: Machine, done: Done, before: set[str]) -> None:
    """Check that uv and its receipt are the newest, and nothing else has changed."""
    assert done.code == 0, done
    assert machine.version() == machine.receipt_version() == newest()
    assert machine.rest() - {".local/bin/uvw.exe"} == before, done


@pytest.mark.parametrize("old", ["0.5.31", "0.12.24", "newest-but-one"])
def test_directory(old: str, machine: Machine) -> None:
    """A uv is updated, its receipt too, and nothing else is left."""
    machine.install(version(old))
    source = sources.directory(machine, newest())
    before = machine.rest() - {".local/bin/uvw.exe"}

    updated(machine, machine.run("--source", source), before)


@pytest.mark.parametrize("old", ["0.5.31", "newest-but-one"])
def test_listing(old: str, machine: Machine, web: Web) -> None:
    """A web server's directory listing is a source."""
    machine.install(version(old))
    before = machine.rest() - {".local/bin/uvw.exe"}

    updated(machine, machine.run("--source", sources.listing(web, newest())), before)


@pytest.mark.parametrize("old", ["0.12.24", "newest-but-one"])
def test_index(old: str, machine: Machine, web: Web) -> None:
    """With nothing configured, the package index of uv is the source."""
    machine.install(version(old))
    before = machine.rest() - {".local/bin/uvw.exe"}

    updated(machine, machine.run(**sources.index(web, newest())), before)


@pytest.mark.parametrize("machine", [ODD], indirect=True)
def test_odd_directories(machine: Machine) -> None:
    """Umlauts, blanks and quotes in the paths of uv, its receipt and the source do no harm."""
    machine.install(newest_but_one())
    machine.environ |= _temporary(windows(machine.path.parent))
    source = sources.directory(machine, newest(), name="Spiegel für uv")
    before = machine.rest() - {".local/bin/uvw.exe"}

    updated(machine, machine.run("--source", source), before)


def _temporary(directory: PureWindowsPath) -> dict[str, str]:
    names = ("TEMP", "TMP") if REAL else ("UV_TEST_SET_TEMP", "UV_TEST_SET_TMP")
    return dict.fromkeys(names, str(directory))


@pytest.mark.parametrize(
    "spelling",
    [
        lambda path: str(path).lower(),
        lambda path: path.as_posix(),
        lambda path: rf"\\?\{path}",
        lambda path: f"{path}\\",
    ],
    ids=["case", "slashes", "verbatim", "trailing"],
)
def test_receipts(spelling: Callable[[PureWindowsPath], str], machine: Machine) -> None:
    """A uv accepts a receipt whose prefix is spelled otherwise; so does this package."""
    machine.install(newest_but_one())
    machine.write_receipt(newest_but_one(), prefix=spelling(windows(machine.bin)))
    source = sources.directory(machine, newest())
    before = machine.rest() - {".local/bin/uvw.exe"}

    updated(machine, machine.run("--source", source), before)


def test_adopt(machine: Machine) -> None:
    """A uv without a receipt is updated, and gets one."""
    machine.install(newest_but_one())
    machine.receipt.unlink()
    source = sources.directory(machine, newest())

    done = machine.run("--source", source, "--adopt")

    assert done.code == 0, done
    assert machine.version() == machine.receipt_version() == newest()


def test_commands(machine: Machine) -> None:
    """What only looks says the same as elsewhere, and changes nothing."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest())
    before = machine.rest()

    check = machine.run("--source", source, "--check", "--json")
    releases = machine.run("--source", source, "releases", "--json")
    doctor = machine.run("--source", source, "doctor")
    rehearsal = machine.run("--source", source, "rehearse")

    assert json.loads(check.out)["newest"] == newest(), check
    assert newest() in releases.out, releases
    assert doctor.code == 0, doctor
    assert rehearsal.code == 0, rehearsal
    assert machine.version() == newest_but_one()
    assert machine.rest() == before


def test_init_and_config(machine: Machine) -> None:
    """`init` writes a configuration that names the directory as it was typed."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest())
    typed = source.removeprefix("directory+")

    # Windows itself says where a user's files are, not a variable.
    machine.environ["UV_SELF_UPDATE_CONFIG"] = str(windows(machine.path / "config.toml"))
    made = machine.run("init", typed, PYTHONIOENCODING="cp437", PYTHONUTF8="0")
    shown = machine.run("config", "show")

    assert made.code == 0, made
    assert typed in made.out + made.err, made
    assert typed in shown.out.replace("\\\\", "\\"), shown
    assert machine.run("--check").code == 11


def test_config_values(machine: Machine) -> None:
    """A value is read as it was written: backslashes, umlauts and blanks as well."""
    file = windows(machine.path / "config.toml")
    machine.environ["UV_SELF_UPDATE_CONFIG"] = str(file)
    authority = machine.path / "new" / ODD / "ca.pem"
    authority.parent.mkdir(parents=True)
    trustme.CA().cert_pem.write_to_path(str(authority))
    certificates = str(windows(authority))

    for key, value in (("network.ca-bundle", certificates), ("network.timeout", "40")):
        written = machine.run("config", "set", key, value, PYTHONIOENCODING="cp437", PYTHONUTF8="0")
        read = machine.run("config", "get", key, PYTHONUTF8="1")
        assert written.code == 0, written
        assert (read.code, read.out.strip()) == (0, value), read
    assert machine.run("config", "unset", "network.ca-bundle").code == 0
    assert machine.run("config", "get", "network.ca-bundle").out.strip() != certificates
    assert machine.run("config", "path").out.splitlines()[0] == str(file)


def test_tool(machine: Machine) -> None:
    """The launcher that a real `uv tool install` writes updates the uv that has written it."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest())
    wheels = machine.path / "wheels"
    parts.collect(wheels)
    tools = machine.path / "tools"
    machine.environ |= {
        "UV_TOOL_DIR": str(windows(tools)),
        "UV_TOOL_BIN_DIR": str(windows(machine.bin)),
    }
    options = ["--no-index", "--find-links", str(windows(wheels))]
    options += ["--python", str(windows(machine.python))]

    installed = machine.start(str(machine.uv), "tool", "install", *options, "uv-self-update")
    assert installed.code == 0, installed
    if not REAL:
        shim = Path(__file__).parent / "shims" / "sitecustomize.py"
        shutil.copy2(shim, tools / "uv-self-update" / "Lib" / "site-packages")
    done = machine.start(str(machine.bin / "uv-self-update.exe"), "--source", source)

    assert done.code == 0, done
    assert machine.version() == machine.receipt_version() == newest()


def test_two_at_once(machine: Machine) -> None:
    """One waits for the other, and both end well."""
    machine.install(newest_but_one())
    command = machine.command("--source", sources.directory(machine, newest()))

    both = [machine.popen(*command) for _ in range(2)]
    said = [process.communicate(timeout=180) for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert machine.version() == machine.receipt_version() == newest()
    assert not (machine.bin / ".uv-self-update").exists()


@pytest.mark.parametrize("name", ["uv.exe", "uvx.exe", "uvw.exe"])
def test_running(name: str, machine: Machine) -> None:
    """A uv, uvx or uvw that runs meanwhile is no obstacle, and goes on; later, nothing is left."""
    machine.install(newest_but_one())
    source = sources.directory(machine, newest())
    run = ["nothing"] if name == "uvx.exe" else ["tool", "run", "nothing"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        index = f"http://127.0.0.1:{listener.getsockname()[1]}/simple"
        listener.settimeout(60)
        running = machine.popen(
            str(machine.bin / name),
            *run,
            UV_DEFAULT_INDEX=index,
            UV_PYTHON=str(windows(machine.python)),
        )
        connection, _ = listener.accept()
        try:
            done = machine.run("--source", source)
            still = running.poll() is None
        finally:
            connection.close()
            listener.close()
            running.communicate(timeout=60)

    assert still
    assert done.code == 0, done
    assert machine.version() == machine.receipt_version() == newest()
    again = machine.run("--source", source)
    assert again.code == 0, again
    assert machine.files() == {"uv.exe", "uvw.exe", "uvx.exe"}


def test_command_of_the_current_directory(machine: Machine) -> None:
    """`exec` runs the uv on PATH, not one that the project contains."""
    machine.install(newest_but_one())
    shutil.copyfile(parts.uv("0.5.31") / "uv.exe", machine.path / "uv.exe")
    exec_ = ("exec", "--releases", "github+https://github.com/owner/name", "--")

    found = machine.run(*exec_, "uv", "--version")
    named = machine.run(*exec_, r".\uv", "--version")
    (machine.path / "own.exe").hardlink_to(machine.path / "uv.exe")
    missing = machine.run(*exec_, "own", "--version")

    assert found.out.split()[1] == newest_but_one(), found
    assert named.out.split()[1] == "0.5.31", named
    assert missing.code == 127, missing
    assert "own" in missing.err
