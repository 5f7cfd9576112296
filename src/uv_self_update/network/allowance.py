"""What the lists of one source may come to in a run, in bytes and in seconds.

Each document has a bound of its own, which many pages together do not have: a few kilobytes of
gzip unpack to many megabytes, and a server that sends a little more than nothing can go on for
days. uv's own list of 400 releases is 35 MB of JSON, of which a run mostly reads a fraction.
"""

from __future__ import annotations

from uv_self_update.errors import ListingTimeout, TooLarge

_LARGEST_SUM = 256 << 20  # bytes
_PATIENCE = 10
"""Times `network.timeout` that a run may wait for the lists of a source."""


class Allowance:
    """What is left."""

    def __init__(self, timeout: float) -> None:
        """Begin; `timeout` is `network.timeout`, in seconds."""
        self._longest = _PATIENCE * timeout
        self._waited = 0.0
        self._received = 0

    def take(self, url: str, *, received: int, waited: float) -> None:
        """Take note of what a wait has brought.

        Args:
            url: Where it comes from, as it may be shown.
            received: Bytes, without the content coding.
            waited: Seconds.

        Raises:
            TooLarge: The lists come to too many bytes.
            ListingTimeout: They take too long.
        """
        self._received += received
        self._waited += waited
        if self._received > _LARGEST_SUM:
            raise TooLarge(url, _LARGEST_SUM, unit="bytes of lists")
        if self._waited > self._longest:
            raise ListingTimeout(url, self._longest)
