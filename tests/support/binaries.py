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
from typing import TYPE_CHECKING

from support.notices import notice
from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Mapping

CACHE = Path(__file__).parents[2] / ".cache"

OLDEST = "0.4.30"
"""The release before the first that this package supports: something to go back to."""

FIRST = "0.8.24"
"""The version that `uv run pytest` downloads; the newest is the uv that runs the tests."""

FURTHER = frozenset({OLDEST, "0.5.0", "0.5.31", "0.11.13", "newest-but-one"})
"""The versions that it does not download: a test with one of them is `extra`."""

in_first_run = False
"""Whether the test that runs is one of `uv run pytest`, which may use two versions only."""

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


def _permit(version: str) -> None:
    assert not in_first_run or version in {FIRST, newest()}, (
        f"uv {version} is not downloaded in the first run: "
        "mark the test `extra`, or use `binaries.scripts`"
    )


def executables(version: str) -> Path:
    """Return a folder with the `uv` and `uvx` of a version; not to be written to."""
    _permit(version)
    folder = CACHE / "uv" / version
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
            made = Path(temporary, "made")
            if not _copied(version, made):
                _download(version, made)
            publish(made, folder)
    return folder / "bin"


def _copied(version: str, made: Path) -> bool:
    """Copy the uv that runs the tests, if pip has installed it and it is of this version."""
    uv = Path(uv_command())
    name = f"uv-{version}.dist-info"
    root = uv.parent.parent
    found = [
        *root.glob(f"lib/python*/site-packages/{name}"),
        *root.glob(f"Lib/site-packages/{name}"),
    ]
    if len(found) != 1 or not uv.with_name("uvx").exists():
        return False
    shutil.copytree(found[0], made / name)
    (made / "bin").mkdir()
    for executable in ("uv", "uvx"):
        shutil.copy2(uv.with_name(executable), made / "bin")
    return True


def _download(version: str, made: Path) -> None:
    notice(f"downloading uv {version} into {CACHE} (about 20 MB)")
    command = [uv_command(), "pip", "install", "--quiet", "--target", str(made)]
    command += ["--no-deps", "--only-binary", "uv", "--link-mode", "copy"]
    command += ["--python", sys.executable, f"uv=={version}"]
    subprocess.run(command, check=True, cwd="/")


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
    """Return a release archive with the executables of a version, or with its `scripts`.

    Executables are packed without compression: to unpack them took half of the time of an update.
    """
    name = platforms.current().archive
    path = CACHE / ("stored-archives" if real else "small-archives") / version / name
    if real:
        _permit(version)
    if not path.exists():
        source = executables(version) if real else scripts(version)
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
            made = Path(temporary, name)
            with tarfile.open(made, "w:gz", compresslevel=0 if real else 1) as file:
                for executable in ("uv", "uvx"):
                    member = f"{name.removesuffix('.tar.gz')}/{executable}"
                    file.add(source / executable, member)
            publish(made, path)
    return path


def wheel(version: str, *, real: bool = True) -> Path:
    """Return a wheel with the executables of a version, or with its `scripts`, packed anew."""
    # Scripts borrow the tag and the metadata of the newest release, so that no other is downloaded.
    model = version if real else newest()
    info = executables(model).parent / f"uv-{model}.dist-info"
    files = {name: (info / name).read_bytes() for name in ("METADATA", "WHEEL")}
    named = f"\nVersion: {model}\n".encode()
    files["METADATA"] = files["METADATA"].replace(named, f"\nVersion: {version}\n".encode(), 1)
    tag = next(
        line.partition(": ")[2]
        for line in files["WHEEL"].decode().splitlines()
        if line.startswith("Tag: ")
    )
    path = CACHE / ("wheels" if real else "small-wheels") / f"uv-{version}-{tag}.whl"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as temporary:
            packed = Path(temporary, path.name)
            made = executables(version) if real else scripts(version)
            members = {name: (made / name).read_bytes() for name in ("uv", "uvx")}
            _pack(version, packed, members, files)
            publish(packed, path)
    return path


def _pack(
    version: str, target: Path, executables: Mapping[str, bytes], info: Mapping[str, bytes]
) -> None:
    members = {
        **{f"uv-{version}.data/scripts/{name}": data for name, data in executables.items()},
        **{f"uv-{version}.dist-info/{name}": data for name, data in info.items()},
    }
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
