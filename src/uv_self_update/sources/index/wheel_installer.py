"""Install a wheel of uv into a directory, compared with the digests of the index or with pins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uv_self_update.errors import DigestMismatch, IndexFailed, NoWheelDigest, UnusableArchive
from uv_self_update.releases.release import LARGEST_UNPACKED
from uv_self_update.sources.index.prefetch import INSTALL
from uv_self_update.sources.index.uv_pip import end_of
from uv_self_update.sources.index.watched import OutputTooLarge

if TYPE_CHECKING:
    from pathlib import Path

    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.sources.index.own_cache import OwnCache
    from uv_self_update.sources.index.resolver import Resolver
    from uv_self_update.sources.index.uv_pip import UvPip


_STRENGTH = ("sha512", "sha384", "sha256", "blake2b", "md5")
"""The algorithms that uv supports, the strongest first; blake2b since 0.8."""

SECURE = frozenset(_STRENGTH) - {"md5"}
"""The algorithms that are collision resistant."""

_HASH = re.compile(rf"--hash=({'|'.join(_STRENGTH)}):([0-9a-f]+)\b")
_DIGEST = re.compile(rf"\b({'|'.join(_STRENGTH)}):([0-9a-f]+)\b")
_MISMATCH = re.compile(r"Hash mismatch for (.*?)Computed:(.*)", re.DOTALL)
_SHOWN = 3


class WheelInstaller:
    """Installs wheels with the user's uv.

    Args:
        uv: Runs uv.
        resolver: Knows the digests of the index.
        digests: The digests that a wheel must have besides.
    """

    def __init__(self, uv: UvPip, resolver: Resolver, digests: DigestRules) -> None:
        self._uv = uv
        self._resolver = resolver
        self._digests = digests

    def unpack(self, version: str, hashes: list[str], directory: Path, *options: str) -> Path:
        """Install a version below a new directory, and return that of its executables."""
        cache = self._uv.create_cache(directory)
        try:
            self.install(version, hashes, cache, *options)
        finally:
            cache.remove()
        return self.executables_in(cache.target, version)

    def install(self, version: str, hashes: list[str], cache: OwnCache, *options: str) -> None:
        """Install a version into the target of a cache, with further options of uv."""
        wheel, requirement = f"the wheel of uv {version}", " ".join([f"uv=={version}", *hashes])
        try:
            arguments = [*INSTALL, *options, "--target", str(cache.target)]
            answer = self._uv.fill(arguments, requirement, cache)
        except OutputTooLarge:
            reason = f"it contains more than {LARGEST_UNPACKED:,} bytes"
            raise UnusableArchive(wheel, self._uv.name, reason) from None
        pinned = self._digests.places(version)
        if error := _mismatch(answer.errors, wheel, self._uv.name, pinned=pinned):
            raise error
        if answer.code != 0:
            raise IndexFailed(self._uv.name, "uv pip install", end_of(answer.errors))

    def executables_in(self, target: Path, version: str) -> Path:
        """Return the directory of the executables below a target.

        Raises:
            UnusableArchive: The wheel contains none.
        """
        executables = target / "bin"  # with `--target` on every system, also on Windows
        if not executables.is_dir():
            wheel, reason = f"the wheel of uv {version}", "it contains no executable"
            raise UnusableArchive(wheel, self._uv.name, reason)
        return executables

    def hashes(self, version: str) -> list[str]:
        """Return the `--hash` options for a version; a wheel has to match one of them.

        Raises:
            NotPinned: Other files of the version are pinned, and no wheel.
            NoWheelDigest: A digest is required, and the index has none or a weak one.
            IndexFailed: The index cannot be used.
        """
        wheel = f"the wheel of uv {version}"
        pinned = self._digests.wheels(version, name=wheel, source=self._uv.name)
        if pinned:
            return [f"--hash=sha256:{digest}" for digest in sorted(pinned)]
        algorithm, digests = strongest(self._resolver.with_hashes(version))
        if self._digests.required and algorithm not in SECURE:
            raise NoWheelDigest(
                wheel, self._uv.name, self._digests.required_by, version=version, weak=algorithm
            )
        return [f"--hash={algorithm}:{digest}" for digest in digests]


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


def _mismatch(errors: str, wheel: str, source: str, *, pinned: str) -> DigestMismatch | None:
    """Return the error for a hash mismatch that uv reports on stderr; None for any other output."""
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
