"""The download of one file, resumed over several connections if need be."""

from __future__ import annotations

import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.errors import Interrupted, TooLarge, UpstreamError
from uv_self_update.network.limits import DEFAULTS, Limits
from uv_self_update.network.ranges import Version, has_changed, repeated_bytes
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from uv_self_update.network.exchange import Response
    from uv_self_update.network.ranges import Part


CHANGED = "its content changed during the download"
_ENDED_EARLY = "the response ended early"
_TOO_LONG = "the response is longer than announced"
_NOT_RESUMED = "the server cannot send the rest"


class Transfer:
    """The bytes of a file, all of the same version of it.

    After an interruption, the rest is requested if a validator tells versions apart, or if the
    receiver checks a digest. A server without range requests sends the whole file again: bytes that
    were passed on before are skipped, and compared by a checksum. Entity tags are no substitute for
    it, since two servers behind one name may have different ones for the same file.
    """

    def __init__(
        self,
        reply: Response,
        *,
        again: Callable[[Mapping[str, str]], Response],
        pause: Callable[[UpstreamError, int], None],
        limit: int,
        limits: Limits = DEFAULTS,
        part: Part | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            reply: The response with the whole file, its body unread.
            again: Sends the request again with additional headers; raises UpstreamError.
            pause: Waits after a failure, given the failures in a row; raises the failure to give
                up.
            limit: Bytes that the file may have.
            limits: The other limits.
            part: What comes before the response, if that is the rest of a file.
        """
        self._reply = reply
        self._again = again
        self._pause = pause
        self._limit = limit
        self._limits = limits
        self._received = self._repeated = 0
        self._resumable = True
        self._verified = False
        self._begin(reply)
        self._before = b"" if part is None else part.content
        if part is not None:
            self.version = part.version
            self._received = len(part.content)
            self._sum = zlib.crc32(part.content)

    def verify(self) -> None:
        """Resume without a validator: the receiver checks a digest."""
        self._verified = True

    def chunks(self) -> Generator[bytes]:
        """Yield the bytes, once.

        Raises:
            UpstreamError: The download failed.
        """
        if self._before:
            yield self._before
            self._before = b""
        failures = 0
        for _ in range(self._limits.connections):
            before = self._received
            try:
                yield from self._body()
            except Interrupted as error:
                progressed = self._received - before >= self._limits.progress
                failures = self._resume(error, 1 if progressed else failures + 1)
            else:
                return
        raise self._broken(too_many_connections(self._limits.connections))

    def close(self) -> None:
        """Close the response."""
        self._reply.close()

    def _begin(self, reply: Response) -> None:
        self._reply = reply
        self.version = Version.of(reply.headers)
        # A fast checksum suffices: it detects accidents, not a malicious server.
        self._sum = zlib.crc32(b"")

    def _body(self) -> Iterator[bytes]:
        """Yield the bytes of the current response.

        Raises:
            Interrupted: It ends too early, or is of another version.
        """
        pieces = self._reply.body.raw(self._limit - self._received + self._repeated)
        try:
            yield from self._counted(self._unseen(pieces))
        except TooLarge as error:
            raise TooLarge(self._reply.url, self._limit) from error
        except Interrupted as error:
            # That error counts the bytes of this connection only.
            raise self._broken(error.reason, passing=error.passing) from error
        size = self.version.size
        if size is not None and self._received < size:
            raise self._broken(_ENDED_EARLY)

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._received += len(piece)
            if self.version.size is not None and self._received > self.version.size:
                raise self._broken(_TOO_LONG, passing=False)
            self._sum = zlib.crc32(piece, self._sum)
            yield piece

    def _unseen(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Skip the bytes that were passed on before."""
        left = self._repeated
        checksum = zlib.crc32(b"")
        new = b""
        while left:
            piece = next(pieces, b"")
            if not piece:
                raise self._broken(CHANGED, passing=False)
            seen, new = piece[:left], piece[left:]
            left -= len(seen)
            checksum = zlib.crc32(seen, checksum)
        if self._repeated and self._reply.status == HTTPStatus.OK:
            if checksum != self._sum:
                raise self._broken(CHANGED, passing=False)
            # The validators of this response apply from here on.
            now = Version.of(self._reply.headers)
            self.version = replace(now, size=now.size or self.version.size)
        if new:
            yield new
        yield from pieces

    def _resume(self, failure: UpstreamError, failures: int) -> int:
        """Request the rest, and return the number of failures in a row."""
        while True:
            self._reply.close()
            self._pause(failure, failures)
            try:
                rest = self._rest() if self._resumable else {}
                reply = self._again(rest)
            except UpstreamError as error:
                failure, failures = error, failures + 1
                continue
            if not self._received:
                self._begin(reply)
                return failures
            repeated = repeated_bytes(
                self.version,
                self._received,
                status=reply.status,
                headers=reply.headers,
                verified=self._verified,
            )
            self._reply = reply
            if repeated is not None:
                self._repeated = repeated
                return failures
            if has_changed(self.version, status=reply.status, headers=reply.headers):
                raise self._broken(CHANGED, passing=False)
            self._resumable = False
            failure, failures = self._broken(_NOT_RESUMED), failures + 1

    def _rest(self) -> dict[str, str]:
        return self.version.rest(self._received, verified=self._verified)

    def _broken(self, reason: str, *, passing: bool = True) -> Interrupted:
        return Interrupted(
            self._reply.url, self._received, self.version.size, reason, passing=passing
        )


def too_many_connections(count: int) -> str:
    """Return the reason for giving up after `count` connections."""
    return f"gave up after {count} connections"
