"""A file that is downloaded before it is requested, as far as a buffer has room.

A release's own installer looks at the system, for some 100 ms, before it requests the archive.
"""

from __future__ import annotations

import threading
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from uv_self_update.gateway.replies import BrokenOff
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


_ROOM = 4 << 20  # bytes, of which a line of 300 Mbit/s sends less in 100 ms


@frozen
class Body:
    """A file that is being downloaded."""

    size: int | None
    """Bytes, if the server announces them."""

    chunks: Iterator[bytes]
    """The bytes, once."""


class Ahead:
    """One download that is read by a thread until it is requested."""

    def __init__(
        self, fetch: Callable[[], AbstractContextManager[Body]], *, room: int = _ROOM
    ) -> None:
        """Begin.

        Args:
            fetch: Opens the file; what it raises is raised by `open` and its chunks.
            room: Bytes that are kept.
        """
        self._fetch = fetch
        self._room = room
        self._changed = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._size: int | None = None
        self._opened = self._ended = self._closed = False
        self._error: Exception | None = None
        threading.Thread(target=self._run, daemon=True).start()

    @contextmanager
    def open(self) -> Iterator[Body]:
        """Wait until the file is open, and yield it; to be called once.

        After `close`, its chunks end with BrokenOff.
        """
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._opened or self._ended)
                if not self._opened and self._error is not None:
                    raise self._error
            yield Body(size=self._size, chunks=self._taken())
        finally:
            self.close()

    def close(self) -> None:
        """Give up the download, unless it is complete; safe to call twice, from any thread."""
        with self._changed:
            self._closed = True
            self._chunks.clear()
            self._changed.notify_all()

    def _taken(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._chunks or self._ended or self._closed)
                if self._closed:
                    raise BrokenOff
                if not self._chunks:
                    if self._error is not None:
                        raise self._error
                    return
                chunk = self._chunks.popleft()
                self._held -= len(chunk)
                self._changed.notify_all()
            yield chunk

    def _run(self) -> None:
        error = None
        try:
            with self._fetch() as body:
                self._begin(body.size)
                for chunk in body.chunks:
                    if not self._put(chunk):
                        break
        except Exception as raised:  # noqa: BLE001 # raised again by `open`
            error = raised
        with self._changed:
            self._error = error
            self._ended = True
            self._changed.notify_all()

    def _begin(self, size: int | None) -> None:
        with self._changed:
            self._size = size
            self._opened = True
            self._changed.notify_all()

    def _put(self, chunk: bytes) -> bool:
        """Keep a chunk when there is room for it; return False if the download was given up."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._held < self._room)
            if self._closed:
                return False
            self._chunks.append(chunk)
            self._held += len(chunk)
            self._changed.notify_all()
            return True
