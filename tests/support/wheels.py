"""Wheels of uv that are small: their `uv` is a script that says its version."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def small_wheel(version: str, *, says: str | None = None, real: Path | None = None) -> bytes:
    """Return a wheel that every uv installs.

    Args:
        version: Of the wheel; it may be a local one.
        says: What its `uv --version` says; None for the same.
        real: The uv that it runs for all else; None where nothing else is run.
    """
    info = f"uv-{version}.dist-info"
    rest = "" if real is None else f'[ "$1" = --version ] || exec "{real}" "$@"\n'
    script = f'#!/bin/sh\n{rest}echo "uv {says or version}"\n'
    wheel = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: uv\nVersion: {version}\n",
        f"{info}/WHEEL": wheel,
        f"uv-{version}.data/scripts/uv": script,
        f"uv-{version}.data/scripts/uvx": script,
    }
    record = f"{info}/RECORD"
    members[record] = "".join(f"{name},,\n" for name in [*members, record])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return file.getvalue()
