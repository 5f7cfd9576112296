"""Checking a body against its digest while it passes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from uv_self_update.errors import DigestMismatch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ("hold_back",)


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
