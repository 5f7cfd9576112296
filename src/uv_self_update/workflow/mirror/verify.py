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
            found = measured(store.root / path)
            if found != file:
                yield f"{path} is {'missing' if found is None else 'changed'}"
        for path, content in beside(held).items():
            yield from _compared(store, path, content)
    for path, content in documents(known).items():
        yield from _compared(store, path, content)


def _compared(store: Store, path: str, content: bytes) -> Iterator[str]:
    found = content_of(store.root / path)
    if found != content:
        yield f"{path} is {'missing' if found is None else 'changed'}"
