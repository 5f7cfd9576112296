"""Directory layouts of uv's releases: pure decisions about names.

```text
0.12.3/uv-x86_64-unknown-linux-gnu.tar.gz          one directory a version, also `v0.12.3`
releases/download/0.12.3/…                         the same below other directories
uv-0.12.3-x86_64-unknown-linux-gnu.tar.gz          one directory, with the version in each name
uv-x86_64-unknown-linux-gnu.tar.gz                 one version, named by its installer
```
"""

from __future__ import annotations

import re

from uv_self_update.versions import version_of_tag

PARENTS = (
    *("releases", "download", "downloads", "uv", "github", "astral-sh", "astral", "dist"),
    *("mirror", "mirrors", "files", "stable", "latest"),
)
"""Directories, in lower case, that may contain those of the versions, the likeliest first."""

_THREE_NUMBERS = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+")
_ASSET = re.compile(
    r"uv-(?:installer\.(?:sh|ps1)|[a-z0-9_]+-[a-z0-9_-]+\.(?:tar\.gz|zip))(?:\.sha256)?"
)
_IN_NAME = re.compile(r"[-_.]?v?(?P<version>[0-9]+\.[0-9]+\.[0-9]+[a-z0-9]*)(?=[-_.])")
_IN_SCRIPT = re.compile(r"(?im)^[ \t]*\$?APP_VERSION[ \t]*=[ \t]*[\"']([^\"'\n]{1,64})[\"']")


def version_of_directory(name: str) -> str | None:
    """Return the version in a directory's name, or None.

    uv's versions have three numbers; a name with fewer belongs to something else.
    """
    version = version_of_tag(name)
    return version if version is not None and _THREE_NUMBERS.match(version) else None


def parent_of_version(location: str) -> str | None:
    """Return the parent, URL or path, of the directory of one version; None for other ones."""
    match = re.fullmatch(r"(?P<parent>.*[/\\])(?P<name>[^/\\?#]+)[/\\]?", location)
    return match["parent"] if match is not None and version_of_directory(match["name"]) else None


def is_asset(name: str) -> bool:
    """Return whether a name is that of a file of uv's releases."""
    return _ASSET.fullmatch(name) is not None


def flat_name(name: str) -> tuple[str, str] | None:
    """Split a file name that contains a version.

    Returns:
        The version, and the file's name in uv's releases; None for any other name.
    """
    for match in _IN_NAME.finditer(name):
        version = version_of_directory(match["version"])
        start, end = name[: match.start()], name[match.end() :]
        # `uv-0.12.3-x86_64…` keeps one of the two separators, `uv-installer-0.12.3.sh` none.
        for rest in (f"{start}{end}", f"{start}{end[1:]}"):
            if version is not None and is_asset(rest):
                return version, rest
    return None


def version_in_script(script: str) -> str | None:
    """Return the version that a release's installer installs, or None."""
    match = _IN_SCRIPT.search(script)
    return None if match is None else version_of_directory(match[1])
