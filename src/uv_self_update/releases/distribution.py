"""Distributions: the wheels and source archives that release pages hold, and an index page of them.

File names are parsed as PyPA's specifications of binary and source distribution formats say, pages
are written as PEP 691 and PEP 700 say.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

PAGE_TYPE = "application/vnd.pypi.simple.v1+json"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*")
"""The characters of a file name in both specifications; a path is never one."""


@frozen
class Distribution:
    """One wheel or source archive of a release."""

    project: str
    """The normalized name (PEP 503)."""

    version: Version
    filename: str
    tag: str
    """The release that holds it; empty for a flat directory."""

    where: str
    """How its repository finds it again; it means nothing to any other."""

    size: int | None = None
    """Bytes."""

    sha256: str | None = None
    """64 lower-case hexadecimal digits, where the repository publishes them."""

    uploaded: str | None = None
    """RFC 3339, in UTC."""

    yanked: str | None = None
    """Why it should not be used; None where it may be."""

    @property
    def wheel(self) -> bool:
        """Whether it is a wheel."""
        return self.filename.endswith(".whl")


@frozen
class Claim:
    """Which projects a repository may serve."""

    patterns: tuple[str, ...] = ()
    """Normalized names or glob patterns; empty for every project that the repository holds."""

    @property
    def named(self) -> bool:
        """Whether the projects are named, so that no other index may serve them."""
        return bool(self.patterns)

    def covers(self, project: str) -> bool:
        """Return whether a normalized project name may be served."""
        return not self.patterns or any(fnmatchcase(project, pattern) for pattern in self.patterns)


def parse_filename(filename: str) -> tuple[str, Version] | None:
    """Return the normalized project and the version of a distribution; None for any other file.

    uv's own archives are named like source archives, and their last part is no version.
    """
    from packaging.utils import (  # noqa: PLC0415 # slow to import
        InvalidSdistFilename,
        InvalidWheelFilename,
        canonicalize_name,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    if not _NAME.fullmatch(filename):
        return None
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(filename)
        elif filename.endswith((".tar.gz", ".zip")):
            name, version = parse_sdist_filename(filename)
        else:
            return None
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None
    return canonicalize_name(name), version


def page(project: str, base: str, files: Iterable[tuple[Distribution, str]]) -> bytes:
    """Return an index page in JSON.

    Args:
        project: The normalized name.
        base: The URL that the tags of releases follow, with a slash at its end.
        files: The distributions of the project, each with its sha256.
    """
    digested = list(files)
    document = {
        "meta": {"api-version": "1.1"},
        "name": project,
        "versions": sorted({str(file.version) for file, _ in digested}),
        "files": [_entry(file, base, sha256) for file, sha256 in digested],
    }
    return json.dumps(document).encode()


def _entry(file: Distribution, base: str, sha256: str) -> dict[str, object]:
    from urllib.parse import quote  # noqa: PLC0415 # the pages alone need it

    tag = f"{quote(file.tag, safe='')}/" if file.tag else ""
    entry: dict[str, object] = {
        "filename": file.filename,
        "url": f"{base}{tag}{quote(file.filename, safe='')}",
        "hashes": {"sha256": sha256},
        "yanked": file.yanked if file.yanked is not None else False,
    }
    if file.size is not None:
        entry["size"] = file.size
    if file.uploaded is not None:
        entry["upload-time"] = file.uploaded
    if file.wheel:
        # Without a digest of its own: uv then asks for the metadata of candidates only.
        entry["core-metadata"] = True
    return entry
