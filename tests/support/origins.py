"""A small internet behind one proxy, which records what every origin in it is told of who asks."""

from __future__ import annotations

import http.server
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from support.web import Asked, Page, Threaded

if TYPE_CHECKING:
    from collections.abc import Callable

    import trustme

    Answers = Callable[["Arrived"], Page]

CERTIFICATE = "(client certificate)"
"""What stands among the headers for a client certificate that was presented."""

_PLAIN = {"accept", "accept-encoding", "connection", "host", "user-agent"}
"""Headers that say nothing of who asks; what is none of these may be a credential."""

_FOR_PROXIES = {"proxy-authorization", "proxy-connection"}
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A request that has come to an origin, or, as `CONNECT`, to the proxy."""

    origin: str
    """`SCHEME://HOST`, with the port where it is not the scheme's own."""

    asked: Asked
    """With the names of its headers in lower case."""

    certificate: bool
    """Whether a client certificate was presented on this connection."""

    @property
    def told(self) -> dict[str, str]:
        """All that a request says beyond what each has to: header in lower case -> value."""
        headers = {name: value for name, value in self.asked.headers.items() if name not in _PLAIN}
        return headers | ({CERTIFICATE: "presented"} if self.certificate else {})

    def shows(self, secret: str) -> bool:
        """Return whether a secret stands where everybody may read it."""
        plain = [value for name, value in self.asked.headers.items() if name in _PLAIN]
        return any(secret in text for text in (self.origin, self.asked.path, *plain))


class Origins(Threaded):
    """Every origin that there may be.

    For https a tunnel ends here, with a certificate for whatever host was named.
    """

    def __init__(self, authority: trustme.CA, *, login: str | None = None) -> None:
        """Prepare.

        Args:
            authority: Whose certificates the hosts have, and whose client certificates they take.
            login: The `Proxy-Authorization` that the proxy asks for; None for nobody's.
        """
        self.answers: Answers = lambda _: Page(status=502)
        """What answers, at whatever origin."""

        self.arrived: list[Arrived] = []
        self.knocked: list[Arrived] = []
        """What the proxy itself was told: a tunnel's `CONNECT`, or a whole request of http."""

        self._authority = authority
        self._login = login
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._tunnels: dict[http.server.BaseHTTPRequestHandler, str] = {}
        super().__init__(self._answer, connect=self._connect)

    def environ(self, login: str = "") -> dict[str, str]:
        """Return the variables that lead here.

        Args:
            login: What stands before the proxy's address, as in `user:password@`.
        """
        return dict.fromkeys(("http_proxy", "https_proxy"), f"http://{login}{self.netloc}")

    def forget(self) -> None:
        """Forget what has come."""
        self.arrived.clear()
        self.knocked.clear()

    def _connect(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        """Be the server at the other end of a tunnel, until somebody leaves."""
        origin = _origin(f"https://{handler.path}")
        if not self._admits(handler, origin):
            return
        handler.send_response(http.HTTPStatus.OK)
        handler.end_headers()
        context = self._context(urlsplit(origin).hostname or "")
        with context.wrap_socket(handler.connection, server_side=True) as tunnel:
            handler.request = tunnel
            handler.setup()
            self._tunnels[handler] = origin
            handler.close_connection = False
            while not handler.close_connection:
                handler.handle_one_request()

    def _admits(self, handler: http.server.BaseHTTPRequestHandler, origin: str) -> bool:
        self.knocked.append(_arrived(handler, origin, handler.path))
        if self._login in {None, handler.headers.get("Proxy-Authorization")}:
            return True
        _send(handler, Page(status=407, headers={"Proxy-Authenticate": 'Basic realm="way out"'}))
        return False

    def _answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        origin = self._tunnels.get(handler) or _origin(handler.path)
        if handler not in self._tunnels:
            if not self._admits(handler, origin):
                return
            # Between two hops only, as every proxy knows.
            for name in _FOR_PROXIES:
                del handler.headers[name]
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        arrived = _arrived(handler, origin, path)
        self.arrived.append(arrived)
        _send(handler, self.answers(arrived))

    def _context(self, host: str) -> ssl.SSLContext:
        if host not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert(host).configure_cert(context)
            self._authority.configure_trust(context)
            context.verify_mode = ssl.CERT_OPTIONAL
            self._contexts[host] = context
        return self._contexts[host]


def _arrived(handler: http.server.BaseHTTPRequestHandler, origin: str, path: str) -> Arrived:
    names = {name.lower() for name in handler.headers}
    headers = {name: ", ".join(handler.headers.get_all(name) or ()) for name in sorted(names)}
    line = handler.connection
    return Arrived(
        origin=origin,
        asked=Asked(method=handler.command, path=path, headers=headers),
        certificate=isinstance(line, ssl.SSLSocket) and bool(line.getpeercert()),
    )


def _origin(url: str) -> str:
    """Return the origin of a URL, without the port that its scheme has anyway."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


def _send(handler: http.server.BaseHTTPRequestHandler, page: Page) -> None:
    body = page.body
    size = body.stat().st_size if isinstance(body, Path) else len(body)
    handler.send_response(page.status)
    for name, value in page.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(size))
    handler.end_headers()
    if handler.command == "HEAD":
        return
    if isinstance(body, Path):
        with body.open("rb") as file:
            while chunk := file.read(_CHUNK):
                handler.wfile.write(chunk)
    else:
        handler.wfile.write(body)
