"""Lines that pytest prints while its tests run, whichever worker they come from.

Workers have no terminal: they send their lines as datagrams to the process that has one.
"""

from __future__ import annotations

import os
import socket
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PORT = "TESTS_NOTICES_PORT"
_LONGEST = 4096  # bytes


def listen(show: Callable[[str], None]) -> Callable[[], None]:
    """Show the notices of this process and of those that it starts; return what ends that."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    address = receiver.getsockname()

    def receive() -> None:
        while line := receiver.recv(_LONGEST):
            show(line.decode())

    thread = Thread(target=receive, daemon=True)
    thread.start()
    os.environ[_PORT] = str(address[1])

    def end() -> None:
        os.environ.pop(_PORT, None)
        receiver.sendto(b"", address)
        thread.join()
        receiver.close()

    return end


def notice(line: str) -> None:
    """Have a line printed, such as what is being downloaded."""
    if port := os.environ.get(_PORT):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(line.encode()[:_LONGEST], ("127.0.0.1", int(port)))
