"""The one HTTP client that leaves the machine.

Redirects are followed here rather than by httpx, which keeps custom headers when the origin
changes: a credential goes to the origin it was given for and to no other. Bodies of files are
handed on raw, since some servers label a `.tar.gz` as `Content-Encoding: gzip` and a client that
believes them hands out something else than was published.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import ssl
import stat
import threading
import time
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote_to_bytes, urljoin, urlsplit, urlunsplit
from urllib.request import url2pathname
from weakref import WeakSet

import httpcore
import httpx

from uv_self_update import __version__
from uv_self_update.credentials import origin_of, without_userinfo
from uv_self_update.errors import (
    Interrupted,
    RateLimited,
    StatusRefused,
    TooLarge,
    Unreachable,
)
from uv_self_update.release import utc
from uv_self_update.secret import redact, redact_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uv_self_update.credentials import Credentials
    from uv_self_update.settings import Network

__all__ = ("Answer", "Document", "Download", "Upstream", "path_of_url")

_LARGEST_DOCUMENT = 32 << 20  # bytes; a page of 100 of uv's releases is about 4 MiB of JSON
_LARGEST_LOOK = 1 << 20  # bytes of an answer that is examined
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
    ImportError,  # of what it takes to go through a SOCKS proxy
)
_REDIRECTS = {301, 302, 303, 307, 308}
_MAX_REDIRECTS = 10
_LIMITED = {403, 429}
_LONGEST_LINE = 4 << 20  # bytes; one of uv.ndjson has less than 5,000
_OK = 200
_NOT_FOUND = 404
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)  # not on Windows
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

    sha256: str | None = None
    """The digest that the server, or a file beside it, gives for it: 64 lower-case digits."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came for a request, whatever its status."""

    url: str
    """Where it came from in the end, as it may be shown."""

    status: int

    headers: Mapping[str, str]
    """Names in lower case -> values."""

    body: bytes
    """The start of it, decoded."""


