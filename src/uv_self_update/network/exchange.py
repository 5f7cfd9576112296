"""One request and its response: redirects, credentials, proxies, and the causes of failures.

httpcore sends each request as it is. Redirects are followed here, so that credentials are sent to
the origin that they are for, and to no other. No cookie is kept: a session is a credential, but
cookies ignore ports (RFC 6265 section 8.5).
"""

from __future__ import annotations

import logging
import re
import threading
import time
import zlib
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

import httpcore

from uv_self_update import __version__
from uv_self_update.errors import (
    Interrupted,
    RedirectRefused,
    TlsError,
    TooLarge,
    Unreachable,
    UpstreamError,
)
from uv_self_update.network.connections import (
    Failure,
    LocalAddress,
    MinimumThroughput,
    Wire,
)
from uv_self_update.network.limits import DEFAULTS, Limits
from uv_self_update.network.ranges import length_of
from uv_self_update.network.redirects import is_local, redirected
from uv_self_update.network.route import Route, failures_of_socks
from uv_self_update.redaction import redact_parts
from uv_self_update.url import DEFAULT_PORTS, without_userinfo
from uv_self_update.values import frozen

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator, Mapping

    from uv_self_update.auth.credentials import Credentials
    from uv_self_update.network.access import Access
    from uv_self_update.network.allowance import Allowance
    from uv_self_update.network.proxies import Proxy
    from uv_self_update.url import Url


_log = logging.getLogger(__name__)

