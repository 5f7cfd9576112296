"""Which texts are versions of uv: PEP 440, as uv's own tags write them."""

from __future__ import annotations

import re

LONGEST_SPECIFIERS = 200
"""Characters of a specifier set: Python refuses to read a number of some thousand digits."""


_NUMBER = "(?:0|[1-9][0-9]{0,17})"


VERSION = re.compile(
    rf"{_NUMBER}(?:\.{_NUMBER}){{2}}(?:(?:a|b|rc){_NUMBER})?(?:\.post{_NUMBER})?(?:\.dev{_NUMBER})?"
)
"""The public versions of PEP 440 in their normal form, of three numbers as all of uv's are.

Another number of them could be another name for the same version: 0.14.0.0 is 0.14.0, but no pin
and no list has it under that name.
"""


_PREFIX = re.compile(r"^(?:uv[-_/@])?v?")


def is_prerelease(version: str) -> bool:
    """Return whether PEP 440 calls a version, in its normal form, a pre-release."""
    return re.search(r"a|b|rc|dev", version) is not None


def version_of_tag(tag: str) -> str | None:
    """Return the version that a tag names, or None if it names none.

    A `v` may stand before it, and in a repository that holds more than uv, `uv-` or the like.
    """
    version = _PREFIX.sub("", tag.strip(), count=1)
    return version if VERSION.fullmatch(version) else None
