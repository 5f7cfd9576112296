"""What differs between platforms."""

from __future__ import annotations

import platform
import re
import sysconfig

import pytest

from uv_self_update.platforms import Platform, current, identify


@pytest.mark.parametrize(
    ("system", "machine", "libc", "triple"),
    [
        ("Linux", "x86_64", "glibc", "x86_64-unknown-linux-gnu"),
        ("Linux", "x86_64", "", "x86_64-unknown-linux-musl"),
        ("Linux", "aarch64", "glibc", "aarch64-unknown-linux-gnu"),
        ("Linux", "aarch64", "", "aarch64-unknown-linux-musl"),
        ("Linux", "arm64", "glibc", "aarch64-unknown-linux-gnu"),
        ("Linux", "i386", "glibc", "i686-unknown-linux-gnu"),
        ("Linux", "i686", "", "i686-unknown-linux-musl"),
        ("Linux", "armv7l", "glibc", "armv7-unknown-linux-gnueabihf"),
        ("Linux", "armv7l", "", "armv7-unknown-linux-musleabihf"),
        ("Linux", "armv6l", "glibc", "arm-unknown-linux-musleabihf"),
        ("Linux", "armv6l", "", "arm-unknown-linux-musleabihf"),
        ("Linux", "ppc64le", "glibc", "powerpc64le-unknown-linux-gnu"),
        ("Linux", "s390x", "glibc", "s390x-unknown-linux-gnu"),
        ("Linux", "riscv64", "glibc", "riscv64gc-unknown-linux-gnu"),
        ("Linux", "riscv64", "", "riscv64gc-unknown-linux-musl"),
        ("Darwin", "x86_64", "", "x86_64-apple-darwin"),
        ("Darwin", "arm64", "", "aarch64-apple-darwin"),
        ("Windows", "AMD64", "", "x86_64-pc-windows-msvc"),
        ("Windows", "ARM64", "", "aarch64-pc-windows-msvc"),
        ("Windows", "x86", "", "i686-pc-windows-msvc"),
    ],
)
def test_identify(system: str, machine: str, libc: str, triple: str) -> None:
    """What Python calls a platform is translated to what uv's release files are called by."""
    assert identify(system=system, machine=machine, libc=libc) == Platform(triple=triple)


@pytest.mark.parametrize(
    ("triple", "windows", "archive", "installer", "executables"),
    [
        (
            "x86_64-unknown-linux-gnu",
            False,
            "uv-x86_64-unknown-linux-gnu.tar.gz",
            "uv-installer.sh",
            ("uvx", "uv"),
        ),
        (
            "aarch64-apple-darwin",
            False,
            "uv-aarch64-apple-darwin.tar.gz",
            "uv-installer.sh",
            ("uvx", "uv"),
        ),
        (
            "x86_64-pc-windows-msvc",
            True,
            "uv-x86_64-pc-windows-msvc.zip",
            "uv-installer.ps1",
            ("uvx.exe", "uvw.exe", "uv.exe"),
        ),
    ],
)
def test_names(
    triple: str, archive: str, installer: str, executables: tuple[str, ...], *, windows: bool
) -> None:
    """The names of files follow from the platform; uv itself is replaced last."""
    platform = Platform(triple=triple)
    assert platform.windows is windows
    assert platform.archive == archive
    assert platform.installer == installer
    assert platform.executables == executables
    assert platform.uv == executables[-1]


def test_current() -> None:
    """The platform that the tests run on has a triple, with nothing left to fill in."""
    assert re.fullmatch(r"[a-z0-9_]+-[a-z]+-[a-z]+(-[a-z]+)?", current().triple)


@pytest.mark.parametrize(
    ("python", "triple"),
    [
        ("win-amd64", "x86_64-pc-windows-msvc"),
        ("win-arm64", "aarch64-pc-windows-msvc"),
        ("win32", "i686-pc-windows-msvc"),
    ],
)
def test_machine_without_a_name(python: str, triple: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without `PROCESSOR_ARCHITECTURE` in the environment, Python's own build names the machine."""
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.setattr(platform, "machine", str)
    monkeypatch.setattr(sysconfig, "get_platform", lambda: python)

    assert current() == Platform(triple=triple)
