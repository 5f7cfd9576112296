"""Real uv binaries, from the package index, kept between runs in `.cache/` of the repository."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from base64 import urlsafe_b64encode
from functools import cache
from pathlib import Path

from support.notices import notice
from uv_self_update import platforms

__all__ = (
    "OLDEST",
    "archive",
    "executables",
    "newest",
    "newest_but_one",
    "publish",
    "scripts",
    "uv_command",
    "version",
    "wheel",
)

CACHE = Path(__file__).parents[2] / ".cache"

OLDEST = "0.4.30"
"""The release before the first that this package supports: something to go back to."""

_SCRIPT = """\
#!/bin/sh
case "$*" in
    --version | -V) echo "{name} {version}"; exit ;;
esac
echo "error: this {name} prints its version only" >&2
exit 2
"""
_NOISE = 1 << 20
"""Bytes after the script, which no shell reads: its archive arrives in more than one piece."""


def uv_command() -> str:
    """Return the uv of whoever runs the tests: it fetches the binaries, with their settings."""
    found = os.environ.get("UV") or shutil.which("uv")
    assert found is not None, "the tests need uv: python -m pip install uv"
    return found


@cache
def newest() -> str:
    """Return the newest version that the package index has."""
    return _compile("uv")


@cache
def newest_but_one() -> str:
    """Return the version before the newest."""
    return _compile(f"uv<{newest()}")


def version(name: str) -> str:
    """Return an exact version for one of the names that tests use."""
    return {"newest": newest, "newest-but-one": newest_but_one}.get(name, lambda: name)()


def executables(version: str) -> Path:
    """Return a folder with the `uv` and `uvx` of a version; not to be written to."""
    folder = CACHE / "uv" / version
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            made = Path(temporary, "made")
            notice(f"downloading uv {version} into {CACHE} (about 20 MB)")
            command = [uv_command(), "pip", "install", "--quiet", "--target", str(made)]
            command += ["--no-deps", "--only-binary", "uv", "--link-mode", "copy"]
            command += ["--python", sys.executable, f"uv=={version}"]
            subprocess.run(command, check=True, cwd="/")
            publish(made, folder)
    return folder / "bin"


def scripts(version: str) -> Path:
    """Return a directory with a `uv` and a `uvx` that print a version, and do nothing else.

    An update to these costs half of one to the real ones.
    """
    directory = CACHE / "small" / version
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent) as temporary:
            made = Path(temporary, "made")
            made.mkdir()
            for name in ("uv", "uvx"):
                script = _SCRIPT.format(name=name, version=version).encode()
                noise = random.Random(f"{name} {version}").randbytes(_NOISE)  # noqa: S311 # no secret
                (made / name).write_bytes(script + noise)
                (made / name).chmod(0o755)
            publish(made, directory)
    return directory


def archive(version: str, *, real: bool = True) -> Path:
    """Return a release archive with the executables of a version, or with its `scripts`."""
    name = platforms.current().archive
    path = CACHE / ("archives" if real else "small-archives") / version / name
    if not path.exists():
        source = executables(version) if real else scripts(version)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
            made = Path(temporary, name)
            with tarfile.open(made, "w:gz", compresslevel=1) as file:
                for executable in ("uv", "uvx"):
                    member = f"{name.removesuffix('.tar.gz')}/{executable}"
                    file.add(source / executable, member)
            publish(made, path)
    return path


def wheel(version: str, *, real: bool = True) -> Path:
    """Return a wheel with the executables of a version, or with its `scripts`, packed anew."""
    source = executables(version).parent
    info = source / f"uv-{version}.dist-info"
    tag = next(
        line.partition(": ")[2]
        for line in (info / "WHEEL").read_text().splitlines()
        if line.startswith("Tag: ")
    )
    path = CACHE / ("wheels" if real else "small-wheels") / f"uv-{version}-{tag}.whl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
            packed = Path(temporary, path.name)
            _pack(source, version, packed, executables=source / "bin" if real else scripts(version))
            publish(packed, path)
    return path


def _pack(source: Path, version: str, target: Path, *, executables: Path) -> None:
    members = {
        f"uv-{version}.data/scripts/{name}": (executables / name).read_bytes()
        for name in ("uv", "uvx")
    }
    for name in ("METADATA", "WHEEL"):
        file = source / f"uv-{version}.dist-info" / name
        members[f"uv-{version}.dist-info/{name}"] = file.read_bytes()
    record = f"uv-{version}.dist-info/RECORD"
    lines = [f"{name},sha256={_record_digest(data)},{len(data)}" for name, data in members.items()]
    members[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, data in members.items():
            packed.writestr(name, data)


def _record_digest(data: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def publish(made: Path, place: Path) -> None:
    """Move what was made to its place, unless another worker was faster.

    What is there stays: others have read it, and know its digest. A rename would replace a file.
    """
    try:
        if made.is_dir():
            made.rename(place)
        else:
            place.hardlink_to(made)
    except OSError:
        if not place.exists():
            raise


def _compile(requirement: str) -> str:
    command = [uv_command(), "pip", "compile", "-", "--no-header", "--no-annotate", "--quiet"]
    done = subprocess.run(
        [*command, "--python", sys.executable],
        input=requirement,
        capture_output=True,
        check=True,
        cwd="/",
        text=True,
    )
    return done.stdout.strip().partition("==")[2]
