"""A home on Windows with a standalone uv in it, and the command run there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from support.homes import Done
from uv_self_update.uv.receipt import new_receipt
from windows import parts, prefix
from windows.parts import REAL

_KEPT = ("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROGRAMDATA", "PSMODULEPATH")


@dataclass(kw_only=True)
class Machine:
    """A home on a disk of Windows, and a Python with this package."""

    python: Path
    """A Python for Windows, with this package installed."""

    path: Path
    """The home, as Linux names it."""

    environ: dict[str, str] = field(default_factory=dict)
    """What is set in addition."""

    timeout: float = 180
    """Seconds for one command."""

    @property
    def bin(self) -> Path:
        """The directory of uv, and the first on PATH."""
        return self.path / ".local" / "bin"

    @property
    def uv(self) -> Path:
        """The installed uv."""
        return self.bin / "uv.exe"

    @property
    def temporary(self) -> Path:
        """The directory that `TEMP` names."""
        return self.path / "Temp"

    @property
    def receipt(self) -> Path:
        """The receipt of that uv."""
        return self.path / "Local" / "uv" / "uv-receipt.json"

    def install(self, version: str) -> None:
        """Install a uv as its standalone installer does."""
        self.bin.mkdir(parents=True, exist_ok=True)
        source = parts.uv(version)
        names = sorted(file.name for file in source.iterdir())
        for name in names:
            shutil.copy2(source / name, self.bin / name)
        self.write_receipt(version, prefix=str(windows(self.bin)))

    def write_receipt(self, version: str, *, prefix: str) -> None:
        """Write the receipt, with a prefix as it is spelled."""
        document = new_receipt(prefix=self.bin, version=version, executables=("uv.exe", "uvx.exe"))
        document |= {"install_prefix": prefix}
        self.receipt.parent.mkdir(parents=True, exist_ok=True)
        self.receipt.write_text(json.dumps(document))

    def run(self, *arguments: str, **more: str) -> Done:
        """Run `uv-self-update`."""
        return self.start(*self.command(*arguments), **more)

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of `uv-self-update`."""
        return [str(self.python), "-m", "uv_self_update", *arguments]

    def start(self, *command: str, **more: str) -> Done:
        """Run a program for Windows, and wait for its end."""
        process = self.popen(*command, **more)
        try:
            out, err = process.communicate(timeout=self.timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Done(
            code=process.returncode,
            out=out.decode(errors="replace"),
            err=err.decode(errors="replace"),
        )

    def popen(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a program for Windows; its streams are pipes."""
        self.temporary.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(
            command if REAL else ["wine", *command],
            env=self.full_environ(more),
            cwd=self.path,
            stdin=subprocess.PIPE,  # Wine takes the null device for a terminal
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def full_environ(self, more: dict[str, str]) -> dict[str, str]:
        """Return the environment; `sitecustomize` sets the variables that Wine has of its own."""
        home = str(windows(self.path))
        temporary = str(windows(self.temporary))
        own = {
            "USERPROFILE": home,
            "LOCALAPPDATA": rf"{home}\Local",
            "APPDATA": rf"{home}\Roaming",
            "TEMP": temporary,
            "TMP": temporary,
        }
        rest = {
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_CACHE_DIR": rf"{home}\cache",
            "UV_TEST_HOME": home,
            **self.environ,
            **more,
        }
        if REAL:
            path = os.pathsep.join([str(self.bin), os.environ["PATH"]])
            kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
            return {**kept, **own, "PATH": path, **rest}
        set_later = {f"UV_TEST_SET_{name}": value for name, value in own.items()}
        return prefix.environ({"WINEPATH": str(windows(self.bin)), **set_later, **rest})

    def version(self) -> str:
        """Ask the installed uv for its version."""
        done = self.start(str(self.uv), "--version")
        assert done.code == 0, done
        return done.out.split()[1]

    def receipt_version(self) -> str:
        """Read the version out of the receipt."""
        return str(json.loads(self.receipt.read_text())["version"])

    def files(self) -> set[str]:
        """Return the names of all files next to uv."""
        return {path.name for path in self.bin.iterdir()}

    def rest(self) -> set[str]:
        """Return all files of the home except uv's cache."""
        return {
            path.relative_to(self.path).as_posix()
            for path in self.path.rglob("*")
            if path.is_file() and "cache" not in path.relative_to(self.path).parts
        }


def windows(path: Path) -> PureWindowsPath:
    """Return a path as Windows names it."""
    if REAL:
        return PureWindowsPath(path)
    return PureWindowsPath("C:\\", *path.relative_to(prefix.C).parts)
