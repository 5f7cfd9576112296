"""Install a wheel of uv into a directory, compared with the digests of the index or with pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.errors import IndexFailed, NoWheelDigest, UnusableArchive
from uv_self_update.releases.release import LARGEST_UNPACKED
from uv_self_update.sources.index.digests import SECURE, mismatch, strongest
from uv_self_update.sources.index.prefetch import INSTALL
from uv_self_update.sources.index.uv_pip import end_of
from uv_self_update.sources.index.watched import OutputTooLarge

if TYPE_CHECKING:
    from uv_self_update.releases.digests import DigestRules
    from uv_self_update.sources.index.own_cache import OwnCache
    from uv_self_update.sources.index.resolver import Resolver
    from uv_self_update.sources.index.uv_pip import UvPip


class WheelInstaller:
    """Installs wheels with the user's uv.

    Args:
        uv: Runs uv.
        resolver: Knows the digests of the index.
        digests: The digests that a wheel must have besides.
        name: The name of the source in messages.
    """

    def __init__(self, uv: UvPip, resolver: Resolver, digests: DigestRules, *, name: str) -> None:
        self._uv = uv
        self._resolver = resolver
        self._digests = digests
        self._name = name

    def install(self, version: str, hashes: list[str], cache: OwnCache, *options: str) -> None:
        """Install a version into the target of a cache, with further options of uv."""
        wheel, requirement = f"the wheel of uv {version}", " ".join([f"uv=={version}", *hashes])
        try:
            arguments = [*INSTALL, *options, "--target", str(cache.target)]
            answer = self._uv.fill(arguments, requirement, cache)
        except OutputTooLarge:
            reason = f"it contains more than {LARGEST_UNPACKED:,} bytes"
            raise UnusableArchive(wheel, self._name, reason) from None
        pinned = self._digests.places(version)
        if error := mismatch(answer.errors, wheel, self._name, pinned=pinned):
            raise error
        if answer.code != 0:
            raise IndexFailed(self._name, "uv pip install", end_of(answer.errors))

    def hashes(self, version: str) -> list[str]:
        """Return the `--hash` options for a version; a wheel has to match one of them.

        Raises:
            NotPinned: Other files of the version are pinned, and no wheel.
            NoWheelDigest: A digest is required, and the index has none or a weak one.
            IndexFailed: The index cannot be used.
        """
        wheel = f"the wheel of uv {version}"
        pinned = self._digests.wheels(version, name=wheel, source=self._name)
        if pinned:
            return [f"--hash=sha256:{digest}" for digest in sorted(pinned)]
        algorithm, digests = strongest(self._resolver.with_hashes(version))
        if self._digests.required and algorithm not in SECURE:
            raise NoWheelDigest(
                wheel, self._name, self._digests.required_by, version=version, weak=algorithm
            )
        return [f"--hash={algorithm}:{digest}" for digest in digests]
