"""A web server on loopback that records what it is asked."""

from __future__ import annotations

import http.server
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

_CHUNK = 1 << 20
_POLL = 0.01  # seconds until the server sees that it is to stop


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that came."""

    method: str
    path: str
    """With the query, as it was sent."""

    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Page:
    """What a path is answered with."""

    body: bytes | Path = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    """What `Content-Length` says, if not the truth."""


class Threaded:
    """A server that listens on a free port, and answers in threads inside `with`."""

    def __init__(
        self,
        answer: Callable[[http.server.BaseHTTPRequestHandler], None],
        *,
        connect: Callable[[http.server.BaseHTTPRequestHandler], None] | None = None,
        host: str = "127.0.0.1",
        context: ssl.SSLContext | None = None,
        patience: float | None = None,
    ) -> None:
        """Listen.

        Args:
            answer: Answers a request.
            connect: Answers `CONNECT`; None if that is a request like others.
            host: Where to listen.
            context: What to speak TLS with.
            patience: Seconds to wait for a request; None for ever.
        """
        self.connections = 0
        """How many connections were accepted."""

        threaded = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are sent one after the other: the second must not wait for 40 ms.
            disable_nagle_algorithm = True
            timeout = patience

            def do_GET(self) -> None:
                answer(self)

            do_HEAD = do_POST = do_PUT = do_GET  # noqa: N815 # the library's names

            def do_CONNECT(self) -> None:
                (connect or answer)(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 # the library's
                threaded.connections += 1
                super().process_request(request, client_address)

            def handle_error(self, *_: object) -> None:
                """Say nothing: clients may leave."""

        self._server = Server((host, 0), Handler)
        self.scheme = "http"
        if context is not None:
            self.scheme = "https"
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.netloc = f"{host}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL,), daemon=True
        )

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return f"{self.scheme}://{self.netloc}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Web(Threaded):
    """Serves pages by their path, without the query; anything else is 404.

    A page can be a function of the request, which runs in the request's own thread.
    """

    def __init__(
        self,
        pages: Mapping[str, Page | Callable[[Asked], Page]] | None = None,
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Keep the pages, which may change while the server runs; with a context, speak TLS."""
        self.pages: dict[str, Page | Callable[[Asked], Page]] = dict(pages or {})
        self.asked: list[Asked] = []
        super().__init__(self._answer, context=context)

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [asked.path for asked in self.asked]

    def page_for(self, asked: Asked) -> Page:
        """Return what a request is answered with; to be overridden where paths are not enough."""
        page = self.pages.get(urlsplit(asked.path).path, Page(status=404))
        return page if isinstance(page, Page) else page(asked)

    def _answer(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        asked = Asked(method=handler.command, path=handler.path, headers=dict(handler.headers))
        self.asked.append(asked)
        page = self.page_for(asked)
        body = page.body
        size = body.stat().st_size if isinstance(body, Path) else len(body)
        handler.send_response(page.status)
        for name, value in page.headers.items():
            handler.send_header(name, value)
        length = size if page.length is None else page.length
        handler.send_header("Content-Length", str(length))
        if length != size:
            handler.close_connection = True
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if isinstance(body, Path):
            with body.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    handler.wfile.write(chunk)
        else:
            handler.wfile.write(body)
