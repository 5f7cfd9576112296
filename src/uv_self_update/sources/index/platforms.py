"""Wheels for other platforms than this machine's, as uv names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.errors import UnusableArchive

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OTHER: Mapping[str, str] = {
    "aarch64-apple-darwin": "aarch64-apple-darwin",
    "aarch64-pc-windows-msvc": "aarch64-pc-windows-msvc",
    "aarch64-unknown-linux-gnu": "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl": "aarch64-unknown-linux-musl",
    "i686-pc-windows-msvc": "i686-pc-windows-msvc",
    "riscv64gc-unknown-linux-gnu": "riscv64-unknown-linux",
    "x86_64-apple-darwin": "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc": "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-gnu": "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl": "x86_64-unknown-linux-musl",
}
"""Target triple -> what `uv pip install --python-platform` calls it (uv 0.13.9)."""

UNKNOWN = "invalid value"
"""What uv says about a platform that it does not know."""


def executables_in(target: Path, version: str, *, source: str) -> Path:
    """Return the directory of the executables below a target of `uv pip install`.

    Raises:
        UnusableArchive: The wheel contains none.
    """
    executables = target / "bin"  # with `--target` on every system, also on Windows
    if not executables.is_dir():
        wheel = f"the wheel of uv {version}"
        raise UnusableArchive(wheel, source, "it contains no executable")
    return executables
