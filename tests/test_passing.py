"""Bytes that pass from one connection to another."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

import pytest

from uv_self_update.network.passing import Passage
from uv_self_update.network.tunnels import NotForwarded

BYTES = bytes(range(256)) * 4096  # 1 MiB


class OfPython(socket.socket):
    """A connection whose bytes the system must not pass, as that of TLS."""

    def fileno(self) -> int:
        """Refuse: what the system would pass is encrypted."""
        raise AssertionError


def pair(kind: type[socket.socket]) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a connection; the first is of a kind, and has a timeout."""
    one, other = socket.socketpair()
    made = kind(fileno=one.detach())
    made.settimeout(30)
    return made, other


@pytest.mark.parametrize("kind", [socket.socket, OfPython])
def test_bytes_are_passed(kind: type[socket.socket]) -> None:
    """Exactly the announced bytes pass, however slowly either side is; what follows stays."""
    source, server = pair(kind)
    target, client = pair(socket.socket)
    received = bytearray()

    def read() -> None:
        while piece := client.recv(1 << 16):
            received.extend(piece)

    threads = [
        threading.Thread(target=server.sendall, args=(BYTES + b"next",)),
        threading.Thread(target=read),
    ]
    with closing(source), closing(server), closing(client):
        for thread in threads:
            thread.start()
        passage = Passage(source, len(BYTES), silence=30)
        with closing(target):
            passage.to(target)
        for thread in threads:
            thread.join(30)
        assert source.recv(10) == b"next"

    assert passage.complete
    assert len(passage) == len(BYTES)
    assert received == BYTES


@pytest.mark.parametrize("kind", [socket.socket, OfPython])
def test_end_comes_too_early(kind: type[socket.socket]) -> None:
    """A body that breaks off is an error, and its connection is not used again."""
    source, server = pair(kind)
    target, client = pair(socket.socket)
    with closing(source), closing(target), closing(client):
        server.sendall(b"half")
        server.close()
        passage = Passage(source, 8, silence=30)
        with pytest.raises(NotForwarded, match="closed the connection"):
            passage.to(target)

        assert not passage.complete
        assert client.recv(10) == b"half"


def test_silence() -> None:
    """A server that sends nothing for too long is given up."""
    source, server = pair(socket.socket)
    target, client = pair(socket.socket)
    source.settimeout(0.01)
    with (
        closing(source),
        closing(server),
        closing(target),
        closing(client),
        pytest.raises(NotForwarded, match="timed out"),
    ):
        Passage(source, 8, silence=0.01).to(target)
