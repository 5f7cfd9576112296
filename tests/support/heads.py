"""A server that notes the heads of each connection, and answers byte by byte."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Answer = tuple[bytes, bool]
"""What is sent, and whether the connection goes on."""


class Origin:
    """A server that answers as a function says, and notes the heads of each connection."""

    def __init__(self, answer: Callable[[int, int], Answer]) -> None:
        """Take a free port; the function gets the numbers of connection and request, from 0 on."""
        self.heads: list[list[str]] = []
        self.ended = threading.Semaphore(0)
        """Released whenever a connection has ended."""

        self.connections: list[socket.socket] = []
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections.append(connection)
                self.heads.append([])
                number = len(self.heads) - 1
                threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            going_on, read = True, b""
            while going_on:
                while b"\r\n\r\n" not in read:
                    if not (data := connection.recv(1 << 16)):
                        break
                    read += data
                head, end, read = read.partition(b"\r\n\r\n")
                if not end:
                    break
                self.heads[number].append(head.decode())
                sent, going_on = self._answer(number, len(self.heads[number]) - 1)
                connection.sendall(sent)
        self.ended.release()
