"""The names by which releases are found in folders."""

from __future__ import annotations

import pytest

from uv_self_update.sources.layout import flat_name, is_asset, version_in_script, version_of_folder

LINUX = "uv-x86_64-unknown-linux-gnu.tar.gz"


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("0.12.3", "0.12.3"),
        ("v0.12.3", "0.12.3"),
        ("uv-0.12.3", "0.12.3"),
        ("uv-v0.12.3", "0.12.3"),
        ("uv@0.12.3", "0.12.3"),
        ("1.0.0rc1", "1.0.0rc1"),
        ("0.12", None),
        ("3", None),
        ("2026", None),
        ("0.12.3-old", None),
        ("python-3.12.1", None),
        ("ruff-0.12.3", None),
        ("latest", None),
        ("", None),
    ],
)
def test_version_of_folder(name: str, version: str | None) -> None:
    """A folder is a version's if it is named for one of uv's, which have three numbers."""
    assert version_of_folder(name) == version


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (LINUX, True),
        (f"{LINUX}.sha256", True),
        ("uv-aarch64-apple-darwin.tar.gz", True),
        ("uv-x86_64-pc-windows-msvc.zip", True),
        ("uv-installer.sh", True),
        ("uv-installer.ps1", True),
        ("uv-0.12.3-py3-none-manylinux_2_17_x86_64.whl", False),
        ("ruff-x86_64-unknown-linux-gnu.tar.gz", False),
        ("uv-x86_64-unknown-linux-gnu.tar.gz.asc", False),
        ("uv.tar.gz", False),
        ("sha256.sum", False),
    ],
)
def test_is_asset(name: str, *, expected: bool) -> None:
    """Files of uv's releases are told from others by their names."""
    assert is_asset(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uv-0.12.3-x86_64-unknown-linux-gnu.tar.gz", ("0.12.3", LINUX)),
        ("uv-v0.12.3-x86_64-unknown-linux-gnu.tar.gz", ("0.12.3", LINUX)),
        ("uv-x86_64-unknown-linux-gnu-0.12.3.tar.gz", ("0.12.3", LINUX)),
        ("uv-x86_64-unknown-linux-gnu_v0.12.3.tar.gz", ("0.12.3", LINUX)),
        ("0.12.3-uv-x86_64-unknown-linux-gnu.tar.gz", ("0.12.3", LINUX)),
        (
            "uv-1.0.0rc1-x86_64-unknown-linux-gnu.tar.gz.sha256",
            ("1.0.0rc1", f"{LINUX}.sha256"),
        ),
        ("uv-installer-0.12.3.sh", ("0.12.3", "uv-installer.sh")),
        ("uv-0.12.3-installer.ps1", ("0.12.3", "uv-installer.ps1")),
        (LINUX, None),
        ("uv-0.12-x86_64-unknown-linux-gnu.tar.gz", None),
        ("ruff-0.12.3-x86_64-unknown-linux-gnu.tar.gz", None),
        ("uv-0.12.3-py3-none-win_amd64.whl", None),
        ("uv-0.12.3.tar.gz", None),
    ],
)
def test_flat_name(name: str, expected: tuple[str, str] | None) -> None:
    """A version within a file's name is taken out wherever it stands."""
    assert flat_name(name) == expected


@pytest.mark.parametrize(
    ("script", "version"),
    [
        ('#!/bin/sh\nAPP_NAME="uv"\nAPP_VERSION="0.12.3"\n', "0.12.3"),
        ("$app_name = 'uv'\n$app_version = '0.12.3'\n", "0.12.3"),
        ('# APP_VERSION="0.12.3"\n', None),
        ('APP_VERSION="$1"\n', None),
        ("", None),
        # Nobody waits for a script that is made to be slow.
        ("#!/bin/sh\n" + "\n" * (1 << 20), None),
        ('APP_VERSION="' + "0" * (1 << 20), None),
    ],
    ids=lambda value: str(value)[:40],
)
def test_version_in_script(script: str, version: str | None) -> None:
    """An installer says which version it installs, in either language."""
    assert version_in_script(script) == version
