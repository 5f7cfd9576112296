"""Versions of uv: the normal form of PEP 440, as in uv's tags."""

from __future__ import annotations

import re

LONGEST_SPECIFIERS = 200
"""The limit for a specifier, in characters: Python rejects a number of some thousand digits."""

_NUMBER = "(?:0|[1-9][0-9]{0,17})"

VERSION = re.compile(
    rf"{_NUMBER}(?:\.{_NUMBER}){{2}}(?:(?:a|b|rc){_NUMBER})?(?:\.post{_NUMBER})?(?:\.dev{_NUMBER})?"
)
"""A public version of PEP 440 in its normal form, with three numbers as all of uv's have.

With more or fewer numbers it could be another name for the same version: 0.14.0.0 is 0.14.0, but
no pin and no list has that name.
"""

LONGEST_NAME = 255
"""The limit for the name of a file or a tag, in bytes; longer names are skipped."""

TOO_OLD = re.compile(r"0\.[0-4]\.")
"""The beginning of versions that query GitHub for updates, and cannot be redirected."""

_PREFIX = re.compile(r"^(?:uv[-_/@])?v?")


def is_prerelease(version: str) -> bool:
    """Return whether a version in normal form is a pre-release (PEP 440)."""
    return re.search(r"a|b|rc|dev", version) is not None


def without_local(version: str) -> str:
    """Return the public part of a local version (PEP 440): 0.13.9 of `0.13.9+site`."""
    return version.partition("+")[0]


def numbers_of(version: str | None) -> tuple[int, ...]:
    """Return the first three numbers of a version, to compare it; none of one that is not known."""
    return tuple(int(part) for part in re.findall(r"\d+", version or "")[:3])


def version_of_tag(tag: str) -> str | None:
    """Return the version in a tag, or None.

    It may be prefixed with `v`, and with `uv-` or the like in a repository of several packages.
    """
    if len(tag) > LONGEST_NAME:
        return None
    version = _PREFIX.sub("", tag.strip(), count=1)
    return version if VERSION.fullmatch(version) else None
