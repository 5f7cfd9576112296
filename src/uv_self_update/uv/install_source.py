"""Find the evidence on the disk of what has installed a copy of uv."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.uv.package_managers import Evidence, Owner, Record, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_START = 1024
"""Bytes to read of a file, to see whether it is a script of asdf's."""

_MISE = (
    (".mise.backend.toml", r'^short *= *"(.+)"'),
    (".mise-install.toml", r'^requested_as *= *"(.+)"'),
    (".mise.backend", r"^(.+)"),
)
"""Files in which mise writes its name of a tool: in the directory of all versions, or of one."""

_MARKERS = ("pipx_metadata.json", "pyvenv.cfg", "uv-receipt.toml")
_PACKAGES = (
    "lib/python*/site-packages",
    "lib64/python*/site-packages",
    "lib/python*/dist-packages",
    "lib/python3/dist-packages",
    "Lib/site-packages",
    "site-packages",
)
"""The directories of a Python's packages, relative to the parent of its programs' directory."""


def find_package_manager(uv: Path) -> Owner | None:
    """Return the owner of a uv; None for uv's standalone installer, or a manual copy."""
    evidence = find_evidence(uv, windows=sys.platform == "win32")
    return owner_of(str(uv), str(uv.resolve()), evidence)


def find_evidence(uv: Path, *, windows: bool) -> Evidence:
    """Read what tells the owner of a uv; unreadable files are ignored."""
    file = uv.resolve()
    above = file.parent.parent
    installer, python = _package(file, above)
    return Evidence(
        windows=windows,
        record=next(filter(None, _records(uv, file)), None),
        names=frozenset(name for name in _MARKERS if (above / name).exists()),
        conda=next((str(folder) for folder in (above, above.parent) if _conda(folder)), ""),
        installer=installer,
        python=python,
        crate='"uv ' in _text(above / ".crates.toml"),
        systems=() if windows else tuple(_systems(_text(Path("/etc/os-release")))),
    )


def _records(uv: Path, file: Path) -> Iterator[Record | None]:
    yield _mise(file)
    yield _asdf(file)
    for folder in (uv.parent, file.parent):
        yield _scoop(folder, uv.stem)
        yield _pixi(folder, uv.stem)


def _mise(file: Path) -> Record | None:
    for folder in file.parents:
        for name, pattern in _MISE:
            found = re.search(pattern, _text(folder / name), re.MULTILINE)
            # A Python of mise's has a record as well, but pip's files in it are not mise's.
            if found and re.search(r"(^|[:/])uv$", found[1]):
                return Record(manager="mise", tool=found[1])
    return None


def _asdf(file: Path) -> Record | None:
    """Find a tool that asdf has installed, or the script that starts one."""
    if re.search(rb"^# asdf-plugin: uv ", _start(file), re.MULTILINE):
        return Record(manager="asdf", tool="uv")
    for folder in file.parents:
        installs = folder.parent
        if (installs.name, folder.name) == ("installs", "uv"):
            there = (installs.parent / "plugins" / "uv").exists()
            return Record(manager="asdf", tool="uv") if there else None
    return None


def _scoop(folder: Path, name: str) -> Record | None:
    """Find an application of Scoop's, or the shim of one.

    A user's own root contains Scoop itself; the global one does not.
    """
    apps, tool = folder.parent.parent, folder.parent.name
    installed = all((folder / file).exists() for file in ("install.json", "manifest.json"))
    if not (installed and apps.name == "apps"):
        shim = re.search(r"[\\/]apps[\\/]([^\\/]+)[\\/]", _text(folder / f"{name}.shim"))
        if shim is None:
            return None
        apps, tool = folder.parent / "apps", shim[1]
    manager = "scoop" if (apps / "scoop").exists() else "scoop --global"
    return Record(manager=manager, tool=tool)


def _pixi(folder: Path, name: str) -> Record | None:
    """Find an environment of `pixi global`, or the trampoline of a program in one."""
    started = _text(folder / "trampoline_configuration" / f"{name}.json")
    if exposed := re.search(r"[\\/]envs[\\/]+([^\\/]+)[\\/]", started):
        return Record(manager="pixi", tool=exposed[1])
    # On Windows the programs are in `Library/bin`.
    for prefix in (folder.parent, folder.parent.parent):
        home = prefix.parent.parent
        if prefix.parent.name == "envs" and (home / "manifests" / "pixi-global.toml").exists():
            return Record(manager="pixi", tool=prefix.name)
    return None


def _conda(folder: Path) -> bool:
    return any(re.match(r"uv-\d", path.name) for path in _glob(folder, ["conda-meta/uv-*.json"]))


def _package(file: Path, above: Path) -> tuple[str, str]:
    """Return the installer and the Python version of the package that a file belongs to.

    The standalone installer and `pip install --user` use the same directory, so a package's record
    counts only if it lists a file of this size.
    """
    for info in _glob(above, [f"{folder}/uv-*.dist-info" for folder in _PACKAGES]):
        for line in _text(info / "RECORD").splitlines():
            name, _, size = line.replace("\\", "/").rpartition(",")
            name = name.partition(",")[0]
            if name.startswith("../") and name.endswith(f"/{file.name}") and _is_size(file, size):
                installer = _text(info / "INSTALLER").strip() or "pip"
                python = re.search(r"python(3\.\d+)", info.parent.parent.name)
                return installer, python[1] if python else ""
    return "", ""


def _is_size(file: Path, size: str) -> bool:
    try:
        return str(file.stat().st_size) == size
    except OSError:
        return False


def _systems(text: str) -> Iterator[str]:
    found = dict(re.findall(r"^(ID|ID_LIKE)=[\"']?([^\"'\n]*)", text, re.MULTILINE))
    for key in ("ID", "ID_LIKE"):
        for name in found.get(key, "").split():
            yield name
            # `opensuse-leap`, `opensuse-tumbleweed`.
            yield name.partition("-")[0]


def _glob(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    for pattern in patterns:
        try:
            yield from sorted(folder.glob(pattern))
        except OSError:
            continue


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_START)
    except OSError:
        return b""


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
