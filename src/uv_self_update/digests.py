"""Checking a body against its digest while it passes."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors import DigestMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ("DigestRules", "Pin", "hold_back", "parse_sums")

_LINE = re.compile(r"([0-9a-f]{64})(?:[ \t]+\*?(\S.*))?", re.IGNORECASE)
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


def hold_back(
    chunks: Iterable[bytes], sha256: str | None, *, name: str, source: str
) -> Iterator[bytes]:
    """Pass the chunks on, but the last of them only if the whole has the digest.

    Whoever receives them can therefore not have the whole of a wrong file. Without a digest
    everything passes.

    Raises:
        DigestMismatch: The whole has another digest; its last chunk was not passed on.
    """
    if sha256 is None:
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
    if digest.hexdigest() != sha256:
        raise DigestMismatch(name, source, expected=sha256, got=digest.hexdigest())
    if held:
        yield held


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
