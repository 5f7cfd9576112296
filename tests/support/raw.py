"""HTTP byte by byte: requests that no client would send, and all of what comes back."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Literal

_TIMEOUT = 60  # seconds; nothing is meant to take that long
_READ = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All that came before the connection ended."""

    raw: bytes
    end: Literal["closed", "reset"]

    @property
    def status(self) -> int | None:
        """The status of the first response; None if there is none."""
        return int(self.raw.split(b" ", 2)[1]) if self.raw else None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the first response, their names in lower case."""
        lines = self.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        """Whatever follows the first head, not decoded."""
        return self.raw.partition(b"\r\n\r\n")[2]


def connect(port: int) -> socket.socket:
    """Connect to a server on loopback."""
    return socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)


def request(
    target: str, *headers: str, host: str | None, method: str = "GET", version: str = "1.1"
) -> bytes:
    """Write a request; `host` None leaves the header out."""
    hosts = [] if host is None else [f"Host: {host}"]
    lines = [f"{method} {target} HTTP/{version}", *hosts, *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def read_all(connection: socket.socket) -> Answer:
    """Read until the connection ends, one way or the other."""
    raw = bytearray()
    try:
        while piece := connection.recv(_READ):
            raw += piece
    except ConnectionError:
        return Answer(raw=bytes(raw), end="reset")
    return Answer(raw=bytes(raw), end="closed")


def ask(port: int, data: bytes) -> Answer:
    """Send bytes over a new connection, and read until it ends."""
    with connect(port) as connection:
        try:
            connection.sendall(data)
        except ConnectionError:
            return Answer(raw=b"", end="reset")
        return read_all(connection)


def get(port: int, target: str, *headers: str, method: str = "GET") -> Answer:
    """Send a proper request over a new connection, and read until it ends."""
    return ask(port, request(target, *headers, host=f"127.0.0.1:{port}", method=method))
