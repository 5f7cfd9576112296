"""Looking around a copy of uv: what on the disk tells who has installed it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.owners import Copy, Owner, Surroundings, owner_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ("find_owner", "look_around")

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


def find_owner(uv: Path) -> Owner | None:
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
        names=frozenset(name for name in _TELLING if (above / name).exists()),
        conda=next((str(folder) for folder in (above, above.parent) if _conda(folder)), ""),
        installer=installer,
        python=python,
        crate='"uv ' in _text(above / ".crates.toml"),
        systems=() if windows else tuple(_systems(_text(Path("/etc/os-release")))),
    )


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


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
