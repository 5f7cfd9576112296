"""A TLS server on loopback that greets, and what it takes to talk to it."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from support.servers.running import HOST
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import trustme

    from uv_self_update.network.tls import Trust

GREETING = b"hello"
_TIMEOUT = 30  # seconds; nothing is meant to take that long


class Greeter:
    """Greets whoever connects on loopback, over TLS."""

    def __init__(self, context: ssl.SSLContext | None, *, raw: bytes = b"") -> None:
        """Take a context to speak TLS in; without one, answer a first message with raw bytes."""
        self.subjects: list[str | None] = []
        """The common name in each client certificate; None where there was none."""

        self._context = context
        self._raw = raw
        self._listener = socket.create_server((HOST, 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @contextmanager
    def running(self) -> Iterator[Greeter]:
        """Serve until the end of the block."""
        self._thread.start()
        try:
            yield self
        finally:
            # To close it would not wake the thread that waits for it.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(_TIMEOUT)
            with connection, suppress(OSError):
                if self._context is None:
                    connection.recv(1 << 16)
                    connection.sendall(self._raw)
                else:
                    self._greet(connection.dup())
                # What is closed with something unread takes back what was sent.
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):
                    pass

    def _greet(self, connection: socket.socket) -> None:
        if self._context is None:
            raise AssertionError
        with (
            suppress(OSError),
            self._context.wrap_socket(connection, server_side=True) as tls,
        ):
            names: Any = (tls.getpeercert() or {}).get("subject", ())
            found = [value for ((name, value),) in names if name == "commonName"]
            self.subjects.append(found[0] if found else None)
            tls.recv(100)
            tls.sendall(GREETING)


def written(authority: trustme.CA, path: Path) -> Path:
    """Write an authority's certificate into a file."""
    authority.cert_pem.write_to_path(str(path))
    return path


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return a context to serve in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def talk(trust: Trust, server: Greeter, *, host: str = HOST, identified: bool = True) -> bytes:
    """Connect to a server by one of its names, and return what it says."""
    context = trust.context_for(Url.parse(f"https://{host}:{server.port}/"), identified=identified)
    with (
        socket.create_connection((HOST, server.port), timeout=_TIMEOUT) as connection,
        context.wrap_socket(connection, server_hostname=host) as tls,
    ):
        tls.sendall(b"x")
        return tls.recv(100)
