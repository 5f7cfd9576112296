"""Where the gateway and the proxy of `exec` listen: 127.0.0.1, a free port, a secret of the run."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack

from uv_self_update.errors import GatewayError
from uv_self_update.files import strerror
from uv_self_update.values import field, frozen

USER = "uv"
"""The user in the URL of the proxy."""

_BACKLOG = 1024  # connections that queue up while uv starts and this package imports
_CONNECT_TIMEOUT = 5.0  # seconds
_SECRET = 24  # random bytes
_SHARED = sys.platform == "linux"


@frozen
class Address:
    """A listening socket, and its URLs."""

    listener: socket.socket
    keeper: socket.socket | None
    """Bound to the same port without listening, for uv to inherit; None except on Linux."""

    secret: str = field(repr=False)
    """The first segment of every path, or the proxy's password; unknown to other users.

    A release's own installer passes it to curl as an argument, which they can read.
    """

    @property
    def host(self) -> str:
        """The exact `Host` of every request (RFC 9110 section 7.2)."""
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def kept(self) -> tuple[int, ...]:
        """The file descriptors that uv and its children inherit."""
        return () if self.keeper is None else (self.keeper.fileno(),)

    def close(self) -> None:
        """Close the sockets; uv keeps the port in use until it exits."""
        self.listener.close()
        if self.keeper is not None:
            self.keeper.close()

    @property
    def base(self) -> str:
        """The base URL; without the final slash, uv would drop the last segment."""
        return f"http://{self.host}/{self.secret}/"

    @property
    def proxy(self) -> str:
        """The URL for `HTTP_PROXY`."""
        return f"http://{USER}:{self.secret}@{self.host}"


def listen() -> Address:
    """Bind a free port; connections queue up until they are served.

    uv trusts the server on that port. If the gateway were killed before uv exits, another user of
    the machine could bind the free port. So uv inherits a second socket on the same port, which
    does not listen and refuses every connection. Linux lets two sockets share a port for processes
    of one user only; other systems do not check the user.

    Raises:
        GatewayError: Loopback is missing or blocked.
    """
    with ExitStack() as stack:
        keeper = None
        try:
            listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG, reuse_port=_SHARED)
            stack.enter_context(listener)
            if sys.platform == "linux":
                keeper = stack.enter_context(socket.socket())
                keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                keeper.bind(listener.getsockname())
        except OSError as error:
            # Python appends the address to the system's message.
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise GatewayError(reason) from error
        try:
            # A sandbox may allow a port to be bound, but not to be connected to.
            with socket.socket() as client:
                client.settimeout(_CONNECT_TIMEOUT)
                client.connect(listener.getsockname())
                listener.accept()[0].close()
        except OSError as error:
            raise GatewayError(strerror(error), bound=True) from error
        stack.pop_all()
    return Address(listener=listener, keeper=keeper, secret=os.urandom(_SECRET).hex())
