"""The body of a response: decoded or as it is, within limits."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

import httpcore

from uv_self_update.errors import Interrupted, TlsError, TooLarge, Unreachable
from uv_self_update.network.connections import MinimumThroughput
from uv_self_update.network.ranges import length_of
from uv_self_update.network.route import FAILURES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uv_self_update.network.allowance import Allowance
    from uv_self_update.network.route import Route


_LARGE = 1 << 20  # bytes
_PIECE = 64 << 10  # bytes of decoded data
_SHORT = "the server closed the connection"
_ENCODINGS = {"", "identity", "gzip"}


class Body:
    """The body of a response, to be read once."""

    def __init__(
        self,
        stream: Callable[[], Iterator[bytes]],
        connection: httpcore.NetworkStream | None,
        headers: Mapping[str, str],
        url: str,
        route: Route,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            stream: Reads it from the connection.
            connection: The connection itself, if it is known.
            headers: The headers of the response; names are in lower case.
            url: The redacted URL of the response.
            route: Explains failures.
        """
        self._stream = stream
        self._connection = connection
        self._headers = headers
        self._url = url
        self._route = route
        self.received = 0
        """Bytes received, before any decoding."""

    def decoded(self, limit: int, allowance: Allowance) -> Iterator[bytes]:
        """Read the body without its content coding, in pieces of limited size.

        Args:
            limit: Decoded bytes that the body may have.
            allowance: Counts the bytes, and the time.

        Raises:
            UpstreamError: The body is interrupted, too large, or has an unexpected content coding.
        """
        encoding = self._headers.get("content-encoding", "identity").strip().lower()
        if encoding not in _ENCODINGS:
            # With two codings, a few bytes expand to any number before a limit applies.
            raise Unreachable(self._url, "unexpected `Content-Encoding`")
        pieces = self.pieces()
        if encoding == "gzip":
            pieces = _gunzipped(pieces)
        return self._limited(pieces, limit, None, allowance)

    def raw(self, limit: int) -> Iterator[bytes]:
        """Read the body of at most `limit` bytes without decoding it.

        Raises:
            UpstreamError: The body is interrupted or too large.
        """
        size = length_of(self._headers)
        return self._limited(self._large_pieces(size), limit, size, None)

    def pieces(self) -> Iterator[bytes]:
        """Read the body without limits."""
        for piece in self._stream():
            self.received += len(piece)
            yield piece

    def _limited(
        self,
        pieces: Iterator[bytes],
        limit: int,
        expected: int | None,
        allowance: Allowance | None,
    ) -> Iterator[bytes]:
        count, begin = 0, time.monotonic()
        throughput = MinimumThroughput(self._route.network.timeout, self._route.limits.throughput)
        try:
            for piece in pieces:
                # A server can send chunk headers without end, and hardly any data.
                waited = time.monotonic() - begin
                throughput.count(waited, len(piece))
                count += len(piece)
                if count > limit:
                    raise TooLarge(self._url, limit)
                if allowance is not None:
                    allowance.take(self._url, received=len(piece), waited=waited)
                yield piece
                begin = time.monotonic()
        except FAILURES as error:
            failure = self._route.failure(error)
            if isinstance(failure, TlsError):
                raise failure from None
            raise Interrupted(self._url, count, expected, self._route.reason(error)) from None

    def _large_pieces(self, size: int | None) -> Iterator[bytes]:
        """Yield the body: in large pieces, if it is large and its length is known.

        httpcore reads 64 KiB at a time, and h11 copies each piece three times. After the first
        piece of a body of known length, nothing is left to parse: the rest is read from the stream
        (https://www.python-httpx.org/advanced/extensions/#network_stream).
        """
        pieces = self.pieces()
        if size is None or size < _LARGE or self._connection is None:
            yield from pieces
            return
        first = next(pieces, b"")
        yield first
        left = size - len(first)
        while left > 0:
            piece = self._connection.read(min(left, _LARGE), self._route.network.timeout)
            if not piece:
                raise httpcore.RemoteProtocolError(_SHORT)
            left -= len(piece)
            self.received += len(piece)
            yield piece


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress a body in pieces of limited size.

    Raises:
        httpcore.RemoteProtocolError: The data is damaged or incomplete.
    """
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    empty = True
    try:
        for piece in pieces:
            empty = empty and not piece
            packed, unpacked = piece, b"?"
            while not inflater.eof and (packed or len(unpacked) == _PIECE):
                unpacked = inflater.decompress(packed, _PIECE)
                packed = inflater.unconsumed_tail
                if unpacked:
                    yield unpacked
    except zlib.error as error:
        raise httpcore.RemoteProtocolError(str(error)) from error
    if not (inflater.eof or empty):
        message = "the compressed data is incomplete"
        raise httpcore.RemoteProtocolError(message)
