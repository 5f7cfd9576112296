"""A home with a standalone uv in it, and the command run in it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING
from unittest.mock import patch

from support import binaries, digests
from uv_self_update.cli.main import main
from uv_self_update.uv.receipt import new_receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

PROGRAM = sys.executable, "-m", "uv_self_update"

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
            source = binaries.executables(version) / name
            shutil.copy2(source, self.bin / name)
            digests.copied(source, self.bin / name)
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
        program: Sequence[str] = (),
    ) -> Done:
        """Run `uv-self-update` in this process, `before` a program that runs it, or a `program`."""
        if not before and not program:
            return self.call(*arguments, environ=environ)
        return self.start(*before, *(program or PROGRAM), *arguments, environ=environ)

    def start(self, *command: str, environ: Mapping[str, str] | None = None) -> Done:
        """Run a command in a process of its own, and wait for its end."""
        done = subprocess.run(
            command,
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

    def call(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Done:
        """Run `uv-self-update` in this process, which saves the start of a Python.

        What uv and its installer print is captured with the rest.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            with (
                patch.dict(os.environ, self.full_environ(environ), clear=True),
                contextlib.chdir(self.path),
                _no_stdin(),
                _redirected(1, contextlib.redirect_stdout, out),
                _redirected(2, contextlib.redirect_stderr, err),
            ):
                code = main(arguments)
            return Done(code=code, out=_text_of(out), err=_text_of(err))

    def version(self) -> str:
        """Ask the installed uv for its version."""
        done = self.run("--version", program=(str(self.uv),))
        assert done.code == 0, done.err
        return done.out.split()[1]

    def receipt_version(self) -> str:
        """Read the version out of the receipt."""
        return str(json.loads(self.receipt.read_text())["version"])

    def snapshot(self, *, leave_out: Iterable[Path] = ()) -> dict[str, str]:
        """Return every path below the home with its kind, mode and content.

        An interrupted download may leave its part in the cache (`test_kept.py`).
        """
        cache = self.path / ".cache"
        left_out = {cache, *leave_out}
        return {
            str(path.relative_to(self.path)): describe(path)
            for path in sorted(self.path.rglob("*"))
            if path not in left_out and not path.is_relative_to(cache / "uv-self-update")
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
    return f"file {stat.st_mode:o} {digests.digest(path)}"


@contextlib.contextmanager
def _redirected(
    number: int, redirect: Callable[[IO[str]], AbstractContextManager[object]], file: IO[bytes]
) -> Iterator[None]:
    """Let what is written to stdout or stderr go to a file, from child processes as well."""
    kept = os.dup(number)
    os.dup2(file.fileno(), number)
    try:
        raw = io.FileIO(number, "w", closefd=False)
        with io.TextIOWrapper(raw, encoding="utf-8", line_buffering=True) as text, redirect(text):
            yield
    finally:
        os.dup2(kept, number)
        os.close(kept)


@contextlib.contextmanager
def _no_stdin() -> Iterator[None]:
    """Let stdin be empty, for child processes as well."""
    kept = os.dup(0)
    with open(os.devnull, "rb") as empty:  # noqa: PTH123 # not a path
        os.dup2(empty.fileno(), 0)
    try:
        with patch.object(sys, "stdin", io.StringIO()):
            yield
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def _text_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")
