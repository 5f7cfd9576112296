"""Where the proxy of `exec` listens, and the secret of the run.

Connections queue up from then on, so the command starts before what serves them is imported.
"""

from __future__ import annotations

import os
import socket

from uv_self_update.errors import GatewayError
from uv_self_update.values import field, frozen

USER = "uv"
_BACKLOG = 1024  # connections that the system accepts for us
_SECRET = 24  # random bytes


@frozen
class ProxyAddress:
    """Where the proxy listens, and the secret of the run."""

    listener: socket.socket
    secret: str = field(repr=False)

    @property
    def url(self) -> str:
        """The URL for `HTTP_PROXY`, with the secret."""
        return f"http://{USER}:{self.secret}@127.0.0.1:{self.listener.getsockname()[1]}"


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
