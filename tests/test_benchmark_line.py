"""The line of the benchmarks is as slow as it says: shown by times that it cannot fall below."""

from __future__ import annotations

import importlib.util
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

SIZE = 300_000  # bytes of a response
MBIT = 20.0


@pytest.fixture(scope="module")
def wan() -> ModuleType:
    """Import the line, which is a script beside the package."""
    path = Path(__file__).parents[1] / "benchmarks" / "wan.py"
    spec = importlib.util.spec_from_file_location("wan", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["wan"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def port() -> Iterator[int]:
    """Serve a response of SIZE bytes for each byte that comes; yields the port on 127.0.0.1."""

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while connection.recv(1):
                connection.sendall(bytes(SIZE))

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def exchange(connection: socket.socket) -> tuple[float, float]:
    """Ask for a response; return the seconds to its first and to its last byte."""
    begin = time.monotonic()
    connection.sendall(b"?")
    left = SIZE - len(connection.recv(1))
    first = time.monotonic() - begin
    while left:
        left -= len(connection.recv(left))
    return first, time.monotonic() - begin


def test_line_takes_its_time(wan: ModuleType, port: int, tmp_path: Path) -> None:
    """A new connection costs a round trip, and so does a request; connections share the rate."""
    log = tmp_path / "log"
    rate = MBIT * 125_000
    with wan.line(ports=[port], mbit=MBIT, log=log) as line:
        line.set(80)
        with socket.create_connection((wan.NEAR, port)) as one:
            first, _ = exchange(one)
            assert first >= 0.16
            first, last = exchange(one)
            assert first >= 0.08
            assert last >= 0.08 + (SIZE - 40_000) / rate  # what an idle line has saved up
        line.set(0)
        begin = time.monotonic()
        with (
            socket.create_connection((wan.NEAR, port)) as one,
            socket.create_connection((wan.NEAR, port)) as other,
        ):
            threads = [threading.Thread(target=exchange, args=(each,)) for each in (one, other)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
            assert time.monotonic() - begin >= (2 * SIZE - 40_000) / rate
    assert log.read_text().count("+") == 3
