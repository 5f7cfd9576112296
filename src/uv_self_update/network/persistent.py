"""A connection to a server, kept from one request of a client to its next (RFC 9112 section 9.3).

It belongs to one connection of that client. So what a server remembers of a connection, such as an
authentication by NTLM, never counts for the requests of another client.
"""

from __future__ import annotations

import socket

import h11

Place = tuple[str, int]
"""A host and a port."""


class Connected:
    """A connection to a server, and one exchange on it."""

    def __init__(self, *, place: Place, socket: socket.socket) -> None:
        self.place = place
        self.socket = socket
        self.protocol = h11.Connection(h11.CLIENT)
        """Of the exchange; a body that is read past it counts in `complete`."""
        self.complete = False
        """Whether a body that was read past the protocol was read to its end."""

    @property
    def reusable(self) -> bool:
        """Whether the exchange is complete, and another may follow.

        Bytes after a response are not the response to the next request, so they end a connection.
        """
        if self.protocol.our_state is not h11.DONE:
            return False
        if self.complete:
            return True
        return self.protocol.their_state is h11.DONE and self.protocol.trailing_data == (b"", False)

    @property
    def idle(self) -> bool:
        """Whether the server has neither closed the connection nor sent anything unasked."""
        timeout = self.socket.gettimeout()
        try:
            self.socket.setblocking(False)  # noqa: FBT003 # the library's signature
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self.socket.settimeout(timeout)
        return False

    def close(self) -> None:
        """Close it."""
        self.socket.close()


class Kept:
    """The connection that is kept for a client's connection, at most one."""

    def __init__(self) -> None:
        self._connected: Connected | None = None

    def take(self, place: Place) -> Connected | None:
        """Return the connection to a server, which is the caller's then; None without one."""
        found, self._connected = self._connected, None
        if found is None:
            return None
        if found.place == place and found.idle:
            return found
        found.close()
        return None

    def give(self, connected: Connected) -> None:
        """Keep a connection if another request may follow, and close it otherwise."""
        self.close()
        if connected.reusable:
            self._connected = Connected(place=connected.place, socket=connected.socket)
        else:
            connected.close()

    def close(self) -> None:
        """Close the connection that is kept."""
        if self._connected is not None:
            self._connected.close()
            self._connected = None
