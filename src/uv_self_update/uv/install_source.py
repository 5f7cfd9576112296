"""Looking around a copy of uv: what on the disk tells who has installed it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.uv.package_managers import Copy, Owner, Record, Surroundings, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_START = 1024
"""Bytes at the beginning of a file that tell whether it is a script, and which."""

_MISE = (
    (".mise.backend.toml", r'^short *= *"(.+)"'),
    (".mise-install.toml", r'^requested_as *= *"(.+)"'),
    (".mise.backend", r"^(.+)"),
)
"""Where mise writes what it calls a tool: in the folder of all its versions, or of one."""

_TELLING = ("pipx_metadata.json", "pyvenv.cfg", "uv-receipt.toml")
_PACKAGES = (
    "lib/python*/site-packages",
    "lib64/python*/site-packages",
    "lib/python*/dist-packages",
    "lib/python3/dist-packages",
    "Lib/site-packages",
    "site-packages",
)
"""Where the packages of a Python lie, from the folder above that of its programs."""


def find_package_manager(uv: Path) -> Owner | None:
    """Return what has installed a uv; None for uv's standalone installer, or by hand."""
    around = look_around(uv, windows=sys.platform == "win32")
    return owner_of(Copy(path=str(uv), resolved=str(uv.resolve()), around=around))


def look_around(uv: Path, *, windows: bool) -> Surroundings:
    """Gather what tells who has installed a uv; what cannot be read tells nothing."""
    file = uv.resolve()
    above = file.parent.parent
    installer, python = _package(file, above)
    return Surroundings(
        windows=windows,
        record=next(filter(None, _records(uv, file)), None),
        names=frozenset(name for name in _TELLING if (above / name).exists()),
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
            # A Python of mise's has a record as well, and what pip puts there is not mise's.
            if found and re.search(r"(^|[:/])uv$", found[1]):
                return Record(manager="mise", tool=found[1])
    return None


def _asdf(file: Path) -> Record | None:
    """Find what asdf has installed, or a script that it has made to start that."""
    if re.search(rb"^# asdf-plugin: uv ", _start(file), re.MULTILINE):
        return Record(manager="asdf", tool="uv")
    for folder in file.parents:
        installs = folder.parent
        if (installs.name, folder.name) == ("installs", "uv"):
            there = (installs.parent / "plugins" / "uv").exists()
            return Record(manager="asdf", tool="uv") if there else None
    return None


def _scoop(folder: Path, name: str) -> Record | None:
    """Find a version of an application of Scoop's, or the shim of one.

    Only a person's own root has Scoop itself in it, and not the one for everybody.
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
    """Find an environment of `pixi global`, or what pixi has made to start a program in one."""
    started = _text(folder / "trampoline_configuration" / f"{name}.json")
    if exposed := re.search(r"[\\/]envs[\\/]+([^\\/]+)[\\/]", started):
        return Record(manager="pixi", tool=exposed[1])
    # On Windows the programs lie in `Library/bin`.
    for prefix in (folder.parent, folder.parent.parent):
        home = prefix.parent.parent
        if prefix.parent.name == "envs" and (home / "manifests" / "pixi-global.toml").exists():
            return Record(manager="pixi", tool=prefix.name)
    return None


def _conda(folder: Path) -> bool:
    return any(re.match(r"uv-\d", path.name) for path in _glob(folder, ["conda-meta/uv-*.json"]))


def _package(file: Path, above: Path) -> tuple[str, str]:
    """Return what has installed the package that a file belongs to, and for which Python.

    The standalone installer and `pip install --user` use the same folder, so that a package's
    record is believed only if it names a file of this very size.
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
