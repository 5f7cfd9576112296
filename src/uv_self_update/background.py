"""Work that goes on beside the rest, and whose outcome can be waited for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")


class Background(Generic[T]):
    """One call in a thread of its own, which does not keep the process alive.

    (A pool of `concurrent.futures` waits for its threads when Python ends, and one of them may be
    waiting for a server that never answers.)
    """

    def __init__(self, call: Callable[[], T]) -> None:
        """Start the call."""
        self._call = call
        self._outcome: T
        self._error: BaseException | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for at most `timeout` seconds, and return whether the call is over."""
        return self._done.wait(timeout)

    def result(self) -> T:
        """Wait for the end; return what the call returned or raise what it raised."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._outcome

    def _run(self) -> None:
        try:
            self._outcome = self._call()
        except BaseException as error:  # noqa: BLE001 # handed to whoever asks for the result
            self._error = error
        finally:
            self._done.set()
