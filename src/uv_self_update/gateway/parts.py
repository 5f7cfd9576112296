"""Parts of release files (RFC 9110 section 14), from which uv reads the metadata of a wheel.

Without parts, uv fetches a wheel that is named by its URL twice (measured with 0.13.9).
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from uv_self_update.gateway.package_index import KEPT, named
from uv_self_update.gateway.replies import Reply
from uv_self_update.sources.packages.metadata import TAIL

if TYPE_CHECKING:
    from uv_self_update.gateway.package_index import PackageIndex, Served

ACCEPTED = ("Accept-Ranges", "bytes")

_LONGEST = 8 << 20  # bytes from the end of a file, which are held in memory
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)


class Parts:
    """The ends of files, as far as they were requested."""

    def __init__(self, index: PackageIndex) -> None:
        self._index = index
        self._tails: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def answer(self, served: Served, key: str, place: str, wanted: str) -> Reply | None:
        """Answer a request for a part of a file; None where the whole file has to be sent.

        Args:
            served: The repository.
            key: What a refusal is remembered by.
            place: The tag and the file's name, percent-encoded, with a slash between them.
            wanted: The value of `Range`.
        """
        reply = self._index.guarded(key, lambda: self._part(served, key, place, wanted))
        return None if reply is _WHOLE else reply

    def _part(self, served: Served, key: str, place: str, wanted: str) -> Reply:
        file = self._index.found(served, *named(place))
        size = file.size or 0
        limits = _parsed(wanted, size)
        if limits is None or size - limits[0] > _LONGEST:
            return _WHOLE
        start, end = limits
        with self._lock:
            tail = self._tails.get(key, b"")
            if size - start > len(tail):
                length = min(size, max(size - start, TAIL))
                tail = served.repository.tail(file, length) or b""
                if len(tail) != length:
                    return _WHOLE
                self._tails[key] = tail
        before = size - len(tail)
        body = tail[start - before : end + 1 - before]
        return Reply(
            status=206,
            content_type="application/octet-stream",
            body=(body,),
            length=len(body),
            headers=(*KEPT, ACCEPTED, ("Content-Range", f"bytes {start}-{end}/{size}")),
        )


_WHOLE = Reply()


def _parsed(wanted: str, size: int) -> tuple[int, int] | None:
    """Return the first and the last byte of a range; None for several, or one that does not fit."""
    match = _RANGE.fullmatch(wanted.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last or size - 1), size - 1)
    return (start, end) if 0 <= start <= end else None
