"""One request and what comes for it: redirects, logins, proxies, and what went wrong.

The only module with httpx. Redirects are followed here rather than by httpx, which keeps custom
headers when the origin changes: a credential goes to the origin it was given for, and to no other.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import sys
import threading
import time
from functools import cached_property
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urljoin, urlsplit

import httpcore
import httpx

from uv_self_update import __version__
from uv_self_update.auth.credentials import origin_of, without_userinfo
from uv_self_update.errors import (
    TRANSIENT,
    Interrupted,
    ProxyRefused,
    TlsError,
    TooLarge,
    Unreachable,
    phrase_of,
)
from uv_self_update.network.connections import Failure, MinimumThroughput, TooSlow, Wire
from uv_self_update.network.proxies import Proxies
from uv_self_update.network.ranges import length_of
from uv_self_update.network.redirects import redirected
from uv_self_update.network.tls import Trust
from uv_self_update.network.tls_errors import explained
from uv_self_update.redaction import redact, redact_url
from uv_self_update.uv import configuration as uv_toml

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from uv_self_update.auth.credentials import Credentials
    from uv_self_update.config.settings import Network
    from uv_self_update.errors import UpstreamError
    from uv_self_update.network.proxies import Proxy
    from uv_self_update.uv.configuration import UvToml


_log = logging.getLogger(__name__)

_LARGE = 1 << 20
_SHORT = "the server closed the connection"
_FAILURES = (
    httpx.HTTPError,
    httpx.StreamError,
    *Failure,
    OSError,  # those of TLS among them
    ImportError,  # of what it takes to go through a SOCKS proxy
)
_REDIRECTS = {301, 302, 303, 307, 308}
_MAX_REDIRECTS = 10
_ASKS_FOR_LOGIN = {401, 403, 404, 429}
"""What servers answer where a login could help: 404 is that of private things, too."""

_PROXY_LOGIN = 407
_SOCKS_LOGIN = re.compile(r"Invalid username/password|^Requested .+ from proxy server, but got")
"""What httpcore says where a SOCKS proxy does not let us in without a login, or with this one."""

_OWN_ANSWER = "x-squid-error"
"""Of an answer to plain http, the header tells whether it is squid's own."""

_UNKNOWN_TO_PROXY = (
    "It may not know this host, or not let you reach it. Hosts that need no proxy are for NO_PROXY."
)
_SCHEMES = {"basic", "bearer", "digest", "kerberos", "negotiate", "ntlm", "scram-sha-256"}
_ENCODINGS = {"", "identity", "gzip"}


