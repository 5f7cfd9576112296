"""Small installers for releases whose source has none, such as an index.

They do what `uv self update` needs: fetch the archive for the platform, compare its sha256, install
it where the receipt says, and write the receipt. They do not change PATH or shell profiles.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from uv_self_update.platforms import triple_of
from uv_self_update.workflow.mirror.layout import DOWNLOADS, LINKED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.workflow.mirror.record import File


def installers(version: str, files: Mapping[str, File], url: str | None) -> dict[str, bytes]:
    """Return installers for the archives of a release, by file name.

    Args:
        version: The version.
        files: The archives.
        url: The URL of the mirror, for those who run the installers themselves.
    """
    default = "" if url is None else f"{url}{DOWNLOADS}/{version}"
    digests = {triple: files[name].sha256 for name in sorted(files) if (triple := triple_of(name))}
    windows = {triple: digest for triple, digest in digests.items() if "-windows-" in triple}
    unix = {triple: digest for triple, digest in digests.items() if triple not in windows}
    found = {}
    if unix:
        arms = "\n".join(f"{triple}) digest={digest} ;;" for triple, digest in unix.items())
        found["uv-installer.sh"] = _filled("uv-installer.sh", version, arms, default)
    if windows:
        arms = "\n".join(f'  "{triple}" = "{digest}"' for triple, digest in windows.items())
        found["uv-installer.ps1"] = _filled("uv-installer.ps1", version, arms, default)
    return found


def _filled(name: str, version: str, arms: str, url: str) -> bytes:
    """Return the script of that name beside this module, with its blanks filled in."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    text = text.replace("@VERSION@", version).replace("@LINKED@", LINKED)
    return text.replace("# @ARMS@", arms).replace("@URL@", url).encode()
