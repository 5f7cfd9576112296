"""The one HTTP client that leaves the machine.

Redirects are followed here rather than by httpx, which keeps custom headers when the origin
changes: a credential goes to the origin it was given for and to no other. Bodies of files are
handed on raw, since some servers label a `.tar.gz` as `Content-Encoding: gzip` and a client that
believes them hands out something else than was published.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urljoin, urlsplit
from urllib.request import url2pathname
from weakref import WeakSet

import httpcore
import httpx

from uv_self_update import __version__
from uv_self_update.credentials import origin_of, without_userinfo
from uv_self_update.errors import Interrupted, StatusRefused, TooLarge, Unreachable
from uv_self_update.secret import redact, redact_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uv_self_update.credentials import Credentials
    from uv_self_update.settings import Network

__all__ = ("Document", "Download", "Upstream")

_LARGEST_DOCUMENT = 64 << 20  # bytes; a page of 100 of uv's releases is about 4 MiB of JSON
_LARGEST_ARCHIVE = 2 << 30  # bytes; uv's own are below 40 MiB

_log = logging.getLogger(__name__)

_CHUNK = 256 << 10
_LARGE = 1 << 20
_SHORT = "the server closed the connection"
_FAILURES = (
    httpx.HTTPError,
    httpx.StreamError,
    # Of a connection that is read past httpx.
    httpcore.NetworkError,
    httpcore.TimeoutException,
    OSError,  # those of TLS among them
)
_REDIRECTS = {301, 302, 303, 307, 308}
_MAX_REDIRECTS = 10
_OK = 200
_NOT_FOUND = 404
_PLAIN = {"http", "file"}
_ENCODINGS = {"", "identity", "gzip", "x-gzip", "deflate"}


@dataclass(frozen=True, kw_only=True)
class Document:
    """A body that was read as a whole, decoded."""

    url: str
    """Where it came from in the end, as it may be shown."""

    content_type: str
    """The media type without parameters, in lower case; empty where none was given."""

    body: bytes

    links: Mapping[str, str]
    """The `Link` header: relation -> absolute URL."""


@dataclass(frozen=True, kw_only=True)
class Download:
    """The body of a file on its way here: raw bytes, never decoded."""

    url: str
    """Where it comes from, as it may be shown."""

    size: int | None
    """Bytes, where the server says so."""

    chunks: Iterator[bytes]
    """The bytes, once; raises UpstreamError where they break off."""


class Upstream:
    """Reads URLs: `http`, `https` and `file`."""

    def __init__(
        self, network: Network, credentials: Credentials, *, environ: Mapping[str, str]
    ) -> None:
        """Prepare, without connecting to anything."""
        self._network = network
        self._credentials = credentials
        self._environ = environ
        self._lock = threading.Lock()
        self._closed = False
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def read(self, url: str, *, accept: str = "*/*", limit: int = _LARGEST_DOCUMENT) -> Document:
        """Read a whole document of at most `limit` bytes.

        Raises:
            UpstreamError: It cannot be had; the leaf says why.
        """
        if urlsplit(url).scheme == "file":
            with self.open(url, limit=limit) as download:
                return Document(
                    url=download.url, content_type="", body=b"".join(download.chunks), links={}
                )
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        with self._exchange("GET", url, headers) as response:
            shown = redact_url(str(response.url))
            encoding = response.headers.get("content-encoding", "identity").strip().lower()
            if encoding not in _ENCODINGS:
                # Encoded twice, a few bytes can be any number, before a limit could be looked at.
                raise Unreachable(shown, f"it is encoded as `{encoding}`, which was not asked for")
            body = bytearray()
            with _translated(shown, self._network.timeout, received=lambda: len(body)):
                for chunk in response.iter_bytes(_CHUNK):
                    body += chunk
                    if len(body) > limit:
                        raise TooLarge(shown, limit)
            media_type = response.headers.get("content-type", "").partition(";")[0]
            return Document(
                url=shown,
                content_type=media_type.strip().lower(),
                body=bytes(body),
                links=_links_of(response),
            )

    @contextmanager
    def open(self, url: str, *, limit: int = _LARGEST_ARCHIVE) -> Iterator[Download]:
        """Begin to fetch a file of at most `limit` bytes; its bytes come raw.

        Raises:
            UpstreamError: It cannot be had; the leaf says why.
        """
        if urlsplit(url).scheme == "file":
            with _open_file(url, limit) as download:
                yield download
            return
        # `identity`, since what is stored compressed must arrive as it is stored.
        headers = {"Accept": "application/octet-stream, */*;q=0.5", "Accept-Encoding": "identity"}
        with self._exchange("GET", url, headers) as response:
            shown = redact_url(str(response.url))
            size = _size_of(response)
            if size is not None and size > limit:
                raise TooLarge(shown, limit)
            yield Download(
                url=shown, size=size, chunks=self._raw_chunks(response, shown, size, limit)
            )

    def status(self, url: str) -> int:
        """Return the status of a `HEAD` request, after redirects; 200 for a file that exists.

        Raises:
            Unreachable: No answer came.
        """
        if urlsplit(url).scheme == "file":
            return _OK if _path_of(url).is_file() else _NOT_FOUND
        try:
            with self._exchange("HEAD", url, {}) as response:
                return response.status_code
        except StatusRefused as error:
            return error.status

    def close(self) -> None:
        """Close every connection; whoever waits for one, in any thread, waits no longer."""
        with self._lock:
            self._closed = True
            for connection in self._sockets:
                _shut(connection)
        for name in ("_plain_client", "_tls_client"):
            client = self.__dict__.pop(name, None)
            if client is not None:
                client.close()

    def _raw_chunks(
        self, response: httpx.Response, shown: str, size: int | None, limit: int
    ) -> Iterator[bytes]:
        count = 0
        with _translated(shown, self._network.timeout, received=lambda: count, expected=size):
            for chunk in self._pieces(response, size):
                count += len(chunk)
                if count > limit:
                    raise TooLarge(shown, limit)
                yield chunk

    def _pieces(self, response: httpx.Response, size: int | None) -> Iterator[bytes]:
        """Return a body as it comes, in large pieces if it is large and its length known.

        httpcore reads 64 KiB at a time, and h11 copies them thrice. Of a body with a known length
        nothing is left to parse after the first piece, so the rest is read past both of them.
        """
        pieces = response.iter_raw()
        connection = response.extensions.get("network_stream")
        if size is None or size < _LARGE or connection is None:
            yield from pieces
            return
        first = next(pieces, b"")
        yield first
        left = size - len(first)
        while left > 0:
            piece = connection.read(min(left, _LARGE), self._network.timeout)
            if not piece:
                raise httpx.RemoteProtocolError(_SHORT)
            left -= len(piece)
            yield piece

    @contextmanager
    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str]
    ) -> Iterator[httpx.Response]:
        """Follow redirects to a response with status 200, its body still unread.

        The credentials go to the origin that was asked first, and are dropped for good with the
        first redirect to another: not even one that has a login of its own gets it that way, since
        it was not asked by the person but by a server.
        """
        with _translated(redact_url(url), 0):
            origin = origin_of(url)
            credentials = self._credentials.headers_for(url)
        for _ in range(_MAX_REDIRECTS):
            with self._request(method, url, {**headers, **credentials}) as response:
                _log.debug("%s %s answers %d", method, redact_url(url), response.status_code)
                if response.status_code not in _REDIRECTS or "location" not in response.headers:
                    if response.status_code != _OK:
                        raise StatusRefused(
                            redact_url(url), response.status_code, response.reason_phrase
                        )
                    yield response
                    return
                url = self._redirected(url, response.headers["location"])
                with _translated(redact_url(url), 0):
                    if origin_of(url) != origin:
                        credentials = {}
        raise Unreachable(redact_url(url), f"more than {_MAX_REDIRECTS} redirects")

    @contextmanager
    def _request(
        self, method: str, url: str, headers: Mapping[str, str]
    ) -> Iterator[httpx.Response]:
        shown = redact_url(url)
        with _translated(shown, self._network.timeout):
            client = self._plain_client if urlsplit(url).scheme in _PLAIN else self._tls_client
            request = client.build_request(
                method,
                without_userinfo(url),
                headers=dict(headers),
                extensions={"trace": self._trace},
            )
            response = client.send(request, stream=True, auth=None)
        try:
            yield response
        finally:
            response.close()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of each connection as httpcore makes it, and of what TLS makes of that."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            connection = info["return_value"].get_extra_info("socket")
            with self._lock:
                self._sockets.add(connection)
                if self._closed:
                    _shut(connection)

    def _redirected(self, url: str, location: str) -> str:
        try:
            target = without_userinfo(urljoin(without_userinfo(url), location))
        except ValueError:
            raise Unreachable(redact_url(url), "it redirects to what is not a URL") from None
        if urlsplit(target).scheme not in {"http", "https"}:
            raise Unreachable(redact_url(url), f"it redirects to {redact_url(target)}")
        return target

    @cached_property
    def _plain_client(self) -> httpx.Client:
        # An empty TLS context costs nothing; the real one takes tens of milliseconds.
        return self._client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    @cached_property
    def _tls_client(self) -> httpx.Client:
        # Not needed, and slow to import, where everything is plain http on the own machine.
        import truststore  # noqa: PLC0415

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for bundle in (self._network.ca_bundle, self._environ.get("SSL_CERT_FILE")):
            if bundle:
                _trust(context, bundle)
        return self._client(context)

    def _client(self, context: ssl.SSLContext) -> httpx.Client:
        return httpx.Client(
            verify=context,
            timeout=self._network.timeout,
            follow_redirects=False,
            headers={"User-Agent": f"uv-self-update/{__version__}"},
        )


def _shut(connection: socket.socket) -> None:
    # To close it would not wake the thread that waits for it.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _trust(context: ssl.SSLContext, bundle: str | Path) -> None:
    try:
        context.load_verify_locations(cafile=bundle)
    except OSError as error:
        message = f"the certificates in {bundle} cannot be used: {error}"
        raise OSError(message) from error


def _size_of(response: httpx.Response) -> int | None:
    """Return the length of a body in bytes, where the server says so."""
    length = response.headers.get("content-length", "")
    # A body that comes in chunks is as long as they are (RFC 9112 section 6.3).
    if "transfer-encoding" in response.headers or not length.isdecimal():
        return None
    return int(length)


def _links_of(response: httpx.Response) -> dict[str, str]:
    links = {}
    for relation, link in response.links.items():
        # What is not a URL leads nowhere.
        with suppress(ValueError):
            links[str(relation)] = urljoin(str(response.url), link["url"])
    return links


@contextmanager
def _open_file(url: str, limit: int) -> Iterator[Download]:
    path = _path_of(url)
    with _translated(url, 0):
        try:
            file = path.open("rb")
        except (FileNotFoundError, NotADirectoryError) as error:
            # The same as a server that does not have it: some files need not be there.
            raise StatusRefused(url, _NOT_FOUND, "(no such file)") from error
    with file:
        size = path.stat().st_size
        if size > limit:
            raise TooLarge(url, limit)
        yield Download(url=url, size=size, chunks=_file_chunks(file, url, size))


def _path_of(url: str) -> Path:
    parts = urlsplit(url)
    host = "" if parts.netloc in {"", "localhost"} else f"//{parts.netloc}"
    return Path(url2pathname(host + parts.path))


def _file_chunks(file: BinaryIO, url: str, size: int) -> Iterator[bytes]:
    with _translated(url, 0, received=file.tell, expected=size):
        while chunk := file.read(_CHUNK):
            yield chunk


@contextmanager
def _translated(
    shown: str,
    timeout: float,
    *,
    received: Callable[[], int] | None = None,
    expected: int | None = None,
) -> Iterator[None]:
    """Turn httpx's errors into ours, while connecting or (with `received`) while reading."""
    try:
        yield
    except (httpx.InvalidURL, ValueError) as error:
        # What these say may quote a login that stands in the URL.
        raise Unreachable(shown, "this is not a URL") from error
    except _FAILURES as error:
        reason = _reason(error, timeout)
        if received is not None:
            raise Interrupted(shown, received(), expected, reason) from error
        raise Unreachable(shown, reason) from error


def _reason(error: Exception, timeout: float) -> str:
    if isinstance(error, (httpx.TimeoutException, httpcore.TimeoutException)):
        return f"nothing came for {timeout:g} seconds"
    # The system's words without the number that Python puts before them.
    return re.sub(r"^\[Errno -?\d+\] ", "", redact(str(error))) or type(error).__name__
