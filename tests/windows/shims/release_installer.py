"""What cargo-dist's script for PowerShell does, as its text says; and no other script.

The stand-in for PowerShell runs this for `& SCRIPT`, if `UV_TEST_RELEASE` names it. The effects
follow the script of cargo-dist 0.33.0, function by function. A script with another text is refused.
"""

# ruff: noqa: T201 # it prints what the script prints

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import urllib.request
import zipfile
from pathlib import Path

DIGEST = "35af69245454333479c58af2dfb20eecb2b339be920b3f6ea8d15d6a7bfd1fc9"
"""SHA-256 of the script, with `VERSION` in place of uv's version."""

REFUSED = 97
_ARCHIVE = "uv-x86_64-pc-windows-msvc.zip"
_BINARIES = ("uv.exe", "uvx.exe", "uvw.exe")


def main(script: Path) -> int:
    """Do what a script says, and return its exit code."""
    text = script.read_text(encoding="utf-8")
    found = re.search(r"^\$app_version = '([0-9.]+)'$", text, re.MULTILINE)
    version = found[1] if found else ""
    digest = hashlib.sha256(text.replace(version, "VERSION").encode()).hexdigest()
    if not version or digest != DIGEST:
        print(f"the stand-in for PowerShell does not know this script: {digest}")
        return REFUSED
    try:
        _install(version, json.loads(text.partition('$receipt = @"\n')[2].partition('\n"@')[0]))
    except (OSError, zipfile.BadZipFile) as error:
        print(error)
        return 1
    return 0


def _install(version: str, receipt: dict[str, object]) -> None:
    """`Install-Binary`."""
    print(f"downloading uv {version} (x86_64-pc-windows-msvc)", flush=True)
    unpacked = _download(version)
    unmanaged = os.environ.get("UV_UNMANAGED_INSTALL")
    target = os.environ.get("UV_INSTALL_DIR") or os.environ.get("CARGO_DIST_FORCE_INSTALL_DIR")
    target = target or unmanaged or str(Path.home() / ".local" / "bin")
    print(f"installing to {target}")
    Path(target).mkdir(parents=True, exist_ok=True)
    for name in _BINARIES:
        shutil.copy(unpacked / name, target)
        (unpacked / name).unlink()
        print(f"  {name}")
    if not (unmanaged or os.environ.get("UV_DISABLE_UPDATE")):
        receipt |= {"binaries": _BINARIES, "install_prefix": target, "install_layout": "flat"}
        above = os.environ.get("XDG_CONFIG_HOME") or os.environ["LOCALAPPDATA"]
        place = Path(above, "uv", "uv-receipt.json")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(receipt))
    print("everything's installed!")


def _download(version: str) -> Path:
    """`Download`, whose temporary directory is never removed."""
    base = os.environ.get("UV_DOWNLOAD_URL") or os.environ.get("INSTALLER_DOWNLOAD_URL")
    if not base:
        above = os.environ["UV_INSTALLER_GHE_BASE_URL"]
        base = f"{above}/astral-sh/uv/releases/download/{version}"
    # A `WebProxy` that is set is used for any address, whatever NO_PROXY says.
    proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("ALL_PROXY")
    request = urllib.request.Request(f"{base}/{_ARCHIVE}")  # noqa: S310 # as the script does
    if proxy:
        request.set_proxy(proxy.partition("//")[2].rstrip("/"), "http")
    if token := os.environ.get("UV_GITHUB_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    directory = Path(tempfile.mkdtemp())
    archive = directory / "uv.zip"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request) as response, archive.open("wb") as file:
        shutil.copyfileobj(response, file)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(directory)
    return directory


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
