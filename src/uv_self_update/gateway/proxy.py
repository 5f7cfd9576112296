"""The http proxy that `exec` leads uv to: our index answers its own hosts, the rest is passed on.

Only plain http comes here: uv reaches https as before. A client has to show the secret of the run,
which stands in the proxy's URL (RFC 9110 section 11.7).
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import os
import socket
import threading
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import h11

from uv_self_update.errors import GatewayError
from uv_self_update.gateway.replies import BrokenOff, Reply
from uv_self_update.gateway.routes import Request
from uv_self_update.network.forward import NotForwarded, forward

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_log = logging.getLogger(__name__)

_BACKLOG = 1024  # connections
_LARGEST_HEAD = 64 << 10  # bytes of request line and headers
_READ = 256 << 10  # bytes at a time
_IDLE = 60.0  # seconds that a client may say nothing
_SECRET = 24  # random bytes
_USER = "uv"


@dataclass(frozen=True, kw_only=True)
class ProxyAddress:
    """Where the proxy listens, and the secret of the run."""

    listener: socket.socket
    secret: str = field(repr=False)

    @property
    def url(self) -> str:
        """The URL for `HTTP_PROXY`, with the secret."""
        return f"http://{_USER}:{self.secret}@127.0.0.1:{self.listener.getsockname()[1]}"


def listen() -> ProxyAddress:
    """Bind a free port of 127.0.0.1.

    Raises:
        GatewayError: There is no loopback, or it is forbidden.
    """
    try:
        listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    except OSError as error:
        raise GatewayError(os.strerror(error.errno) if error.errno else str(error)) from error
    return ProxyAddress(listener=listener, secret=os.urandom(_SECRET).hex())


class Proxy:
    """Serves a listening socket until it is closed."""

    def __init__(
        self,
        address: ProxyAddress,
        *,
        own: Callable[[str], bool],
        answer: Callable[[Request], Reply],
        way: Callable[[str], str | None],
    ) -> None:
        """Start to serve.

        Args:
            address: Where.
            own: Says whether a host is answered here.
            answer: Answers for such a host; it does not raise.
            way: Says through which proxy any other host is asked; None for directly.
        """
        self._address = address
        self._own = own
        self._answer = answer
        self._way = way
        self._known = b"Basic " + b64encode(f"{_USER}:{address.secret}".encode())
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop to listen; a reply that is under way ends with the process."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._address.listener.shutdown(socket.SHUT_RDWR)
        self._address.listener.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                connection, _ = self._address.listener.accept()
            except OSError as error:
                _log.debug("a connection could not be accepted: %s", error)
                self._closed.wait(0.01)
                continue
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(_IDLE)
            try:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)
                while self._exchange(connection, protocol):
                    protocol.start_next_cycle()
            except (OSError, h11.ProtocolError, BrokenOff, NotForwarded) as error:
                _log.debug("a connection ended early: %s", error)

    def _exchange(self, connection: socket.socket, protocol: h11.Connection) -> bool:
        """Answer one request; return whether another may follow on the connection."""
        event = _next(connection, protocol)
        if not isinstance(event, h11.Request):
            return False
        if protocol.they_are_waiting_for_100_continue:
            head = h11.InformationalResponse(status_code=100, headers=[])
            connection.sendall(protocol.send(head) or b"")
        target = event.target.decode("latin-1")
        shown = dict(event.headers).get(b"proxy-authorization", b"")
        if not hmac.compare_digest(bytes(shown), self._known):
            challenge = (("Proxy-Authenticate", 'Basic realm="uv-self-update"'),)
            refused = Reply(status=407, headers=challenge, length=0)
            return _reply(connection, protocol, refused, b"GET")
        parts = urlsplit(target)
        if parts.scheme != "http" or not parts.hostname:
            refused = Reply.of("only http URLs are asked for here\n", status=501)
            return _reply(connection, protocol, refused, event.method)
        if self._own(parts.hostname):
            _drain(connection, protocol)
            request = Request(
                method=event.method.decode("latin-1"),
                target=parts.path + (f"?{parts.query}" if parts.query else ""),
                host=parts.hostname,
            )
            return _reply(connection, protocol, self._answer(request), event.method)
        return self._pass_on(connection, protocol, event, parts.hostname)

    def _pass_on(
        self, connection: socket.socket, protocol: h11.Connection, event: h11.Request, host: str
    ) -> bool:
        def body() -> Iterator[bytes]:
            while isinstance(piece := _next(connection, protocol), h11.Data):
                yield bytes(piece.data)

        url = event.target.decode("latin-1")
        try:
            answer = forward(
                bytes(event.method), url, event.headers.raw_items(), body(), proxy=self._way(host)
            )
        except NotForwarded as error:
            _log.warning("%s", error)
            return _reply(connection, protocol, Reply.of(f"{error}\n", status=502), event.method)
        response = h11.Response(
            status_code=answer.status, headers=[*answer.headers], reason=answer.reason
        )
        connection.sendall(protocol.send(response) or b"")
        for piece in answer.body:
            connection.sendall(protocol.send(h11.Data(data=piece)) or b"")
        connection.sendall(protocol.send(h11.EndOfMessage()) or b"")
        return protocol.our_state is h11.DONE and protocol.their_state is h11.DONE


def _next(connection: socket.socket, protocol: h11.Connection) -> object:
    while (event := protocol.next_event()) is h11.NEED_DATA:
        protocol.receive_data(connection.recv(_READ))
    return event


def _drain(connection: socket.socket, protocol: h11.Connection) -> None:
    while isinstance(_next(connection, protocol), h11.Data):
        pass


def _reply(
    connection: socket.socket, protocol: h11.Connection, reply: Reply, method: bytes
) -> bool:
    headers = [("Content-Type", reply.content_type), *reply.headers]
    if reply.length is not None:
        headers.append(("Content-Length", str(reply.length)))
    head = h11.Response(status_code=reply.status, headers=headers)
    connection.sendall(protocol.send(head) or b"")
    if method != b"HEAD":
        for chunk in reply.body:
            for piece in protocol.send_with_data_passthrough(h11.Data(data=chunk)) or ():
                connection.sendall(piece)
    connection.sendall(protocol.send(h11.EndOfMessage()) or b"")
    return protocol.our_state is h11.DONE and protocol.their_state is h11.DONE
