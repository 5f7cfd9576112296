"""The digests that files must have, and the check of a body while it is streamed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from uv_self_update.errors import DigestMismatch, NoDigest, NotPinned
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_LINE = re.compile(r"([0-9a-f]{64})(?:[ \t]+\*?(\S.*))?", re.IGNORECASE)
_EMBEDDED = re.compile(r'\b_checksum_value="([0-9a-f]{64})"')
_BSD_LINE = re.compile(r"SHA256 \((.+)\) = ([0-9a-f]{64})", re.IGNORECASE)


@frozen
class Pin:
    """The digest of a file in the configuration, which overrides what its source publishes."""

    version: str
    name: str
    """The file name of an archive, an installer or a wheel."""

    sha256: str
    """64 lower-case hexadecimal digits."""

    origin: str = ""
    """The configuration file that contains it."""

    @property
    def key(self) -> str:
        """The key that sets it."""
        return f"policy.digests.{self.version}.{self.name}"


@frozen
class DigestRules:
    """The rules about digests of all origins."""

    required: bool = False
    """Whether to refuse a file without a digest."""

    required_by: str = ""
    """The file or the variable that sets `required`."""

    pinned: tuple[Pin, ...] = ()

    def expected(
        self, version: str, name: str, published: str | None, *, source: str
    ) -> Expected | None:
        """Return the digest that a file must have; None for any.

        As in pip's hash-checking mode, pins are all or nothing: if an origin pins files of a
        version, it has to pin every file that is used.

        Args:
            version: The version of its release.
            name: The file name.
            published: The SHA-256 that its source publishes.
            source: The name of the source, for messages.

        Raises:
            DigestMismatch: The published digest is not the pinned one, or two pins disagree.
            NotPinned: Only other files of the version are pinned.
            NoDigest: A digest is required but missing.
        """
        pinned: list[Pin] = []
        for origin, pins in self._pins(version).items():
            named = [pin for pin in pins if pin.name == name]
            if not named:
                raise NotPinned(name, source, version, origin)
            pinned += named
        found = None if published is None else Expected(sha256=published)
        for pin in pinned:
            if found is not None and found.sha256 != pin.sha256:
                raise DigestMismatch(
                    name, source, expected=pin.sha256, got=found.sha256, pinned=pin.origin
                )
            found = Expected(sha256=pin.sha256, pinned=pin.origin)
        if found is None and self.required:
            raise NoDigest(name, source, self.required_by)
        return found

    def wheels(self, version: str, *, name: str, source: str) -> frozenset[str]:
        """Return the allowed digests of a version's wheel: those that every origin pins.

        Empty if no origin pins files of the version.

        Args:
            version: The version of the wheel.
            name: The name of the wheel for messages; its file name is not known.
            source: The name of the source, for messages.

        Raises:
            NotPinned: An origin pins only other files, or other wheels than another origin.
        """
        found: frozenset[str] = frozenset()
        for nth, (origin, pins) in enumerate(self._pins(version).items()):
            wheels = frozenset(pin.sha256 for pin in pins if pin.name.endswith(".whl"))
            found = found & wheels if nth else wheels
            if not found:
                raise NotPinned(name, source, version, origin)
        return found

    def places(self, version: str) -> str:
        """Return the origins that pin files of a version, for messages; empty if none do."""
        return " and ".join(self._pins(version))

    def _pins(self, version: str) -> dict[str, list[Pin]]:
        """Return the pins of a version's files, by origin."""
        found: dict[str, list[Pin]] = {}
        for pin in self.pinned:
            if pin.version == version:
                found.setdefault(pin.origin, []).append(pin)
        return found


@frozen
class Expected:
    """The digest that a file must have."""

    sha256: str
    pinned: str = ""
    """The origin that pins it; empty if the source publishes it."""


def hold_back(
    chunks: Iterable[bytes], expected: Expected | None, *, name: str, source: str
) -> Iterator[bytes]:
    """Yield the chunks of a file, the last one only after its digest is verified.

    A receiver can therefore never have a complete file with a wrong digest. Without an expected
    digest every chunk is yielded.

    Raises:
        DigestMismatch: The file has another digest; its last chunk was not yielded.
    """
    if expected is None:
        yield from chunks
        return
    import hashlib  # noqa: PLC0415 # slow, and the first connection is begun before

    digest = hashlib.sha256()
    held = b""
    for chunk in chunks:
        # An empty chunk at the end must not release the last one with content.
        if not chunk:
            continue
        digest.update(chunk)
        if held:
            yield held
        held = chunk
    if digest.hexdigest() != expected.sha256:
        raise DigestMismatch(
            name,
            source,
            expected=expected.sha256,
            got=digest.hexdigest(),
            pinned=expected.pinned,
        )
    if held:
        yield held


def embedded(script: str, name: str) -> str | None:
    """Return the SHA-256 of an archive in a release's own installer; None without one.

    `uv-installer.sh` of uv 0.11.0 and later has an arm of a `case` for each archive, with a
    `_checksum_value` in it (dist 0.31).
    """
    _, arm, rest = script.partition(f'"{name}")')
    found = _EMBEDDED.search(rest.partition(";;")[0]) if arm else None
    return found[1] if found else None


def only_sums(text: str) -> bool:
    """Return whether every line of a text is a comment or the digest of a file.

    A line that is neither may be a damaged digest, whose file would go unchecked.
    """
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return all(
        _LINE.fullmatch(line) or _BSD_LINE.fullmatch(line)
        for line in lines
        if line and not line.startswith("#")
    )


def parse_sums(text: str) -> dict[str, str]:
    """Parse the output of `sha256sum` or `shasum`, with or without `--tag`.

    Returns:
        File name without directories -> digest; a digest alone has the name "". A file without a
        directory takes precedence over one in a directory. Two different digests for a name become
        one text that no digest equals.
    """
    sums: dict[str, str] = {}
    inner: dict[str, str] = {}
    for line in text.removeprefix("\ufeff").splitlines():
        if tagged := _BSD_LINE.fullmatch(line.strip()):
            name, digest = tagged[1], tagged[2]
        elif plain := _LINE.fullmatch(line.strip()):
            name, digest = plain[2] or "", plain[1]
        else:
            continue
        *directories, name = re.split(r"[/\\]", name.strip().removeprefix("./"))
        known = inner if directories else sums
        digest = digest.lower()
        # Either of two different digests may be the right one, so that no file may match.
        disagree = known.get(name, digest) != digest
        known[name] = f"{known[name]} and {digest}" if disagree else digest
    return {**inner, **sums}


def lone_sum(value: object) -> str | None:
    """Return the digest that a server gives for one file; None for anything else."""
    return parse_sums(value).get("") if isinstance(value, str) else None