class Upstream:
    """Reads URLs: `http`, `https` and `file`."""

    def __init__(
        self, network: Network, credentials: Credentials, *, environ: Mapping[str, str]
    ) -> None:
        """Prepare, without connecting to anything."""
        self._network = network
        self._credentials = credentials
        self._connections = _Connections(network, environ)

    def logged_in(self, credentials: Credentials) -> Upstream:
        """Return the same client with other credentials: what one source sends no other does."""
        client = copy(self)
        client._credentials = credentials  # noqa: SLF001 # it is one of us
        return client

    def has_login(self, url: str) -> bool:
        """Return whether a request for `url` carries a credential."""
        return bool(self._credentials.headers_for(url))

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
            body = b"".join(self._decoded(response, shown, limit))
            media_type = response.headers.get("content-type", "").partition(";")[0]
            return Document(
                url=shown,
                content_type=media_type.strip().lower(),
                body=body,
                links=_links_of(response),
            )

    @contextmanager
    def lines(self, url: str, *, limit: int = _LARGEST_DOCUMENT) -> Iterator[Iterator[bytes]]:
        """Read a document line by line, as it comes; none is longer than `limit` bytes.

        Raises:
            UpstreamError: It cannot be had; the leaf says why. Also while it is being read.
        """
        if urlsplit(url).scheme == "file":
            with _open_file(url, limit) as download:
                yield _lines(download.chunks, download.url)
            return
        headers = {"Accept": "*/*", "Accept-Encoding": "gzip"}
        with self._exchange("GET", url, headers) as response:
            shown = redact_url(str(response.url))
            yield _lines(self._decoded(response, shown, limit), shown)

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
                url=shown,
                size=size,
                chunks=self._raw_chunks(response, shown, size, limit),
                sha256=_digest_of(response),
            )

    def look(self, url: str, *, accept: str = "*/*") -> Answer:
        """Return what comes for a `GET`, also where that is an error, to be examined.

        Raises:
            UpstreamError: No answer came.
        """
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        with self._follow("GET", url, headers) as (shown, response):
            body = bytearray()
            for chunk in self._decoded(response, shown, _LARGEST_DOCUMENT):
                body += chunk
                if len(body) > _LARGEST_LOOK:
                    break
            return Answer(
                url=shown,
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=bytes(body[:_LARGEST_LOOK]),
            )

    def status(self, url: str) -> int:
        """Return the status of a `HEAD` request, after redirects; 200 for a file that exists.

        Raises:
            Unreachable: No answer came.
        """
        if urlsplit(url).scheme == "file":
            return _OK if path_of_url(url).is_file() else _NOT_FOUND
        try:
            with self._exchange("HEAD", url, {}) as response:
                return response.status_code
        except StatusRefused as error:
            return error.status

    def close(self) -> None:
        """Close every connection; whoever waits for one, in any thread, waits no longer."""
        self._connections.close()

    def _decoded(self, response: httpx.Response, shown: str, limit: int) -> Iterator[bytes]:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in _ENCODINGS:
            # Encoded twice, a few bytes can be any number, before a limit could be looked at.
            raise Unreachable(shown, f"it is encoded as `{encoding}`, which was not asked for")
        count = 0
        with _translated(shown, self._network.timeout, received=lambda: count):
            for chunk in response.iter_bytes():
                count += len(chunk)
                if count > limit:
                    raise TooLarge(shown, limit)
                yield chunk

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
        """Follow redirects to a response with status 200, its body still unread."""
        with self._follow(method, url, headers) as (shown, response):
            if response.status_code != _OK:
                raise _refusal(shown, response)
            yield response

    @contextmanager
    def _follow(
        self, method: str, url: str, headers: Mapping[str, str]
    ) -> Iterator[tuple[str, httpx.Response]]:
        """Follow redirects to a response of any other status, its body still unread.

        With it comes the URL that it was asked for, as it may be shown.

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
                    yield redact_url(url), response
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
            response = self._connections.send(method, without_userinfo(url), headers)
        try:
            yield response
        finally:
            response.close()

    def _redirected(self, url: str, location: str) -> str:
        try:
            target = without_userinfo(urljoin(without_userinfo(url), location))
            before, after = urlsplit(without_userinfo(url)), urlsplit(target)
            own = after.port is None or after.path == f"{before.path}/"
        except ValueError:
            raise Unreachable(redact_url(url), "it redirects to what is not a URL") from None
        if after.scheme not in {"http", "https"}:
            raise Unreachable(redact_url(url), f"it redirects to {redact_url(target)}")
        downgraded = (before.scheme, after.scheme) == ("https", "http")
        if downgraded and own and before.hostname == after.hostname:
            # A server whose TLS is ended by another does not know of it, and names its own port.
            return urlunsplit(after._replace(scheme="https", netloc=before.netloc))
        return target


class _Connections:
    """What all sources share: the two clients of httpx, and what it takes to end them."""

    def __init__(self, network: Network, environ: Mapping[str, str]) -> None:
        self._network = network
        self._environ = environ
        self._lock = threading.Lock()
        self._closed = False
        self._sockets: WeakSet[socket.socket] = WeakSet()

    def send(self, method: str, url: str, headers: Mapping[str, str]) -> httpx.Response:
        """Send a request; the body of the response is still to be read."""
        client = self._plain_client if urlsplit(url).scheme in _PLAIN else self._tls_client
        request = client.build_request(
            method, url, headers=dict(headers), extensions={"trace": self._trace}
        )
        return client.send(request, stream=True, auth=None)

    def close(self) -> None:
        """Close every connection; see Upstream."""
        with self._lock:
            self._closed = True
            for connection in self._sockets:
                _shut(connection)
        for name in ("_plain_client", "_tls_client"):
            client = self.__dict__.pop(name, None)
            if client is not None:
                client.close()

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of each connection as httpcore makes it, and of what TLS makes of that."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            connection = info["return_value"].get_extra_info("socket")
            with self._lock:
                self._sockets.add(connection)
                if self._closed:
                    _shut(connection)

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
            # A session is a credential too, and cookies know no ports (RFC 6265 section 8.5).
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
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


def _refusal(shown: str, response: httpx.Response) -> StatusRefused:
    """Return what a status other than 200 means."""
    status, headers = response.status_code, response.headers
    exhausted = headers.get("x-ratelimit-remaining") == "0"
    if status in _LIMITED and (exhausted or "retry-after" in headers):
        after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
        until = None
        if after.isdecimal():
            until = utc(time.time() + float(after[:9]))
        elif reset.isdecimal():
            until = utc(float(reset[:12]))
        return RateLimited(shown, status, until=until)
    return StatusRefused(shown, status, response.reason_phrase)


def _digest_of(response: httpx.Response) -> str | None:
    """Return the digest that Artifactory and GitLab send with a file."""
    digest = response.headers.get("x-checksum-sha256", "").strip().lower()
    return digest if re.fullmatch(r"[0-9a-f]{64}", digest) else None


def _lines(chunks: Iterator[bytes], shown: str) -> Iterator[bytes]:
    pending: list[bytes] = []
    size = 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        pending.append(first)
        size += len(first)
        for line in others:
            yield b"".join(pending)
            pending, size = [line], len(line)
        if size > _LONGEST_LINE:
            raise TooLarge(shown, _LONGEST_LINE)
    yield b"".join(pending)


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
    path = path_of_url(url)
    with _translated(url, 0):
        try:
            # What is no file, such as a pipe, is not waited for.
            file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NONBLOCK))  # noqa: SIM115 # see `with` below
        except (FileNotFoundError, NotADirectoryError) as error:
            # The same as a server that does not have it: some files need not be there.
            raise StatusRefused(url, _NOT_FOUND, "(no such file)") from error
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise Unreachable(url, "it is no regular file")
        if status.st_size > limit:
            raise TooLarge(url, limit)
        chunks = _file_chunks(file, url, status.st_size)
        yield Download(url=url, size=status.st_size, chunks=chunks)


def path_of_url(url: str) -> Path:
    """Return the file that a `file://` URL names; a host in it is that of a share."""
    parts = urlsplit(url)
    host = "" if parts.netloc in {"", "localhost"} else f"//{parts.netloc}"
    if os.name == "nt":
        return Path(url2pathname(host + parts.path))
    # Names are bytes here, which need not be UTF-8.
    return Path(os.fsdecode(unquote_to_bytes(host + parts.path)))


def _file_chunks(file: BinaryIO, url: str, size: int) -> Iterator[bytes]:
    left = size
    with _translated(url, 0, received=file.tell, expected=size):
        # No more than it had: it may grow while it is read.
        while chunk := file.read(min(left, _CHUNK)):
            left -= len(chunk)
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
    if isinstance(error, httpx.LocalProtocolError):
        return "the request cannot be sent: check the login"  # it says which, in clear
    # The system's words without the number that Python puts before them.
    return re.sub(r"^\[Errno -?\d+\] ", "", redact(str(error))) or type(error).__name__
