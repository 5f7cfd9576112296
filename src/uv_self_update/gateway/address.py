"""Where the gateway listens: 127.0.0.1, a free port, a secret path."""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass, field

from uv_self_update.errors import GatewayError

__all__ = ("Address", "listen")

_BACKLOG = 256


@dataclass(frozen=True, kw_only=True)
class Address:
    """A listening socket, and what the gateway is called."""

    listener: socket.socket
    secret: str = field(repr=False)
    """The first segment of every path: other users of the machine cannot know it."""

    @property
    def host(self) -> str:
        """The exact `Host` of every request (RFC 9110 section 7.2)."""
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def base(self) -> str:
        """The base URL; uv drops the last segment of one that does not end in `/`."""
        return f"http://{self.host}/{self.secret}/"


def listen() -> Address:
    """Bind a free port; from now on connections queue up until they are served.

    Raises:
        GatewayError: There is no loopback, or it is forbidden.
    """
    try:
        listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
    except OSError as error:
        raise GatewayError(error.strerror or str(error)) from error
    return Address(listener=listener, secret=secrets.token_urlsafe(24))