_LARGE = 1 << 20  # bytes
_PIECE = 64 << 10  # bytes of decoded data
_DRAINED = 16 << 10  # bytes of a body that is read for nothing
_SHORT = "the server closed the connection"
_FAILURES = (
    *Failure,
    OSError,  # with those of TLS
    ImportError,  # of the package for SOCKS proxies
)
_REDIRECTS = {
    HTTPStatus.MOVED_PERMANENTLY,
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
    HTTPStatus.PERMANENT_REDIRECT,
}
_BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
_UNAUTHORIZED = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""The answers to requests without credentials; some servers hide private files behind 404."""

_SQUID_ERROR = "x-squid-error"
"""The header of a response to plain http that squid itself has generated."""

_ENCODINGS = {"", "identity", "gzip"}
_SAFE = "!$%&'()*+,/:;=?@[\\]^|~"
"""What is sent in a path or a query as it is; everything else is percent-encoded."""

_LINK = re.compile(r"""<([^<>]*)>[^<]*;\s*rel\s*=\s*["']?([^"';,\s]+)""", re.IGNORECASE)
"""A target and its relation in a `Link` header (RFC 8288 section 3)."""


class Exchange:
    """Sends requests over the connections that all sources share."""

    def __init__(self, access: Access, limits: Limits = DEFAULTS) -> None:
        self._access = access
        self._network = access.network
        self._limits = limits
        self._timeouts = {
            "connect": self._network.connect_timeout,
            "read": self._network.timeout,
            "write": self._network.timeout,
        }
        self._wire = Wire(access.network, limits, preconnection=access.preconnection)
        self._lock = threading.Lock()
        self._pools: dict[tuple[ssl.SSLContext | None, Proxy | None], httpcore.ConnectionPool] = {}

    def follow(
        self,
        method: str,
        url: Url,
        headers: Mapping[str, str],
        credentials: Credentials,
        *,
        examining: bool = False,
        begin: Target | None = None,
    ) -> Response:
        """Send a request, follow redirects, and return the response, its body unread.

        A redirect from a remote server to a local address is refused. With `examining`, it is the
        response: servers behind a proxy often believe that they are `localhost`.

        The credentials, and the client certificate, are for the origin of `url`. They are dropped
        for good with the first redirect to another origin, even one with credentials of its own:
        a server has chosen that origin, not the user.

        With `begin`, the request goes where an earlier one was redirected to; the credentials are
        for that origin then.

        Raises:
            UpstreamError: There was no response.
        """
        target, sender = (url, None) if begin is None else (begin.url, begin.sender)
        origin = target.origin
        own, secrets = credentials.names(origin), credentials.headers_of(method, target)
        for _ in range(self._limits.redirects + 1):
            reply = self._send(
                method, target, {**headers, **secrets}, identified=own, sender=sender
            )
            if own and not secrets and reply.status in _UNAUTHORIZED:
                secrets = credentials.ask(target.origin) or {}
                if secrets:
                    reply.close()
                    reply = self._send(
                        method, target, {**headers, **secrets}, identified=own, sender=sender
                    )
            reply.login = credentials.place_for(target.origin) if secrets else None
            location = reply.headers.get("location")
            if reply.status not in _REDIRECTS or location is None:
                reply.target = Target(url=target, sender=sender)
                return reply
            sender = None if reply.local else reply
            try:
                target = redirected(target, location)
                refused = sender is not None and is_local(target.host)
                if refused and examining:
                    return reply
            except UpstreamError:
                reply.close()
                raise
            reply.close()
            if refused:
                raise RedirectRefused(reply.url, str(target))
            if target.origin != origin:
                secrets, own = {}, False
        raise Unreachable(str(target), f"more than {self._limits.redirects} redirects")

    def wait(self, seconds: float) -> bool:
        """Wait, and return whether the time has passed; False if the connections were closed."""
        return self._wire.wait(seconds)

    def close(self) -> None:
        """Close every connection, which also ends the waits of other threads."""
        self._wire.close()
        self._access.close()
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.close()

    def _send(
        self,
        method: str,
        url: Url,
        headers: Mapping[str, str],
        *,
        identified: bool,
        sender: Response | None,
    ) -> Response:
        """Send one request.

        Args:
            method: GET or HEAD.
            url: The URL.
            headers: The headers in addition to `Host` and `User-Agent`.
            identified: Whether the client certificate may be presented.
            sender: The redirect of a remote server to this URL; None for a URL of the user.
        """
        proxy = self._access.proxies.for_url(url)
        route = Route(
            url=url,
            proxy=proxy,
            network=self._network,
            limits=self._limits,
            identified=identified,
        )
        try:
            sent = _as_sent(url)
            pool = self._pool(url, proxy, identified=identified)
            # Through a proxy, the connection is to the proxy.
            remote = sender is not None and proxy is None
            with self._wire.limited(remote=remote):
                response = pool.handle_request(self._request(method, sent, headers, route))
        except ValueError:
            # Their messages may quote credentials in the URL.
            raise Unreachable(str(url), "invalid URL") from None
        except Exception as error:
            if self._wire.closed:
                raise Unreachable(str(url), "interrupted") from None
            if not isinstance(error, (*_FAILURES, *failures_of_socks())):
                raise
            if sender is not None and isinstance(error, LocalAddress):
                raise RedirectRefused(sender.url, str(url)) from None
            # The causes may quote the response, and a response may repeat credentials.
            failure = route.failure(error)
            _log.debug("%s %s fails after %s ms", method, url, f"{route.milliseconds:,.0f}")
            raise failure from None
        reply = Response(response, method, sent, route)
        if proxy is not None and url.scheme == "http":
            if reply.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                response.close()
                raise route.unauthorized()
            if _SQUID_ERROR in reply.headers:
                response.close()
                raise route.refused(reply.status)
        return reply

    def _request(
        self, method: str, sent: SplitResult, headers: Mapping[str, str], route: Route
    ) -> httpcore.Request:
        own = {"Host": sent.netloc, "User-Agent": f"uv-self-update/{__version__}"}
        # A header that the user has configured replaces ours, in whatever case it is written.
        pairs = {name.lower(): (name, value) for name, value in {**own, **headers}.items()}
        return httpcore.Request(
            method,
            httpcore.URL(
                scheme=sent.scheme,
                host=sent.hostname or "",
                port=sent.port,
                target=f"{sent.path}?{sent.query}" if sent.query else sent.path,
            ),
            headers=[*pairs.values()],
            extensions={"timeout": self._timeouts, "trace": route.listen},
        )

    def _pool(self, url: Url, proxy: Proxy | None, *, identified: bool) -> httpcore.ConnectionPool:
        encrypted = url.scheme == "https"
        tls = self._access.trust.context_for(url.wire, identified=identified) if encrypted else None
        with self._lock:
            pool = self._pools.get((tls, proxy))
            if pool is None:
                through = None if proxy is None else self._proxy_of(proxy.url)
                pool = self._pools[tls, proxy] = self._wire.pool(tls, proxy=through)
            return pool

    def _proxy_of(self, url: str) -> httpcore.Proxy:
        parts = urlsplit(url)
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        pair = (unquote_to_bytes(user), unquote_to_bytes(password)) if user or password else None
        tls = (
            self._access.trust.context_for(url, identified=False)
            if parts.scheme == "https"
            else None
        )
        return httpcore.Proxy(without_userinfo(url), auth=pair, ssl_context=tls)


@frozen
class Target:
    """The target of a redirect."""

    url: Url
    sender: Response | None
    """The redirect of a remote server, whose target must not be local; None of a local one."""


class Response:
    """A response with an unread body; to be closed."""

    def __init__(
        self, response: httpcore.Response, method: str, sent: SplitResult, route: Route
    ) -> None:
        self.url = redact_parts(sent)
        """The redacted URL after redirects."""

        self.requested = route.shown
        """The redacted URL of the request, with a mark for credentials in it."""

        self.status = response.status
        self.headers = _joined(response.headers)
        self.login: str | None = None
        """The provider of the credentials of the request; None without any."""

        self.target: Target | None = None
        """Where it is from, after redirects."""

        self.proxy = route.proxy_note
        """The proxy, as the end of a message; empty without one."""

        self._response = response
        self._method = method
        self._sent = sent
        self._route = route
        self._begun = False
        self._read = 0
        self._logged = False

    @property
    def local(self) -> bool:
        """Whether the server has a loopback or link-local address."""
        if is_local(self._sent.hostname or ""):
            return True
        connection = self._response.extensions.get("network_stream")
        if self._route.proxy_note or connection is None:
            return False  # the address is that of the proxy
        try:
            return is_local(connection.get_extra_info("server_addr")[0])
        except OSError:  # the server has closed the connection
            return False

    @property
    def links(self) -> dict[str, str]:
        """The `Link` header: relation -> absolute URL."""
        links = {}
        for target, relation in _LINK.findall(self.headers.get("link", "")):
            try:
                links[relation] = urljoin(urlunsplit(self._sent), target)
            except ValueError:
                continue  # an invalid URL
        return links

    def decoded(self, limit: int, allowance: Allowance) -> Iterator[bytes]:
        """Read the body without its content coding, in pieces of limited size.

        Args:
            limit: Decoded bytes that the body may have.
            allowance: Counts the bytes, and the time.

        Raises:
            UpstreamError: The body is interrupted, too large, or has an unexpected content coding.
        """
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in _ENCODINGS:
            # With two codings, a few bytes expand to any number before a limit applies.
            raise Unreachable(self.url, "unexpected `Content-Encoding`")
        pieces = self._counted(self._stream())
        if encoding == "gzip":
            pieces = _gunzipped(pieces)
        return self._limited(pieces, limit, None, allowance)

    def raw(self, limit: int) -> Iterator[bytes]:
        """Read the body of at most `limit` bytes without decoding it.

        Raises:
            UpstreamError: The body is interrupted or too large.
        """
        size = length_of(self.headers)
        return self._limited(self._counted(self._pieces(size)), limit, size, None)

    def close(self) -> None:
        """Close the response.

        A short body, as redirects and refusals have, is read before: its connection can be used
        again then, which saves the round trips of another.
        """
        bodiless = self._method == "HEAD" or self.status in _BODILESS
        size = 0 if bodiless else length_of(self.headers)
        if size is not None and size <= _DRAINED and not self._begun:
            with suppress(*_FAILURES):
                for _ in self._counted(self._stream()):
                    pass
        self._response.close()
        self._log()

    def _log(self) -> None:
        """Log the request, once."""
        if self._logged:
            return
        self._logged = True
        provider = f" (credentials: {self.login})" if self.login else ""
        _log.debug(
            "%s %s answers %d%s%s: %s bytes, %s ms",
            self._method,
            self._route.shown,
            self.status,
            provider,
            self.proxy,
            f"{self._read:,}",
            f"{self._route.milliseconds:,.0f}",
        )

    def _stream(self) -> Iterator[bytes]:
        self._begun = True
        return self._response.iter_stream()

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._read += len(piece)
            yield piece

    def _limited(
        self,
        pieces: Iterator[bytes],
        limit: int,
        expected: int | None,
        allowance: Allowance | None,
    ) -> Iterator[bytes]:
        count, begin = 0, time.monotonic()
        throughput = MinimumThroughput(self._route.network.timeout, self._route.limits.throughput)
        try:
            for piece in pieces:
                # A server can send chunk headers without end, and hardly any data.
                waited = time.monotonic() - begin
                throughput.count(waited, len(piece))
                count += len(piece)
                if count > limit:
                    raise TooLarge(self.url, limit)
                if allowance is not None:
                    allowance.take(self.url, received=len(piece), waited=waited)
                yield piece
                begin = time.monotonic()
        except _FAILURES as error:
            failure = self._route.failure(error)
            if isinstance(failure, TlsError):
                raise failure from None
            raise Interrupted(self.url, count, expected, self._route.reason(error)) from None

    def _pieces(self, size: int | None) -> Iterator[bytes]:
        """Yield the body: in large pieces, if it is large and its length is known.

        httpcore reads 64 KiB at a time, and h11 copies each piece three times. After the first
        piece of a body of known length, nothing is left to parse: the rest is read from the stream
        (https://www.encode.io/httpcore/extensions/#network_stream).
        """
        pieces = self._stream()
        connection = self._response.extensions.get("network_stream")
        if size is None or size < _LARGE or connection is None:
            yield from pieces
            return
        first = next(pieces, b"")
        yield first
        left = size - len(first)
        while left > 0:
            piece = connection.read(min(left, _LARGE), self._route.network.timeout)
            if not piece:
                raise httpcore.RemoteProtocolError(_SHORT)
            left -= len(piece)
            yield piece


def _as_sent(url: Url) -> SplitResult:
    """Return a URL in ASCII, without a default port and a fragment.

    Raises:
        ValueError: The name of the host is invalid.
    """
    scheme, host, port = url.origin
    if not host.isprintable():
        raise ValueError(host)
    if not host.isascii():
        import idna  # noqa: PLC0415 # few names need it

        host = idna.encode(host).decode()
    netloc = f"[{host}]" if ":" in host else host
    if port != DEFAULT_PORTS[scheme]:
        netloc += f":{port}"
    texts = (url.parts.path or "/", url.parts.query)
    path, query = (quote(re.sub("%(?![0-9A-Fa-f]{2})", "%25", text), _SAFE) for text in texts)
    return SplitResult(scheme, netloc, path, query, "")


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return headers by their names in lower case; values of the same name are joined."""
    joined: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1").lower()
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        joined[name] = f"{joined[name]}, {text}" if name in joined else text
    return joined


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress a body in pieces of limited size.

    Raises:
        httpcore.RemoteProtocolError: The data is damaged or incomplete.
    """
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    empty = True
    try:
        for piece in pieces:
            empty = empty and not piece
            packed, unpacked = piece, b"?"
            while not inflater.eof and (packed or len(unpacked) == _PIECE):
                unpacked = inflater.decompress(packed, _PIECE)
                packed = inflater.unconsumed_tail
                if unpacked:
                    yield unpacked
    except zlib.error as error:
        raise httpcore.RemoteProtocolError(str(error)) from error
    if not (inflater.eof or empty):
        message = "the compressed data is incomplete"
        raise httpcore.RemoteProtocolError(message)
