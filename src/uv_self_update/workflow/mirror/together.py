"""The files of a release are fetched side by side, and shown as one download."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from uv_self_update.network.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Together(Progress):
    """Adds up the downloads of a release, and passes everything else on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._arrived: Callable[[int], None] | None = None
        self._sum = 0

    @contextmanager
    def whole(self, name: str, size: int | None) -> Iterator[None]:
        """Show all downloads within this context as one.

        Args:
            name: Its name.
            size: The bytes of all, if known.
        """
        with self._progress.download(name, size) as arrived:
            self._arrived, self._sum = arrived, 0
            try:
                yield
            finally:
                self._arrived = None

    def task(self, text: str) -> AbstractContextManager[None]:
        return self._progress.task(text)

    @contextmanager
    def download(
        self, name: str, size: int | None, *, received: int = 0
    ) -> Iterator[Callable[[int], None]]:
        if (tell := self._arrived) is None:
            with self._progress.download(name, size, received=received) as arrived:
                yield arrived
            return
        before = 0

        def count(now: int) -> None:
            nonlocal before
            with self._lock:
                self._sum += now - before
                before = now
                tell(self._sum)

        yield count
