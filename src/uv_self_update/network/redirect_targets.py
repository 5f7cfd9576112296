"""Where a server has redirected requests for files, remembered for a short time.

Forges redirect a request for a file to a signed URL of a storage, which needs no credentials. A
wheel is requested at least twice, for its metadata and as a whole: with the signed URL at hand, the
second request asks the storage only.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from uv_self_update.network.exchange import Target
    from uv_self_update.url import Url

LONGEST = 60.0
"""Seconds that a target is remembered; those of GitHub are valid for minutes."""

_LIFETIMES = frozenset({"x-amz-expires", "x-goog-expires"})
"""Parameters of signed URLs with the seconds that they are valid for, from their making on."""

Key = tuple[str, str]
"""A requested URL, and the `Accept` header."""


class RedirectTargets:
    """The targets on other origins of one client, with whose credentials they were obtained."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._known: dict[Key, tuple[Target, float]] = {}

    def get(self, key: Key) -> Target | None:
        """Return the target of a request; None if it is unknown, or too old."""
        with self._lock:
            target, until = self._known.get(key, (None, 0.0))
            return target if self._now() < until else None

    def keep(self, key: Key, target: Target) -> None:
        """Remember a target that has just been answered with success."""
        with self._lock:
            self._known[key] = target, self._now() + lifetime(target.url)

    def drop(self, key: Key) -> None:
        """Forget a target, because it was refused."""
        with self._lock:
            self._known.pop(key, None)


def lifetime(url: Url) -> float:
    """Return the seconds that a target may be used again."""
    named: Mapping[str, str] = {
        name.lower(): value for name, value in parse_qsl(url.parts.query) if value.isdecimal()
    }
    return min([LONGEST, *(float(named[name][:12]) for name in _LIFETIMES & named.keys())])
