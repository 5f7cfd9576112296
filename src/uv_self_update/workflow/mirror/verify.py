"""Verify a mirror: every file against its digest, every list against the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.files import content_of
from uv_self_update.workflow.mirror.layout import beside, documents, paths_of
from uv_self_update.workflow.mirror.store import measured

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.workflow.mirror.store import Store


def verify(store: Store) -> Iterator[str]:
    """Yield what is missing or changed, a line each; nothing is written.

    Raises:
        MirrorUnusable: The record cannot be read.
    """
    known = store.record()
    if not known.releases:
        yield f"{store.root} has no release"
        return
    for held in known.newest_first:
        for path, file in paths_of(held).items():
            yield from _compared(path, measured(store.root / path), file)
        for path, content in beside(held).items():
            yield from _compared(path, content_of(store.root / path), content)
    for path, content in documents(known).items():
        yield from _compared(path, content_of(store.root / path), content)


def _compared(path: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{path} is {'missing' if found is None else 'changed'}"
