"""Whether `uvx` has started this is told by what real uvs leave to see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from support import binaries
from support.homes import base_environment
from uv_self_update.cli.main import main
from uv_self_update.errors import StartedThroughUvx
from uv_self_update.uv.uvx import is_through_uvx, refuse_uvx

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

VERSIONS = ("0.5.0", "0.8.24", "newest")
PROBE = """\
import json, os, pathlib, sys
def main():
    installed = pathlib.Path(sys.prefix, "uv-receipt.toml").exists()
    print(json.dumps([sys.prefix, dict(os.environ), installed]))
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel whose command prints what it sees."""
    path = tmp_path_factory.mktemp("probe") / "probe-1.0-py3-none-any.whl"
    info = "probe-1.0.dist-info"
    files = {
        "probe.py": PROBE,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: probe\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nprobe = probe:main\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(name, text)
    return path


class Machine:
    """A home in which a real uv runs the probe."""

    def __init__(self, home: Path, version: str) -> None:
        self.home = home
        self.bin = binaries.executables(binaries.version(version))

    def run(self, *command: str, environ: dict[str, str] | None = None) -> str:
        """Run a command, and return what it prints."""
        done = subprocess.run(
            command,
            env={
                **base_environment(),
                "HOME": str(self.home),
                "PATH": os.pathsep.join([str(self.bin), os.environ["PATH"]]),
                "UV_CACHE_DIR": str(self.home / "cache"),
                "UV_NO_CONFIG": "1",
                "UV_NO_INDEX": "1",
                "UV_PYTHON": sys.executable,
                **(environ or {}),
            },
            cwd=self.home,
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout

    def judged(self, *command: str, environ: dict[str, str] | None = None) -> bool:
        """Run the probe, and return whether that is taken for `uvx`."""
        prefix, seen, installed = json.loads(self.run(*command, environ=environ))
        facts: dict[str, Any] = {"installed": installed}
        return is_through_uvx(prefix, seen, **facts)


@pytest.mark.parametrize("version", VERSIONS)
def test_uvx(version: str, probe: Path, tmp_path: Path) -> None:
    """Both commands that run a tool without its being installed are known, with each uv."""
    machine = Machine(tmp_path, version)

    assert machine.judged(str(machine.bin / "uvx"), "--from", str(probe), "probe")
    assert machine.judged(str(machine.bin / "uv"), "tool", "run", "--from", str(probe), "probe")


@pytest.mark.parametrize("version", VERSIONS)
def test_installed_tool(version: str, probe: Path, tmp_path: Path) -> None:
    """A tool that is installed is free by its own name, and by `uvx` it is not, where uv tells."""
    machine = Machine(tmp_path, version)
    uv, uvx = str(machine.bin / "uv"), str(machine.bin / "uvx")
    machine.run(uv, "tool", "install", str(probe))
    script = str(tmp_path / ".local" / "bin" / "probe")

    assert not machine.judged(script)
    assert machine.judged(uvx, "probe") == (version != "0.5.0")
    assert not machine.judged(uv, "run", "--no-project", script)


@pytest.mark.parametrize("version", VERSIONS)
def test_virtual_environment(version: str, probe: Path, tmp_path: Path) -> None:
    """A virtual environment is not taken for `uvx`, and `uv run` is not either."""
    machine = Machine(tmp_path, version)
    uv = str(machine.bin / "uv")
    machine.run(uv, "venv", ".venv")
    machine.run(uv, "pip", "install", "-p", ".venv", str(probe))
    script = str(tmp_path / ".venv" / "bin" / "probe")

    assert not machine.judged(script)
    assert not machine.judged(script, environ={"UV": uv})
    assert not machine.judged(uv, "run", "--no-project", script)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        (r"C:\Users\me\AppData\Local\uv\cache\archive-v0\AbC", True),
        (r"c:\users\me\appdata\local\UV\CACHE\ARCHIVE-V0\AbC", True),
        (r"C:\Users\archive-v0-fan\.venv", False),
        (r"C:\Users\me\AppData\Roaming\uv\tools\uv-self-update", False),
    ],
)
def test_windows_paths(prefix: str, expected: bool) -> None:  # noqa: FBT001 # a row of a table
    """Paths of Windows are read as such, wherever the test runs."""
    assert is_through_uvx(prefix, {}, installed=True) == expected


def test_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to type instead is said."""
    refuse_uvx({})
    monkeypatch.setattr(sys, "prefix", r"C:\cache\archive-v0\AbC")
    with pytest.raises(StartedThroughUvx) as caught:
        refuse_uvx({})
    assert caught.value.hint == (
        "Run `uv tool install uv-self-update` once, and then `uv-self-update`."
    )


@pytest.mark.parametrize(("name", "code", "asked"), [("nt", 4, 1), (os.name, 3, 0)])
@pytest.mark.skipif(os.name == "nt", reason="it is told from another system")
def test_update_is_refused_on_windows(
    name: str, code: int, asked: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An update begins with that on Windows, before it reads anything, and nowhere else."""
    calls: list[Mapping[str, str]] = []

    def refuse(environ: Mapping[str, str]) -> None:
        calls.append(environ)
        raise StartedThroughUvx

    monkeypatch.setattr("uv_self_update.uv.uvx.refuse_uvx", refuse)
    monkeypatch.setenv("UV_SELF_UPDATE_CONFIG", str(tmp_path / "missing.toml"))
    # Paths are those of Windows then, so it is undone at once.
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", name)
        assert main(["-qq"]) == code

    assert len(calls) == asked
