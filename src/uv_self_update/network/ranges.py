"""How a download that broke off goes on (RFC 9110 section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


_OK, _PARTIAL = 200, 206
_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
_SETTLED = 1.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Version:
    """What tells one version of a file from another at the same URL."""

    etag: str | None
    """The strong entity tag: two bodies with the same one are equal, byte for byte."""

    modified: str | None
    """`Last-Modified`, where it is as good as that."""

    size: int | None
    """Bytes of the whole file, where known."""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Version:
        """Read the headers of a response with the whole file; their names in lower case."""
        etag = headers.get("etag", "")
        return cls(
            # What is not ASCII could not be sent back.
            etag=etag if etag.startswith('"') and etag.isascii() else None,
            modified=_strong_date(headers),
            size=length_of(headers),
        )

    def rest(self, received: int) -> dict[str, str]:
        """Return the headers that ask for the rest, or for the whole if it is another by now.

        Without something to tell versions apart by, the rest could be that of another: then the
        whole is asked for, and nothing stands here.
        """
        validator = self.etag or self.modified
        if validator is None or received == 0:
            return {}
        return {"Range": f"bytes={received}-", "If-Range": validator}


def already_had(
    version: Version, received: int, *, status: int, headers: Mapping[str, str]
) -> int | None:
    """Return how many bytes at the start of a second answer were received before.

    Args:
        version: The file as it was at first.
        received: How many bytes came of it.
        status: That of the second answer.
        headers: Its headers, with names in lower case.

    Returns:
        A number of bytes; None if the answer is about another version, or of no use.
    """
    etag, modified = headers.get("etag"), headers.get("last-modified")
    if status == _OK:
        size = length_of(headers)
        same = None in (version.size, size) or version.size == size
        return received if same else None
    # A server that does not understand `If-Range` may send a part of whatever it has by now. With a
    # part comes the tag that comes with the whole, but no date need (RFC 9110 section 15.3.7).
    if version.etag is not None and etag != version.etag:
        return None
    if version.etag is None and modified not in (None, version.modified):
        return None
    # What was not asked for cannot be a part of it.
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if status != _PARTIAL or found is None or not version.rest(received):
        return None
    first, last, total = int(found[1]), int(found[2]), found[3]
    if total != "*" and version.size not in (None, int(total)):
        return None
    return 0 if first == received <= last else None


def length_of(headers: Mapping[str, str]) -> int | None:
    """Return the length of a body in bytes, where the server says so."""
    length = headers.get("content-length", "")
    # A body that comes in chunks is as long as they are (RFC 9112 section 6.3).
    if "transfer-encoding" in headers or not (length.isascii() and length.isdecimal()):
        return None
    return int(length)


def _strong_date(headers: Mapping[str, str]) -> str | None:
    """Return `Last-Modified` where it is a strong validator (RFC 9110 section 8.8.2.2).

    A file that was changed in the second in which it was sent may have been changed once more.
    """
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 # slow; few downloads break off

    modified, date = headers.get("last-modified", ""), headers.get("date", "")
    try:
        age = parsedate_to_datetime(date) - parsedate_to_datetime(modified)
    # OverflowError: a year, or an offset, that no clock has.
    except (ValueError, TypeError, OverflowError):
        return None
    return modified if age.total_seconds() >= _SETTLED else None
