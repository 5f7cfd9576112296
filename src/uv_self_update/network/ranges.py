"""Range requests, and how an interrupted download is resumed by them (RFC 9110 section 14)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping


PARTIAL = {
    HTTPStatus.OK,
    HTTPStatus.PARTIAL_CONTENT,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
}
"""The expected answers to a range request (RFC 9110 section 14)."""

UNSUPPORTED = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_IMPLEMENTED}
"""The answers of a server that does not know a kind of range, and does not ignore it."""

_UNSATISFIED_RANGE = re.compile(r"bytes\s+\*/(\d{1,18})", re.ASCII)
_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)
_STRONG_AGE = 1.0  # seconds


@frozen
class Version:
    """The validators of one version of a file."""

    etag: str | None
    """The strong entity tag: bodies with the same one are equal, byte for byte."""

    modified: str | None
    """`Last-Modified`, if it is a strong validator."""

    size: int | None
    """Bytes of the whole file, if known."""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Version:
        """Read the headers of a response with the whole file; names are in lower case."""
        etag = headers.get("etag", "")
        return cls(
            # A header can only be sent in ASCII.
            etag=etag if etag.startswith('"') and etag.isascii() else None,
            modified=_strong_date(headers),
            size=length_of(headers),
        )

    @property
    def validator(self) -> str | None:
        """What changes with the bytes; None if the server sends no strong validator."""
        return self.etag or (self.modified and f"{self.modified} {self.size}")

    def rest(self, received: int, *, verified: bool = False) -> dict[str, str]:
        """Return the headers of a request for the rest, or for a whole file that has changed.

        Without a validator, the rest may be of another version. It is only requested if a digest of
        the whole file is checked at the end; otherwise there are no headers.

        Args:
            received: Bytes received so far.
            verified: Whether a digest is checked.
        """
        validator = self.etag or self.modified
        if received == 0 or (validator is None and not verified):
            return {}
        requested = {"Range": f"bytes={received}-"}
        return requested if validator is None else {**requested, "If-Range": validator}


@frozen
class Part:
    """The first bytes of a file."""

    version: Version
    content: bytes


def repeated_bytes(
    version: Version,
    received: int,
    *,
    status: int,
    headers: Mapping[str, str],
    verified: bool = False,
) -> int | None:
    """Return the number of bytes at the start of a second response that were received before.

    Args:
        version: The validators of the first response.
        received: Bytes received so far.
        status: The status of the second response.
        headers: Its headers, with names in lower case.
        verified: Whether a digest is checked; see `Version.rest`.

    Returns:
        A number of bytes; None if the response is of another version, or unusable.
    """
    etag, modified = headers.get("etag"), headers.get("last-modified")
    if status == HTTPStatus.OK:
        size = length_of(headers)
        same = None in (version.size, size) or version.size == size
        return received if same else None
    # A server without `If-Range` may send a part of a newer version. A partial response has the
    # entity tag of the whole file, but need not have its date (RFC 9110 section 15.3.7).
    if version.etag is not None and etag != version.etag:
        return None
    dates = (None, version.modified)
    if version.etag is None and modified not in dates and (version.modified or not verified):
        return None
    # A partial response is only valid for a range request.
    found = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
    if (
        status != HTTPStatus.PARTIAL_CONTENT
        or found is None
        or not version.rest(received, verified=verified)
    ):
        return None
    first, last, total = int(found[1]), int(found[2]), found[3]
    if total != "*" and version.size not in (None, int(total)):
        return None
    return 0 if first == received <= last else None


def has_changed(version: Version, *, status: int, headers: Mapping[str, str]) -> bool:
    """Return whether an unusable response shows that the file has changed.

    A whole file does, and so does a 416 with another length (RFC 9110 section 15.5.17).
    """
    current = _UNSATISFIED_RANGE.fullmatch(headers.get("content-range", "").strip())
    if status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or current is None:
        return status == HTTPStatus.OK
    return version.size not in (None, int(current[1]))


def length_of(headers: Mapping[str, str]) -> int | None:
    """Return the `Content-Length`; None without one."""
    length = headers.get("content-length", "")
    # `Transfer-Encoding` overrides `Content-Length` (RFC 9112 section 6.3).
    if "transfer-encoding" in headers or not (length.isascii() and length.isdecimal()):
        return None
    return int(length)


def _strong_date(headers: Mapping[str, str]) -> str | None:
    """Return `Last-Modified` if it is a strong validator (RFC 9110 section 8.8.2.2).

    A file modified in the second in which it was sent may have been modified again in that second.
    """
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 # slow to import, rarely needed

    modified, date = headers.get("last-modified", ""), headers.get("date", "")
    try:
        age = parsedate_to_datetime(date) - parsedate_to_datetime(modified)
    # OverflowError: a year or an offset out of range.
    except (ValueError, TypeError, OverflowError):
        return None
    return modified if age.total_seconds() >= _STRONG_AGE else None
