"""A home with a standalone uv in it, and the command run in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from support import binaries
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ("Done", "Home", "base_environment", "describe")

_TIMEOUT = 120  # seconds for one command


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command has ended."""

    code: int
    out: str
    err: str


@dataclass(kw_only=True)
class Home:
    """A temporary home; everything that is run in it sees this one only."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)
    """What is set beside the bare minimum."""

    @property
    def bin(self) -> Path:
        """The folder that uv is installed in, and the first on PATH."""
        return self.path / ".local" / "bin"

    @property
    def uv(self) -> Path:
        """The installed uv."""
        return self.bin / "uv"

    @property
    def receipt(self) -> Path:
        """The receipt of that uv."""
        return self.path / ".config" / "uv" / "uv-receipt.json"

    @property
    def config(self) -> Path:
        """This package's configuration file."""
        mac = sys.platform == "darwin"
        folder = Path("Library", "Application Support") if mac else Path(".config")
        return self.path / folder / "uv-self-update" / "config.toml"

    def install(self, version: str) -> None:
        """Install a uv as its standalone installer does."""
        self.bin.mkdir(parents=True, exist_ok=True)
        for name in ("uv", "uvx"):
            # A copy: a link would be the cached file itself.
            shutil.copy2(binaries.executables(version) / name, self.bin / name)
        self.receipt.parent.mkdir(parents=True, exist_ok=True)
        document = new_receipt(prefix=self.bin, version=version, executables=("uv", "uvx"))
        self.receipt.write_text(json.dumps(document))

    def configure(self, text: str) -> None:
        """Write this package's configuration file."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)
        self.config.chmod(0o600)  # as this package makes it: there may be a login in it

    def full_environ(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment that commands get."""
        return {
            **base_environment(),
            "HOME": str(self.path),
            "PATH": os.pathsep.join([str(self.bin), "/usr/bin", "/bin"]),
            **self.environ,
            **(extra or {}),
        }

    def run(
        self,
        *arguments: str,
        environ: Mapping[str, str] | None = None,
        before: Sequence[str] = (),
        program: Sequence[str] = (sys.executable, "-m", "uv_self_update"),
    ) -> Done:
        """Run `uv-self-update`, or with `before` a program that runs it."""
        done = subprocess.run(
            [*before, *program, *arguments],
            env=self.full_environ(environ),
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            text=True,
            errors="replace",
            check=False,
        )
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    def version(self) -> str:
        """Ask the installed uv for its version."""
        done = self.run("--version", program=(str(self.uv),))
        assert done.code == 0, done.err
        return done.out.split()[1]

    def receipt_version(self) -> str:
        """Read the version out of the receipt."""
        return str(json.loads(self.receipt.read_text())["version"])

    def snapshot(self, *, leave_out: Iterable[Path] = ()) -> dict[str, str]:
        """Return every path below the home with its kind, mode and content."""
        left_out = set(leave_out)
        return {
            str(path.relative_to(self.path)): describe(path)
            for path in sorted(self.path.rglob("*"))
            if path not in left_out
        }

    def rest(self) -> dict[str, str]:
        """Return everything that an update must not change."""
        return self.snapshot(leave_out=[self.uv, self.bin / "uvx", self.receipt])


def base_environment() -> dict[str, str]:
    """Return what every process needs, and what measures the coverage of child processes."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    return {**kept, "LANG": "C.UTF-8", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}


def describe(path: Path) -> str:
    """Return the kind, mode and content of what lies at a path."""
    stat = path.lstat()
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if path.is_dir():
        return f"folder {stat.st_mode:o}"
    return f"file {stat.st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
