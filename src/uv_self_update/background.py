"""Calls in the background whose results can be awaited."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable


T = TypeVar("T")


class Background(Generic[T]):
    """One call in a daemon thread.

    Unlike a pool of `concurrent.futures`, it does not delay the exit of Python, for example while
    it waits for a server that never answers.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._outcome: T
        self._error: BaseException | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for at most `timeout` seconds, and return whether the call has finished."""
        return self._done.wait(timeout)

    def result(self) -> T:
        """Wait for the call; return its result, or raise its exception."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._outcome

    def _run(self) -> None:
        try:
            self._outcome = self._call()
        except BaseException as error:  # noqa: BLE001 # raised again by `result`
            self._error = error
        finally:
            self._done.set()


class Early(Generic[T]):
    """A call that can be begun before its result is wanted."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._begun: Background[T] | None = None

    def begin(self) -> None:
        """Begin the call in the background."""
        self._begun = Background(self._call)

    def result(self) -> T:
        """Return the result, or raise the exception, of the call that was begun, else of one now.

        What was begun counts once: a failed request is made again for the next caller.
        """
        begun, self._begun = self._begun, None
        return self._call() if begun is None else begun.result()
