"""The tests' installers of releases are those that cargo-dist generates."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from support import release_installers

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"an archive"
DIGEST = sha256(CONTENT).hexdigest()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return an archive of a test's own."""
    path = tmp_path / "archive"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize(
    ("version", "checksums", "known"),
    [("0.13.0", None, True), ("0.13.0", False, False), ("0.9.30", None, False)],
)
def test_checksum(version: str, checksums: bool | None, known: bool, archive: Path) -> None:  # noqa: FBT001
    """The script for sh names the archive's checksum, unless it is of a release before that."""
    script = release_installers.script(version, checksums=checksums, archive=archive).decode()

    assert (DIGEST in script) is known
    assert f"releases/download/{version}" in script
    done = subprocess.run(
        ["/bin/sh", "-s", "--", "--help"], input=script, capture_output=True, check=True, text=True
    )
    assert f"The installer for uv {version}" in done.stdout


def test_for_powershell(archive: Path) -> None:
    """The one for PowerShell is of the same release."""
    script = release_installers.script("0.13.0", archive=archive, windows=True).decode()

    assert "$app_version = '0.13.0'" in script
