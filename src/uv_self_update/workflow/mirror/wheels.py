"""Wheels and archives of uv with the same executables: the same ones give the same bytes.

A wheel made from an archive has the executables and no Python module, so that `uv` runs and
`python -m uv` does not. Its tags are those of uv's own wheels for the same platform.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from uv_self_update.platforms import Platform

TAGS: Mapping[str, str] = {
    "aarch64-apple-darwin": "macosx_11_0_arm64",
    "aarch64-pc-windows-msvc": "win_arm64",
    "aarch64-unknown-linux-gnu": "manylinux_2_28_aarch64",
    "aarch64-unknown-linux-musl": "musllinux_1_1_aarch64",
    "arm-unknown-linux-musleabihf": "linux_armv6l",
    "armv7-unknown-linux-gnueabihf": "manylinux_2_17_armv7l.manylinux2014_armv7l",
    "armv7-unknown-linux-musleabihf": "musllinux_1_1_armv7l",
    "i686-pc-windows-msvc": "win32",
    "i686-unknown-linux-gnu": "manylinux_2_17_i686.manylinux2014_i686",
    "i686-unknown-linux-musl": "musllinux_1_1_i686",
    "powerpc64le-unknown-linux-gnu": "manylinux_2_17_ppc64le.manylinux2014_ppc64le",
    "riscv64gc-unknown-linux-gnu": "manylinux_2_31_riscv64",
    "riscv64gc-unknown-linux-musl": "musllinux_1_1_riscv64",
    "s390x-unknown-linux-gnu": "manylinux_2_17_s390x.manylinux2014_s390x",
    "x86_64-apple-darwin": "macosx_10_12_x86_64",
    "x86_64-pc-windows-msvc": "win_amd64",
    "x86_64-unknown-linux-gnu": "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "x86_64-unknown-linux-musl": "musllinux_1_1_x86_64",
}
"""Target triple -> the platform tags of uv's wheel (the lowest glibc as in uv's dist-workspace)."""

_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a zip can have."""

_EXECUTABLE, _PLAIN = 0o100755, 0o100644
_LEVEL = 1  # 22 MB instead of 20 MB, in a quarter of the time


def wheel_name(version: str, platform: Platform) -> str | None:
    """Return the file name of the wheel; None for a platform without a tag."""
    tag = TAGS.get(platform.triple)
    return None if tag is None else f"uv-{version}-py3-none-{tag}.whl"


def write_wheel(executables: Path, version: str, platform: Platform, target: Path) -> None:
    """Pack executables as a wheel (binary distribution format 1.0).

    Raises:
        OSError: The target cannot be written.
    """
    info = f"uv-{version}.dist-info"
    tags = TAGS[platform.triple].split(".")
    generator = "Wheel-Version: 1.0\nGenerator: uv-self-update\nRoot-Is-Purelib: false\n"
    small = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: uv\nVersion: {version}\n"
        "Requires-Python: >=3.8\n",
        f"{info}/WHEEL": generator + "".join(f"Tag: py3-none-{tag}\n" for tag in tags),
    }
    lines = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
        for name in sorted(platform.executables):
            if not (file := executables / name).exists():
                continue
            data = file.read_bytes()
            path = f"uv-{version}.data/scripts/{name}"
            packed.writestr(_member(path, _EXECUTABLE), data, compresslevel=_LEVEL)
            lines.append(_recorded(path, data))
        for path, text in small.items():
            packed.writestr(_member(path, _PLAIN), text)
            lines.append(_recorded(path, text.encode()))
        record = f"{info}/RECORD"
        packed.writestr(_member(record, _PLAIN), "".join([*lines, f"{record},,\n"]))


def write_archive(executables: Path, platform: Platform, target: Path) -> None:
    """Pack executables as uv's release archive for a platform.

    Raises:
        OSError: The target cannot be written.
    """
    names = [name for name in sorted(platform.executables) if (executables / name).exists()]
    if platform.windows:
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as packed:
            for name in names:
                packed.writestr(_member(name, _EXECUTABLE), (executables / name).read_bytes())
        return
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=_LEVEL, fileobj=raw, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for name in names:
            file = executables / name
            member = tarfile.TarInfo(f"uv-{platform.triple}/{name}")
            member.size, member.mode = file.stat().st_size, 0o755
            with file.open("rb") as content:
                tar.addfile(member, content)


def _member(path: str, mode: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(path, _DATE)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3  # Unix, so that the mode counts
    member.external_attr = mode << 16
    return member


def _recorded(path: str, data: bytes) -> str:
    digest = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(data)}\n"
