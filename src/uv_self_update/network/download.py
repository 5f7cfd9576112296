"""One file, over as many connections as it takes."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

from uv_self_update.errors import Interrupted, TooLarge, UpstreamError
from uv_self_update.network.ranges import Version, already_had

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uv_self_update.network.exchange import Response


_ENOUGH = 64 << 10
"""Bytes after which a connection was worth it: then the count of failures starts anew."""

MOST = 100  # connections
_OK = 200
CHANGED = "it has changed meanwhile, so that the rest does not belong to what came before"
_A_PART = "only a part of it was sent"
_TOO_MUCH = "more of it came than there should be"
_NO_PART = "the rest of it cannot be had"
TOO_OFTEN = f"{MOST} connections were not enough"


class Transfer:
    """The bytes of a file, of which every one belongs to the same version of it.

    Where a connection breaks off, the rest is asked for. A server that cannot send a part sends the
    whole again: of that, what has been handed on already is passed over, and has to be the same.
    Tags would not say so: two servers behind one name may have two for the same file.
    """

    def __init__(
        self,
        reply: Response,
        *,
        again: Callable[[Mapping[str, str]], Response],
        pause: Callable[[UpstreamError, int], None],
        limit: int,
    ) -> None:
        """Prepare to read.

        Args:
            reply: The answer with the whole file, its body still unread.
            again: Sends the request once more, with more headers; raises UpstreamError.
            pause: Waits after a failure, given how many there were in a row; raises it if there
                is no point in going on.
            limit: Bytes that the file may have.
        """
        self._reply = reply
        self._again = again
        self._pause = pause
        self._limit = limit
        self._received = self._had = 0
        self._sends_parts = True
        self._begin(reply)

    def chunks(self) -> Iterator[bytes]:
        """Return the bytes, once.

        Raises:
            UpstreamError: They break off for good.
        """
        failures = 0
        for _ in range(MOST):
            before = self._received
            try:
                yield from self._of_this_reply()
            except Interrupted as error:
                worth_it = self._received - before >= _ENOUGH
                failures = self._go_on(error, 1 if worth_it else failures + 1)
            else:
                return
        raise self._broken(TOO_OFTEN)

    def close(self) -> None:
        """Read no further."""
        self._reply.close()

    def _begin(self, reply: Response) -> None:
        self._reply = reply
        self.version = Version.of(reply.headers)
        # Quick, since it is against accidents: who sends the file could send any other at once.
        self._sum = zlib.crc32(b"")

    def _of_this_reply(self) -> Iterator[bytes]:
        """Return what this connection brings, and take note of it.

        Raises:
            Interrupted: It ends too early, or turns out to be of another version.
        """
        pieces = self._reply.raw(self._limit - self._received + self._had)
        try:
            yield from self._counted(self._unseen(pieces))
        except TooLarge as error:
            raise TooLarge(self._reply.url, self._limit) from error
        except Interrupted as error:
            # It counts what came over this connection.
            raise self._broken(error.reason, passing=error.passing) from error
        size = self.version.size
        if size is not None and self._received < size:
            raise self._broken(_A_PART)

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._received += len(piece)
            if self.version.size is not None and self._received > self.version.size:
                raise self._broken(_TOO_MUCH, passing=False)
            self._sum = zlib.crc32(piece, self._sum)
            yield piece

    def _unseen(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Pass over what has been handed on already."""
        left = self._had
        checksum = zlib.crc32(b"")
        new = b""
        while left:
            piece = next(pieces, b"")
            if not piece:
                raise self._broken(CHANGED, passing=False)
            seen, new = piece[:left], piece[left:]
            left -= len(seen)
            checksum = zlib.crc32(seen, checksum)
        if self._had and self._reply.status == _OK:
            if checksum != self._sum:
                raise self._broken(CHANGED, passing=False)
            # From here on it is what comes now, whatever it was called before.
            now = Version.of(self._reply.headers)
            self.version = replace(now, size=now.size or self.version.size)
        if new:
            yield new
        yield from pieces

    def _go_on(self, failure: UpstreamError, failures: int) -> int:
        """Get an answer with what is lacking, and return the count of failures."""
        while True:
            self._reply.close()
            self._pause(failure, failures)
            try:
                rest = self.version.rest(self._received) if self._sends_parts else {}
                reply = self._again(rest)
            except UpstreamError as error:
                failure, failures = error, failures + 1
                continue
            if not self._received:
                self._begin(reply)
                return failures
            had = already_had(
                self.version, self._received, status=reply.status, headers=reply.headers
            )
            self._reply = reply
            if had is not None:
                self._had = had
                return failures
            if reply.status == _OK:
                raise self._broken(CHANGED, passing=False)
            self._sends_parts = False
            failure, failures = self._broken(_NO_PART), failures + 1

    def _broken(self, reason: str, *, passing: bool = True) -> Interrupted:
        return Interrupted(
            self._reply.url, self._received, self.version.size, reason, passing=passing
        )
