"""The limits of all lists of one source in a run, in bytes and in seconds.

Each document has a limit of its own, but many pages together do not: a few kilobytes of gzip
unpack to many megabytes, and a slow server could keep a run busy for days.
"""

from __future__ import annotations

from uv_self_update.errors import ListingTimeout, TooLarge
from uv_self_update.network.limits import DEFAULTS, Limits


class Allowance:
    """Counts the bytes of the lists of one source, and the seconds spent waiting for them."""

    def __init__(self, timeout: float, limits: Limits = DEFAULTS) -> None:
        self._largest = limits.lists
        self._longest = limits.lists_timeouts * timeout
        self._waited = 0.0
        self._received = 0

    def take(self, url: str, *, received: int, waited: float) -> None:
        """Count a piece of a list.

        Args:
            url: The redacted URL of the list.
            received: Bytes, without the content coding.
            waited: Seconds spent waiting for them.

        Raises:
            TooLarge: The lists exceed `Limits.lists`.
            ListingTimeout: They take longer than `Limits.lists_timeouts`.
        """
        self._received += received
        self._waited += waited
        if self._received > self._largest:
            raise TooLarge(url, self._largest, unit="bytes of lists")
        if self._waited > self._longest:
            raise ListingTimeout(url, self._longest)
