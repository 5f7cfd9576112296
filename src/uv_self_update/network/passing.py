"""Bytes that pass from one connection to another, unread."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
from typing import TYPE_CHECKING, ParamSpec

from uv_self_update.network.tunnels import NotForwarded

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")

if sys.platform == "linux":
    import fcntl

_PIECE = 256 << 10  # bytes at a time


class Passage:
    """The rest of a body whose length is known; its `len` is that length."""

    def __init__(self, source: socket.socket, length: int, *, silence: float) -> None:
        """Prepare; nothing is read yet.

        Args:
            source: Where the bytes come from.
            length: Bytes; anything after them stays unread.
            silence: Seconds between two pieces.
        """
        self._source = source
        self._length = length
        self._silence = silence
        self.complete = False
        """Whether all bytes were passed."""

    def __len__(self) -> int:
        return self._length

    def to(self, target: socket.socket) -> None:
        """Pass the bytes.

        Raises:
            NotForwarded: The source ends too early, or fails.
            OSError: The target fails.
        """
        # TLS is read and written by Python: the system knows what is encrypted only.
        plain = type(self._source) is type(target) is socket.socket
        if sys.platform == "linux" and plain:
            self._splice(target)
        else:
            self._copy(target)
        self.complete = True

    def _copy(self, target: socket.socket) -> None:
        piece, left = memoryview(bytearray(_PIECE)), self._length
        while left > 0:
            count = self._received(self._source.recv_into, piece, min(left, _PIECE))
            left -= count
            target.sendall(piece[:count])

    def _received(self, call: Callable[P, int], *args: P.args, **more: P.kwargs) -> int:
        try:
            count = call(*args, **more)
        except OSError as error:
            message = f"the response broke off: {error}"
            raise NotForwarded(message) from error
        if count == 0:
            message = "the response broke off: the server closed the connection"
            raise NotForwarded(message)
        return count

    if sys.platform == "linux":

        def _splice(self, target: socket.socket) -> None:
            """Let the system pass the bytes, without a copy in this process (splice(2))."""
            reading, writing = os.pipe()
            try:
                # The limit of a user may be smaller; then the pipe has its usual size.
                with contextlib.suppress(OSError):
                    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIECE)
                left, source, sink = self._length, self._source.fileno(), target.fileno()
                while left > 0:
                    size = min(left, _PIECE)
                    count = self._received(
                        self._ready, source, select.POLLIN, source, writing, size
                    )
                    left -= count
                    while count > 0:
                        count -= self._ready(sink, select.POLLOUT, reading, sink, count)
            finally:
                os.close(reading)
                os.close(writing)

        def _ready(self, connection: int, event: int, source: int, sink: int, size: int) -> int:
            """Splice once, and wait before if need be: a socket with a timeout never blocks.

            Raises:
                TimeoutError: It has to wait for too long.
                OSError: It fails.
            """
            while True:
                try:
                    return os.splice(source, sink, size)
                except BlockingIOError:
                    poll = select.poll()
                    poll.register(connection, event)
                    if not poll.poll(self._silence * 1000):
                        message = "timed out"
                        raise TimeoutError(message) from None
