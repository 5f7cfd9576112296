"""The observer of downloads, which the terminal draws, and everything else ignores."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator


class Progress:
    """Is told what is being done; this one ignores it. Methods are called from any thread."""

    def task(self, text: str) -> AbstractContextManager[None]:
        """Return a context for the time in which something is done, with its name."""
        del text
        return nullcontext()

    @contextmanager
    def download(
        self, name: str, size: int | None, *, received: int = 0
    ) -> Iterator[Callable[[int], None]]:
        """Return a context for the time of a download; yields what is called with its bytes so far.

        Args:
            name: The name of the file.
            size: Its bytes, if known.
            received: Bytes of it that an earlier run has received.
        """
        del name, size, received
        yield _ignore

    def hold(self) -> None:
        """Show nothing for now: another program writes to the terminal."""

    def release(self) -> None:
        """Show everything again: the other program waits."""


def _ignore(received: int) -> None:
    del received


SILENT = Progress()


def watched(
    chunks: Generator[bytes], progress: Progress, *, name: str, size: int | None, received: int = 0
) -> Generator[bytes]:
    """Yield the bytes of a download, and tell an observer how many have arrived."""
    with closing(chunks), progress.download(name, size, received=received) as arrived:
        count = -received  # the first chunks are those of the earlier run
        for chunk in chunks:
            count += len(chunk)
            arrived(max(0, count))
            yield chunk
