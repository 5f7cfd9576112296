"""A connection of `preconnect`, as the stream that httpcore reads and writes."""

from __future__ import annotations

import selectors
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator

    from uv_self_update.background import Background
    from uv_self_update.network.preconnect import Preconnection

    Await = Callable[[Background[Any], float | None], Any]


class PreconnectedStream(httpcore.NetworkStream):
    """A stream like those of `httpcore.SyncBackend`, which can only be made from an address.

    Args:
        begun: The connection, taken.
        wait: Waits for a call in the background, for at most so many seconds, and returns its
            result, or raises its error or `httpcore.ConnectTimeout`.

    Raises:
        httpcore.ConnectError: The connection could not be made.
        httpcore.ConnectTimeout: It was not made in time.
    """

    def __init__(self, begun: Preconnection, wait: Await) -> None:
        self._begun = begun
        self._wait = wait
        with self._releasing(), _mapped(httpcore.ConnectTimeout, httpcore.ConnectError):
            self._socket: socket.socket = wait(begun.connecting, None)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _mapped(httpcore.ReadTimeout, httpcore.ReadError):
            self._socket.settimeout(timeout)
            return self._socket.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _mapped(httpcore.WriteTimeout, httpcore.WriteError):
            self._socket.settimeout(timeout)
            self._socket.sendall(buffer)

    def close(self) -> None:
        self._begun.release()
        self._socket.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        securing = self._begun.securing
        with self._releasing(), _mapped(httpcore.ConnectTimeout, httpcore.ConnectError):
            if securing is not None:
                self._socket = self._wait(securing, timeout)
            else:  # in the tunnel of a proxy
                self._socket.settimeout(timeout)
                self._socket = ssl_context.wrap_socket(
                    self._socket, server_hostname=server_hostname
                )
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 # httpcore's signature
        match info:
            case "socket":
                return self._socket
            case "server_addr":
                return self._begun.peer
            case "is_readable":
                with selectors.DefaultSelector() as selector:
                    selector.register(self._socket, selectors.EVENT_READ)
                    return bool(selector.select(0))
            case _:
                return None

    @contextmanager
    def _releasing(self) -> Iterator[None]:
        """Close the connection after a failure."""
        try:
            yield
        except BaseException:
            self._begun.release()
            raise


@contextmanager
def _mapped(
    timeout: type[httpcore.TimeoutException], failure: type[httpcore.NetworkError]
) -> Iterator[None]:
    """Raise the errors of httpcore for those of sockets."""
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error)) from error
    except OSError as error:
        raise failure(str(error)) from error
