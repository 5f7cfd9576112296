"""Digests of wheels in the output of uv: pure."""

from __future__ import annotations

import re

from uv_self_update.errors import DigestMismatch

_STRENGTH = ("sha512", "sha384", "sha256", "blake2b", "md5")
"""The algorithms that uv supports, the strongest first; blake2b since 0.8."""

SECURE = frozenset(_STRENGTH) - {"md5"}
"""The algorithms that are collision resistant."""

_HASH = re.compile(rf"--hash=({'|'.join(_STRENGTH)}):([0-9a-f]+)\b")
_DIGEST = re.compile(rf"\b({'|'.join(_STRENGTH)}):([0-9a-f]+)\b")
_MISMATCH = re.compile(r"Hash mismatch for (.*?)Computed:(.*)", re.DOTALL)
_SHOWN = 3


def strongest(requirement: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the digests of a version's files in the strongest algorithm available.

    uv accepts a wheel that matches any of the given digests, so a weak one would undo a strong one.
    JSON pages may have several for a file (PEP 691).

    Args:
        requirement: The requirement in the output of `uv pip compile --generate-hashes`.

    Returns:
        The algorithm, or None if the index has no digest that uv supports; and the digests.
    """
    found: dict[str, list[str]] = {}
    for algorithm, digest in _HASH.findall(requirement):
        found.setdefault(algorithm, []).append(digest)
    algorithm = next((name for name in _STRENGTH if name in found), None)
    return algorithm, tuple(found.get(algorithm or "", ()))


def mismatch(errors: str, wheel: str, source: str, *, pinned: str) -> DigestMismatch | None:
    """Return the error for a hash mismatch that uv reports; None for any other output.

    Args:
        errors: The stderr of uv.
        wheel: The name of the wheel in the message.
        source: The name of the source in the message.
        pinned: The place where the digests of the version are pinned; empty for those of the index.
    """
    report = _MISMATCH.search(errors)
    if report is None:
        return None
    expected = _DIGEST.findall(report[1])
    algorithm = expected[0][0] if expected else "sha256"
    computed = dict(_DIGEST.findall(report[2]))
    return DigestMismatch(
        wheel,
        source,
        algorithm=algorithm,
        expected=_any_of([digest for name, digest in expected if name == algorithm]),
        got=computed.get(algorithm, "another"),
        pinned=pinned,
    )


def _any_of(digests: list[str]) -> str:
    """Join digests of which one has to match; an index has one for each platform's wheel."""
    more = f" or one of {len(digests) - _SHOWN} more"
    return " or ".join(digests[:_SHOWN]) + (more if len(digests) > _SHOWN else "")
