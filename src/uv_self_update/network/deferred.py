"""The HTTP client, made when it is used first: to import it takes tens of milliseconds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from uv_self_update.network.client import Upstream


class _Deferred:
    """Looks up its attributes in what a function returns, which is called once."""

    def __init__(self, make: Callable[[], Upstream]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Upstream | None = None

    def __getattr__(self, name: str) -> object:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)


def deferred(make: Callable[[], Upstream]) -> Upstream:
    """Return a client that is made by the first use of it, in whichever thread that is."""
    return cast("Upstream", _Deferred(make))
