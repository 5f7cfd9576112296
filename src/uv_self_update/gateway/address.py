"""Where the gateway listens: 127.0.0.1, a free port, a secret path."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field

from uv_self_update.errors import GatewayError

_BACKLOG = 1024  # connections that queue up while uv starts and this package imports
_REACHED = 5.0  # seconds
_SECRET = 24  # random bytes
_SHARED = sys.platform == "linux"


@dataclass(frozen=True, kw_only=True)
class Address:
    """A listening socket, and what the gateway is called."""

    listener: socket.socket
    keeper: socket.socket | None
    """Bound to the same port without listening, for uv to hold; where the system has that."""

    secret: str = field(repr=False)
    """The first segment of every path: other users of the machine cannot know it.

    Not before uv runs a release's own installer, that is, which hands it to curl as an argument.
    """

    @property
    def host(self) -> str:
        """The exact `Host` of every request (RFC 9110 section 7.2)."""
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def kept(self) -> tuple[int, ...]:
        """The files for uv to inherit, and for all that it starts."""
        return () if self.keeper is None else (self.keeper.fileno(),)

    def close(self) -> None:
        """Close the sockets; the port stays taken for as long as uv runs."""
        self.listener.close()
        if self.keeper is not None:
            self.keeper.close()

    @property
    def base(self) -> str:
        """The base URL; uv drops the last segment of one that does not end in `/`."""
        return f"http://{self.host}/{self.secret}/"


def listen() -> Address:
    """Bind a free port; from now on connections queue up until they are served.

    uv believes whoever answers there. Should the gateway be killed before uv has ended, another
    user of the machine could take the free port and be believed, so uv itself holds it as well: a
    second socket, on which nobody listens, refuses every connection. Linux lets two sockets share
    a port for processes of one user only; other systems do not look at the user.

    Raises:
        GatewayError: There is no loopback, or it is forbidden.
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
            # Python adds the address to the system's words.
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise GatewayError(reason) from error
        try:
            # A sandbox may let a port be bound that nobody can reach.
            with socket.create_connection(listener.getsockname(), timeout=_REACHED):
                listener.accept()[0].close()
        except OSError as error:
            raise GatewayError(error.strerror or str(error), bound=True) from error
        stack.pop_all()
    return Address(listener=listener, keeper=keeper, secret=os.urandom(_SECRET).hex())
