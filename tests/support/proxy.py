"""A forward proxy that records what it is asked for, and reaches one web server only."""

from __future__ import annotations

import http.client
import http.server
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from support.web import Threaded

if TYPE_CHECKING:
    from pathlib import Path

    import trustme

    from support.web import Web

HOST = "mirror.test"
"""What the proxy knows the web server as; nobody else can resolve it (RFC 6761 section 6.2)."""

_CHUNK = 1 << 20
_HOP_BY_HOP = {"connection", "host", "keep-alive", "proxy-connection", "proxy-authorization"}


class Proxy(Threaded):
    """Serves requests in absolute form, and `CONNECT`; whatever is not for HOST is answered 502.

    A tunnel to HOST ends here: the proxy speaks TLS in its place, and forwards what comes out.
    """

    def __init__(self, web: Web, authority: trustme.CA) -> None:
        """Prepare to forward to `web`, and to be HOST with a certificate of `authority`."""
        self.asked: list[str] = []
        """Method and target of each request, as they were sent; in a tunnel the target's path."""

        self._origin = urlsplit(web.url).netloc
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(self._context)
        super().__init__(self._answer, connect=self._connect)

    def hosts(self) -> set[str]:
        """Return every host, with the port that was named, that a request was for."""
        targets = [asked.partition(" ")[2] for asked in self.asked]
        return {urlsplit(target).netloc or target for target in targets if target[0] != "/"}

    def _connect(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.asked.append(f"CONNECT {handler.path}")
        if handler.path != f"{HOST}:443":
            handler.send_error(http.HTTPStatus.BAD_GATEWAY)
            return
        handler.send_response(http.HTTPStatus.OK)
        handler.end_headers()
        with self._context.wrap_socket(handler.connection, server_side=True) as tunnel:
            handler.request = tunnel
            handler.setup()
            handler.close_connection = False
            while not handler.close_connection:
                handler.handle_one_request()

    def _answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        self.asked.append(f"{handler.command} {handler.path}")
        inside = isinstance(handler.connection, ssl.SSLSocket)
        target = urlsplit(handler.path)
        if not inside and target.netloc != HOST:
            handler.send_error(http.HTTPStatus.BAD_GATEWAY)
            return
        connection = http.client.HTTPConnection(self._origin)
        headers = {
            name: value
            for name, value in handler.headers.items()
            if name.lower() not in _HOP_BY_HOP
        }
        try:
            path = target.path + (f"?{target.query}" if target.query else "")
            connection.request(handler.command, path, headers={**headers, "Host": HOST})
            response = connection.getresponse()
            handler.send_response(response.status)
            for name, value in response.headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            while chunk := response.read(_CHUNK):
                handler.wfile.write(chunk)
        finally:
            connection.close()


def trust(authority: trustme.CA, folder: Path) -> Path:
    """Write the authority's certificate into a folder, as a PEM file."""
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return path
