"""Calls that are repeated."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_TRIES = 1000
_PAUSE = 0.001  # seconds


def until_accepted(call: Callable[[T], None]) -> Callable[[T], None]:
    """Return a call that is repeated as long as it raises RuntimeError, but not forever."""

    def repeated(argument: T) -> None:
        for _ in range(_TRIES):
            try:
                return call(argument)
            except RuntimeError:
                time.sleep(_PAUSE)
        return call(argument)

    return repeated