class Exchange:
    """Sends requests: what all sources share."""

    def __init__(self, network: Network, *, environ: Mapping[str, str]) -> None:
        """Prepare, without connecting to anything."""
        self._network = network
        self._environ = environ
        self._wire = Wire(network)
        self._lock = threading.Lock()
        self._clients: dict[tuple[ssl.SSLContext | None, Proxy | None], httpx.Client] = {}

    def follow(
        self, method: str, url: str, headers: Mapping[str, str], credentials: Credentials
    ) -> Response:
        """Follow redirects to an answer of any other status, its body still unread.

        The credentials go to the origin that was asked first, and are dropped for good with the
        first redirect to another: not even one that has a login of its own gets it that way, since
        it was not asked by the person but by a server. The client certificate is one of them.

        Raises:
            UpstreamError: No answer came; the leaf says why.
        """
        try:
            origin, own = origin_of(url), credentials.names(url)
            login = credentials.headers_for(url)
        except ValueError:
            raise Unreachable(redact_url(url), "this is not a URL") from None
        for _ in range(_MAX_REDIRECTS + 1):
            reply = self._send(method, url, {**headers, **login}, identified=own)
            if own and not login and reply.status in _ASKS_FOR_LOGIN:
                login = credentials.ask(url) or {}
                if login:
                    reply.close()
                    reply = self._send(method, url, {**headers, **login}, identified=own)
            reply.login = credentials.place_for(url) if login else None
            with_login = f" (login: {reply.login})" if reply.login else ""
            _log.debug(
                "%s %s answers %d%s%s",
                method,
                redact_url(url),
                reply.status,
                with_login,
                reply.way_out,
            )
            location = reply.headers.get("location")
            if reply.status not in _REDIRECTS or location is None:
                return reply
            reply.close()
            url = redirected(url, location)
            if origin_of(url) != origin:
                login, own = {}, False
        raise Unreachable(redact_url(url), f"more than {_MAX_REDIRECTS} redirects")

    def wait(self, seconds: float) -> bool:
        """Wait for a time, and return whether it has passed; False if the end came first."""
        return self._wire.wait(seconds)

    def close(self) -> None:
        """Close every connection; whoever waits for one, in any thread, waits no longer."""
        self._wire.close()
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], *, identified: bool
    ) -> Response:
        shown = redact_url(url)
        bare = without_userinfo(url)
        proxy = self._proxies.for_url(bare)
        way = _Way(url=url, proxy=proxy, network=self._network, identified=identified)
        try:
            client = self._client(bare, proxy, identified=identified)
            request = client.build_request(
                method, bare, headers=dict(headers), extensions={"trace": way.listen}
            )
            with self._wire.answer_due():
                response = client.send(request, stream=True, auth=None)
        except (httpx.InvalidURL, UnicodeError, ValueError):
            # What these say may quote a login that stands in the URL.
            raise Unreachable(shown, "this is not a URL") from None
        except Exception as error:
            if self._wire.closed:
                raise Unreachable(shown, "interrupted") from None
            if not isinstance(error, (*_FAILURES, *_failures_of_socks())):
                raise
            # The causes may quote what a server has sent, and with it what it was sent.
            raise way.failure(error) from None
        if response.status_code == _PROXY_LOGIN and proxy is not None and bare.startswith("http:"):
            response.close()
            raise way.login_due(response.headers.get_list("proxy-authenticate"))
        if proxy is not None and bare.startswith("http:") and _OWN_ANSWER in response.headers:
            response.close()
            raise way.turned_down(response.status_code)
        return Response(response, way)

    def _client(self, url: str, proxy: Proxy | None, *, identified: bool) -> httpx.Client:
        encrypted = urlsplit(url).scheme == "https"
        tls = self._trust.context_for(url, identified=identified) if encrypted else None
        with self._lock:
            client = self._clients.get((tls, proxy))
            if client is None:
                client = self._clients[tls, proxy] = self._made(tls, proxy)
            return client

    def _made(self, tls: ssl.SSLContext | None, proxy: Proxy | None) -> httpx.Client:
        way_out = None if proxy is None else self._way_out(proxy.url)
        return httpx.Client(
            transport=_Transport(self._wire.pool(tls, proxy=way_out)),
            # A session is a credential too, and cookies know no ports (RFC 6265 section 8.5).
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(
                self._network.timeout, connect=self._network.connect_timeout, pool=None
            ),
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": f"uv-self-update/{__version__}"},
        )

    def _way_out(self, url: str) -> httpcore.Proxy:
        parts = urlsplit(url)
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        login = (unquote_to_bytes(user), unquote_to_bytes(password)) if user or password else None
        tls = self._trust.context_for(url, identified=False) if parts.scheme == "https" else None
        return httpcore.Proxy(without_userinfo(url), auth=login, ssl_context=tls)

    @cached_property
    def _uv_toml(self) -> UvToml:
        return uv_toml.read(self._environ, windows=os.name == "nt")

    @cached_property
    def _proxies(self) -> Proxies:
        return Proxies.collect(self._environ, self._uv_toml)

    @cached_property
    def _trust(self) -> Trust:
        return Trust(self._network, environ=self._environ, insecure=self._uv_toml.insecure_hosts)


