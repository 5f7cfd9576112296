"""The digests that an index gives for its wheels, as uv writes them: pure."""

from __future__ import annotations

import re

from uv_self_update.errors import DigestMismatch

_STRENGTH = ("sha512", "sha384", "sha256", "blake2b", "md5")
"""What uv understands, the strongest first; blake2b from 0.8 on."""

SECURE = frozenset(_STRENGTH) - {"md5"}
"""What protects against a file that was made to have the same digest."""

_HASH = re.compile(rf"--hash=({'|'.join(_STRENGTH)}):([0-9a-f]+)\b")
_DIGEST = re.compile(rf"\b({'|'.join(_STRENGTH)}):([0-9a-f]+)\b")
_MISMATCH = re.compile(r"Hash mismatch for (.*?)Computed:(.*)", re.DOTALL)
_SHOWN = 3


def strongest(requirement: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the digests of a version's files in the strongest algorithm that any of them has.

    uv accepts a wheel that has any one of the digests that it is given, so a weak one beside a
    strong one would count as much (JSON pages may have several for a file, PEP 691).

    Args:
        requirement: As `uv pip compile --generate-hashes` writes it.

    Returns:
        The algorithm, or None if the index gives no digest that uv understands; and the digests.
    """
    found: dict[str, list[str]] = {}
    for algorithm, digest in _HASH.findall(requirement):
        found.setdefault(algorithm, []).append(digest)
    algorithm = next((name for name in _STRENGTH if name in found), None)
    return algorithm, tuple(found.get(algorithm or "", ()))


def mismatch(errors: str, wheel: str, source: str, *, pinned: str) -> DigestMismatch | None:
    """Return the error that uv's words about a wheel's digest mean; None if they are of another.

    Args:
        errors: What uv has said.
        wheel: What to call the wheel.
        source: Where it is from.
        pinned: Where digests of its version are pinned; empty for those of the index.
    """
    said = _MISMATCH.search(errors)
    if said is None:
        return None
    expected = _DIGEST.findall(said[1])
    algorithm = expected[0][0] if expected else "sha256"
    computed = dict(_DIGEST.findall(said[2]))
    return DigestMismatch(
        wheel,
        source,
        algorithm=algorithm,
        expected=_any_of([digest for name, digest in expected if name == algorithm]),
        got=computed.get(algorithm, "another"),
        pinned=pinned,
    )


def _any_of(digests: list[str]) -> str:
    """Return digests of which any would do; an index has one for each platform's wheel."""
    more = f" or one of {len(digests) - _SHOWN} more"
    return " or ".join(digests[:_SHOWN]) + (more if len(digests) > _SHOWN else "")
