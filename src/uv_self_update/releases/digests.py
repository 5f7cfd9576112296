"""Checking a body against its digest while it passes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors import DigestMismatch, NoDigest, NotPinned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_LINE = re.compile(r"([0-9a-f]{64})(?:[ \t]+\*?(\S.*))?", re.IGNORECASE)
_EMBEDDED = re.compile(r'\b_checksum_value="([0-9a-f]{64})"')
_BSD_LINE = re.compile(r"SHA256 \((.+)\) = ([0-9a-f]{64})", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One digest that the configuration gives a file, whatever its source says."""

    version: str
    name: str
    """The name of the file: of an archive, an installer or a wheel."""

    sha256: str
    """64 lower-case hexadecimal digits."""

    origin: str
    """The file that it stands in."""


@dataclass(frozen=True, kw_only=True)
class DigestRules:
    """Which digests the files of uv's releases have to have."""

    required: bool = False
    """Whether a file is refused that has none."""

    required_by: str = ""
    """The file, or the variable, that says so."""

    pinned: tuple[Pin, ...] = ()

    def expected(
        self, version: str, name: str, published: str | None, *, source: str
    ) -> Expected | None:
        """Return which digest a file has to have; None for any.

        As in pip's hash-checking mode, pins are all or nothing: of a version that a place pins, no
        file is taken that the same place does not pin.

        Args:
            version: Of the release that it belongs to.
            name: The file.
            published: The sha256 that its source gives for it.
            source: Where it is from, for messages.

        Raises:
            DigestMismatch: What is published is not what is pinned, or two pins disagree.
            NotPinned: Other files of the version are pinned, and this is not.
            NoDigest: There is none, and there has to be one.
        """
        mine = []
        for origin, pins in self._pins(version).items():
            named = [pin for pin in pins if pin.name == name]
            if not named:
                raise NotPinned(name, source, version, origin)
            mine += named
        found = None if published is None else Expected(sha256=published)
        for pin in mine:
            if found is not None and found.sha256 != pin.sha256:
                raise DigestMismatch(
                    name, source, expected=pin.sha256, got=found.sha256, pinned=pin.origin
                )
            found = Expected(sha256=pin.sha256, pinned=pin.origin)
        if found is None and self.required:
            raise NoDigest(name, source, self.required_by)
        return found

    def wheels(self, version: str, *, name: str, source: str) -> frozenset[str]:
        """Return the digests of which a wheel has to have one: every place has pinned them.

        None of them if no place pins anything of the version.

        Args:
            version: Of the wheel.
            name: What to call it, for its file's name is not known.
            source: Where it is from, for messages.

        Raises:
            NotPinned: A place pins other files, or other wheels than another place does.
        """
        found: frozenset[str] = frozenset()
        for nth, (origin, pins) in enumerate(self._pins(version).items()):
            mine = frozenset(pin.sha256 for pin in pins if pin.name.endswith(".whl"))
            found = found & mine if nth else mine
            if not found:
                raise NotPinned(name, source, version, origin)
        return found

    def places(self, version: str) -> str:
        """Return where files of a version are pinned; empty if nowhere."""
        return " and ".join(self._pins(version))

    def _pins(self, version: str) -> dict[str, list[Pin]]:
        """Return the pins of a version's files, by the place that they stand in."""
        found: dict[str, list[Pin]] = {}
        for pin in self.pinned:
            if pin.version == version:
                found.setdefault(pin.origin, []).append(pin)
        return found


@dataclass(frozen=True, kw_only=True)
class Expected:
    """The digest that a file has to have."""

    sha256: str
    pinned: str = ""
    """Where it is pinned; empty where the source has published it."""


def hold_back(
    chunks: Iterable[bytes], expected: Expected | None, *, name: str, source: str
) -> Iterator[bytes]:
    """Pass the chunks on, but the last of them only if the whole has the digest.

    Whoever receives them can therefore not have the whole of a wrong file. Without a digest
    everything passes.

    Raises:
        DigestMismatch: The whole has another digest; its last chunk was not passed on.
    """
    if expected is None:
        yield from chunks
        return
    digest = hashlib.sha256()
    held = b""
    for chunk in chunks:
        # An empty one at the end must not push out the last that counts.
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
    """Return the sha256 that a release's own installer has for an archive; None if it has none.

    `uv-installer.sh` of uv 0.11.0 and later has an arm of a `case` for each archive, and in it a
    `_checksum_value` (dist 0.31).
    """
    _, arm, rest = script.partition(f'"{name}")')
    found = _EMBEDDED.search(rest.partition(";;")[0]) if arm else None
    return found[1] if found else None


def only_sums(text: str) -> bool:
    """Return whether every line of a text is a digest of a file, but for comments.

    One that is not may have been: with a single bit changed, a file would go unchecked.
    """
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    return all(
        _LINE.fullmatch(line) or _BSD_LINE.fullmatch(line)
        for line in lines
        if line and not line.startswith("#")
    )


def parse_sums(text: str) -> dict[str, str]:
    """Read what `sha256sum` or `shasum` has written, with or without `--tag`.

    Returns:
        The name of each file, without folders, and its digest; a digest alone has the name "".
        What stands for itself comes before what stands in a folder, and a name that is there with
        two digests has both, so that no file has it.
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
        *folders, name = re.split(r"[/\\]", name.strip().removeprefix("./"))
        known = inner if folders else sums
        digest = digest.lower()
        # Of two that disagree, nobody knows which is meant: so that none is right.
        disagree = known.get(name, digest) != digest
        known[name] = f"{known[name]} and {digest}" if disagree else digest
    return {**inner, **sums}