class Response:
    """An answer, whose body is still to be read, and which has to be closed."""

    def __init__(self, response: httpx.Response, way: _Way) -> None:
        """Keep the answer, and how it came."""
        self.url = redact_url(str(response.url))
        """Where it comes from in the end, as it may be shown."""

        self.asked = way.shown
        """What was asked for, as it may be shown: that there was a login is seen here."""

        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.login: str | None = None
        """Where the login came from that the request carried; None if it carried none."""

        self.way_out = way.out
        """The proxy that it came through, as the end of a message."""

        self._response = response
        self._way = way

    @property
    def links(self) -> dict[str, str]:
        """The `Link` header: relation -> absolute URL."""
        links = {}
        for relation, link in self._response.links.items():
            try:
                links[str(relation)] = urljoin(str(self._response.url), link["url"])
            except ValueError:
                continue  # what is not a URL leads nowhere
        return links

    def decoded(self, limit: int) -> Iterator[bytes]:
        """Read the body without its content coding; at most `limit` bytes.

        Raises:
            UpstreamError: It breaks off, is larger, or is coded in a way that was not asked for.
        """
        encoding = self.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in _ENCODINGS:
            # Encoded twice, a few bytes can be any number, before a limit could be looked at.
            raise Unreachable(self.url, "it is encoded in a way that was not asked for")
        return self._limited(self._response.iter_bytes(), limit, None)

    def raw(self, limit: int) -> Iterator[bytes]:
        """Read the body as it was sent; at most `limit` bytes.

        Raises:
            UpstreamError: It breaks off, or is larger.
        """
        size = length_of(self.headers)
        return self._limited(self._pieces(size), limit, size)

    def close(self) -> None:
        """Read no further."""
        self._response.close()

    def _limited(
        self, pieces: Iterator[bytes], limit: int, expected: int | None
    ) -> Iterator[bytes]:
        count, begin = 0, time.monotonic()
        pace = MinimumThroughput(self._way.network.timeout)
        try:
            for piece in pieces:
                # What is read is one thing, and what is in it another: a chunk can be all head.
                pace.count(time.monotonic() - begin, len(piece))
                count += len(piece)
                if count > limit:
                    raise TooLarge(self.url, limit)
                yield piece
                begin = time.monotonic()
        except _FAILURES as error:
            failure = self._way.failure(error)
            if isinstance(failure, TlsError):
                raise failure from None
            raise Interrupted(self.url, count, expected, self._way.reason(error)) from None

    def _pieces(self, size: int | None) -> Iterator[bytes]:
        """Return a body as it comes, in large pieces if it is large and its length known.

        httpcore reads 64 KiB at a time, and h11 copies them thrice. Of a body with a known length
        nothing is left to parse after the first piece, so the rest is read past both of them.
        """
        pieces = self._response.iter_raw()
        connection = self._response.extensions.get("network_stream")
        if size is None or size < _LARGE or connection is None:
            yield from pieces
            return
        first = next(pieces, b"")
        yield first
        left = size - len(first)
        while left > 0:
            piece = connection.read(min(left, _LARGE), self._way.network.timeout)
            if not piece:
                raise httpx.RemoteProtocolError(_SHORT)
            left -= len(piece)
            yield piece


