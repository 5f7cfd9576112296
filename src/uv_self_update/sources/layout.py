"""How people lay out uv's releases in folders: pure decisions about names.

```text
0.12.3/uv-x86_64-unknown-linux-gnu.tar.gz          a folder for each version, with or without a `v`
releases/download/0.12.3/…                         other folders in between
uv-0.12.3-x86_64-unknown-linux-gnu.tar.gz          all in one folder, the version in each name
uv-x86_64-unknown-linux-gnu.tar.gz                 one version, which its installer names
```
"""

from __future__ import annotations

import re

from uv_self_update.versions import version_of_tag

IN_BETWEEN = (
    *("releases", "download", "downloads", "uv", "github", "astral-sh", "astral", "dist"),
    *("mirror", "mirrors", "files", "stable", "latest"),
)
"""The folders, in lower case, that may lie above those of the versions, the likeliest first."""

_THREE_NUMBERS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_ASSET = re.compile(
    r"uv-(?:installer\.(?:sh|ps1)|[a-z0-9_]+-[a-z0-9_-]+\.(?:tar\.gz|zip))(?:\.sha256)?"
)
_IN_NAME = re.compile(r"[-_.]?v?(?P<version>[0-9]+\.[0-9]+\.[0-9]+[a-z0-9]*)(?=[-_.])")
_IN_SCRIPT = re.compile(r"(?im)^[ \t]*\$?APP_VERSION[ \t]*=[ \t]*[\"']([^\"'\n]{1,64})[\"']")


def version_of_folder(name: str) -> str | None:
    """Return the version that a folder is named for, or None.

    uv's versions have three numbers; a folder with fewer is something else's.
    """
    version = version_of_tag(name)
    return version if version is not None and _THREE_NUMBERS.match(version) else None


def is_asset(name: str) -> bool:
    """Return whether a file is named as a file of uv's releases is."""
    return _ASSET.fullmatch(name) is not None


def flat_name(name: str) -> tuple[str, str] | None:
    """Take the version out of a file's name.

    Returns:
        The version, and the name that the file has in uv's releases; None if it has none there.
    """
    for match in _IN_NAME.finditer(name):
        version = version_of_folder(match["version"])
        start, end = name[: match.start()], name[match.end() :]
        # `uv-0.12.3-x86_64…` keeps one of the two signs, `uv-installer-0.12.3.sh` none.
        for rest in (f"{start}{end}", f"{start}{end[1:]}"):
            if version is not None and is_asset(rest):
                return version, rest
    return None


def version_in_script(script: str) -> str | None:
    """Return the version that a release's installer installs, or None."""
    match = _IN_SCRIPT.search(script)
    return None if match is None else version_of_folder(match[1])
