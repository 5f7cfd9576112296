"""One request and its response: redirects, credentials, proxies, and the causes of failures.

The only module that imports httpx. Redirects are followed here, because httpx keeps custom headers
when the origin changes: credentials are sent to the origin that they are for, and to no other.
"""

from __future__ import annotations

import logging
import re
import threading
from contextlib import suppress
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote_to_bytes, urljoin

import httpcore
import httpx

from uv_self_update import __version__
from uv_self_update.errors import RedirectRefused, Unreachable, UpstreamError
from uv_self_update.network.body import Body
from uv_self_update.network.connections import LocalAddress, Wire
from uv_self_update.network.limits import DEFAULTS, Limits
from uv_self_update.network.ranges import length_of
from uv_self_update.network.redirects import is_local, redirected
from uv_self_update.network.route import FAILURES, Route, failures_of_socks
from uv_self_update.redaction import redact_parts
from uv_self_update.values import frozen

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from uv_self_update.auth.credentials import Credentials
    from uv_self_update.network.access import Access
    from uv_self_update.network.proxies import Proxy
    from uv_self_update.url import Url


_log = logging.getLogger(__name__)

_DRAINED = 16 << 10  # bytes of a body that is read for nothing
_FAILURES = (
    httpx.HTTPError,  # also of an invalid `Location`, although redirects are not followed by httpx
    httpx.StreamError,
    *FAILURES,
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


class Exchange:
    """Sends requests over the connections that all sources share."""

    def __init__(self, access: Access, limits: Limits = DEFAULTS) -> None:
        self._access = access
        self._network = access.network
        self._limits = limits
        self._wire = Wire(access.network, limits, preconnection=access.preconnection)
        self._lock = threading.Lock()
        self._clients: dict[tuple[ssl.SSLContext | None, Proxy | None], httpx.Client] = {}

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
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

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
            headers: The headers in addition to those of httpx.
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
            client = self._client(url, proxy, identified=identified)
            request = client.build_request(
                method, url.wire, headers=dict(headers), extensions={"trace": route.listen}
            )
            # Through a proxy, the connection is to the proxy.
            remote = sender is not None and proxy is None
            with self._wire.limited(remote=remote):
                response = client.send(request, stream=True, auth=None)
        except (httpx.InvalidURL, UnicodeError, ValueError):
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
        if proxy is not None and url.scheme == "http":
            if response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                response.close()
                raise route.unauthorized()
            if _SQUID_ERROR in response.headers:
                response.close()
                raise route.refused(response.status_code)
        return Response(response, route)

    def _client(self, url: Url, proxy: Proxy | None, *, identified: bool) -> httpx.Client:
        encrypted = url.scheme == "https"
        tls = self._access.trust.context_for(url, identified=identified) if encrypted else None
        with self._lock:
            client = self._clients.get((tls, proxy))
            if client is None:
                client = self._clients[tls, proxy] = self._made(tls, proxy)
            return client

    def _made(self, tls: ssl.SSLContext | None, proxy: Proxy | None) -> httpx.Client:
        through = None if proxy is None else self._proxy_of(proxy.url)
        return httpx.Client(
            transport=_Transport(self._wire.pool(tls, proxy=through)),
            # A session is a credential, but cookies ignore ports (RFC 6265 section 8.5).
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(
                self._network.timeout, connect=self._network.connect_timeout, pool=None
            ),
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": f"uv-self-update/{__version__}"},
        )

    def _proxy_of(self, url: Url) -> httpcore.Proxy:
        user, _, password = url.userinfo.partition(":")
        pair = (unquote_to_bytes(user), unquote_to_bytes(password)) if user or password else None
        tls = (
            self._access.trust.context_for(url, identified=False) if url.scheme == "https" else None
        )
        return httpcore.Proxy(url.wire, auth=pair, ssl_context=tls)


@frozen
class Target:
    """The target of a redirect."""

    url: Url
    sender: Response | None
    """The redirect of a remote server, whose target must not be local; None of a local one."""


class Response:
    """A response with an unread body; to be closed."""

    def __init__(self, response: httpx.Response, route: Route) -> None:
        self.url = _redacted(response.url)
        """The redacted URL after redirects."""

        self.requested = route.shown
        """The redacted URL of the request, with a mark for credentials in it."""

        self.status = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.login: str | None = None
        """The provider of the credentials of the request; None without any."""

        self.target: Target | None = None
        """Where it is from, after redirects."""

        self._connection = response.extensions.get("network_stream")
        self.body = Body(response.iter_raw, self._connection, self.headers, self.url, route)
        self._response = response
        self._route = route
        self._logged = False

    @property
    def local(self) -> bool:
        """Whether the server has a loopback or link-local address."""
        if is_local(self._response.url.host):
            return True
        if self._route.proxy_note or self._connection is None:
            return False  # the address is that of the proxy
        try:
            return is_local(self._connection.get_extra_info("server_addr")[0])
        except OSError:  # the server has closed the connection
            return False

    @property
    def links(self) -> dict[str, str]:
        """The `Link` header: relation -> absolute URL."""
        links = {}
        for relation, link in self._response.links.items():
            try:
                links[str(relation)] = urljoin(str(self._response.url), link["url"])
            except ValueError:
                continue  # an invalid URL
        return links

    @property
    def sha256(self) -> str | None:
        """The digest in the header of Artifactory and GitLab; None without one."""
        digest = self.headers.get("x-checksum-sha256", "").strip().lower()
        return digest if re.fullmatch(r"[0-9a-f]{64}", digest) else None

    def close(self) -> None:
        """Close the response.

        A short body, as redirects and refusals have, is read before: its connection can be used
        again then, which saves the round trips of another.
        """
        bodiless = self._response.request.method == "HEAD" or self.status in _BODILESS
        size = 0 if bodiless else length_of(self.headers)
        if size is not None and size <= _DRAINED and not self._response.is_stream_consumed:
            with suppress(*_FAILURES):
                for _ in self.body.pieces():
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
            self._response.request.method,
            self._route.shown,
            self.status,
            provider,
            self._route.proxy_note,
            f"{self.body.received:,}",
            f"{self._route.milliseconds:,.0f}",
        )


def _redacted(url: httpx.URL) -> str:
    """Return the redacted form of a URL that httpx has parsed, and normalized."""
    path, _, query = url.raw_path.decode("ascii").partition("?")
    return redact_parts(SplitResult(url.scheme, url.netloc.decode("ascii"), path, query, ""))


class _Transport(httpx.BaseTransport):
    """Sends the requests of httpx through a pool of httpcore, and raises the errors of that.

    `httpx.HTTPTransport` does not accept a pool, nor a network backend.
    """

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=target,
                headers=request.headers.raw,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """The body of a response of httpcore."""

    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()