class _Way:
    """How one request goes, and what it means when it does not get through."""

    def __init__(
        self, *, url: str, proxy: Proxy | None, network: Network, identified: bool
    ) -> None:
        self.network = network
        self._url = url
        self.shown = redact_url(url)
        self._proxy = proxy
        self._identified = identified
        self._offered: list[str] = []
        self._stopped_at_proxy = False

    @property
    def out(self) -> str:
        """Name the proxy, if there is one, as the end of a message."""
        return f" (proxy: {self._proxy.shown})" if self._proxy is not None else ""

    def listen(self, event: str, info: Mapping[str, Any]) -> None:
        """Take note of how a proxy wants to be logged in to: httpx does not hand that on."""
        if event == "connection.start_tls.failed":
            # The first hop alone is called so; in a tunnel, it is `proxy.start_tls`.
            self._stopped_at_proxy = True
        if event.endswith(".receive_response_headers.complete"):
            _, status, _, headers = info["return_value"][:4]
            if status == _PROXY_LOGIN:
                self._offered = [
                    value.decode(errors="replace")
                    for name, value in headers
                    if name.lower() == b"proxy-authenticate"
                ]

    def failure(self, error: Exception) -> UpstreamError:
        """Say what has failed."""
        refused = None if self._proxy is None else self._failure_of(self._proxy, error)
        if refused is not None:
            return refused
        distrusted = explained(error, self._url, identified=self._identified)
        if distrusted is not None:
            return distrusted
        return Unreachable(self.shown, self.reason(error), passing=_passing(error))

    def _failure_of(self, proxy: Proxy, error: Exception) -> ProxyRefused | None:
        """Say what has failed at the proxy; None if it was behind it."""
        if self._stopped_at_proxy:
            distrusted = explained(error, proxy.url, identified=False)
            if distrusted is not None:
                return self._refused(distrusted.message, distrusted.hint or "")
        if isinstance(error, (httpx.ProxyError, ImportError, *_failures_of_socks())):
            return self._refusal_of(error)
        if not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            return None
        if explained(error, self._url, identified=self._identified) is not None:
            return None
        hint = "Is that the right proxy? Hosts that need none stand in NO_PROXY."
        return self._refused(self.reason(error), hint, passing=_passing(error))

    def _refusal_of(self, error: Exception) -> ProxyRefused:
        """Say why a proxy lets nobody through."""
        words = str(error)
        if isinstance(error, ImportError):
            hint = "Install it: `uv tool install 'uv-self-update[socks]'`."
            return self._refused("what it takes for SOCKS is not installed", hint)
        if isinstance(error, _failures_of_socks()):
            hint = "Is it a SOCKS 5 proxy, and are host name and login shorter than 256 bytes?"
            return self._refused("it does not answer as a SOCKS 5 proxy does", hint)
        if words.startswith(str(_PROXY_LOGIN)):
            return self.login_due(self._offered)
        if _SOCKS_LOGIN.search(words):
            return self.login_due([], status="")
        status = words.partition(" ")[0]
        if status.isdecimal():
            return self.turned_down(int(status))
        return self._refused(self.reason(error), _UNKNOWN_TO_PROXY)

    def turned_down(self, status: int) -> ProxyRefused:
        """Say that the proxy does not hand a request on, or gets no answer."""
        reason = f"it answers: {status} {phrase_of(status)}".rstrip()
        return self._refused(reason, _UNKNOWN_TO_PROXY, passing=status in TRANSIENT)

    def login_due(self, offered: list[str], *, status: str = f"{_PROXY_LOGIN}, ") -> ProxyRefused:
        """Say that the proxy asks for a login."""
        if self._proxy is None:
            raise AssertionError
        named = [challenge.partition(" ")[0] for challenge in offered if challenge]
        schemes = [name if name.lower() in _SCHEMES else "another scheme" for name in named]
        has_login = "@" in urlsplit(self._proxy.url).netloc
        words = "it does not accept this login" if has_login else "it asks for a login"
        hint = f"Put `user:password@` into {self._proxy.origin}; `@` is written %40, `:` %3A."
        if schemes and "basic" not in map(str.lower, schemes):
            hint = (
                f"It takes {', '.join(schemes)}, which is not spoken here: a local proxy that "
                "logs in for you, such as px or cntlm, does."
            )
        return self._refused(f"{status}{words}", hint)

    def reason(self, error: Exception) -> str:
        """Say it in a few words."""
        if isinstance(error.__cause__, TooSlow) or isinstance(error, TooSlow):
            return str(error)
        if isinstance(error, httpx.ConnectTimeout):
            return f"no connection within {self.network.connect_timeout:g} seconds"
        if isinstance(error, (httpx.TimeoutException, httpcore.TimeoutException)):
            return f"nothing came for {self.network.timeout:g} seconds"
        if isinstance(error, httpx.LocalProtocolError):
            return "the request cannot be sent: check the login"  # it says which, in clear
        # The system's words without the number that Python puts before them.
        words = re.sub(r"^\[Errno -?\d+\] ", "", redact(str(error)))
        # h11 quotes what a server has sent.
        return re.split(r":? ?\(?(?:bytearray\()?b['\"]", words)[0] or type(error).__name__

    def _refused(self, reason: str, hint: str, *, passing: bool = False) -> ProxyRefused:
        if self._proxy is None:
            raise AssertionError
        return ProxyRefused(self.shown, self._proxy.shown, reason, hint=hint, passing=passing)


class _Transport(httpx.HTTPTransport):
    """Sends httpx's requests through connections that are made elsewhere."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        # Nothing of the other's own: it would make a pool of its own.
        self._pool = pool


def _failures_of_socks() -> tuple[type[Exception], ...]:
    """Return what can go wrong with SOCKS beside all else, where that is spoken at all."""
    socksio = sys.modules.get("socksio")
    # OverflowError: of a length that has to fit into a byte.
    if socksio is None:
        return ()
    failures: tuple[type[Exception], ...] = (socksio.SOCKSError, OverflowError)
    return failures


def _passing(error: Exception) -> bool:
    """Return whether a failed request may succeed when it is sent again.

    A name that does not exist will not; a host that has not answered for seconds has been asked
    several times already, by the operating system.
    """
    if isinstance(error, (httpx.ConnectTimeout, httpx.LocalProtocolError, ImportError)):
        return False
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return cause.errno == socket.EAI_AGAIN
        cause = cause.__cause__ or cause.__context__
    return isinstance(error, (httpx.TransportError, *Failure, OSError))
