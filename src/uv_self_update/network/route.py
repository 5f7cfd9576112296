"""The route of one request, direct or through a proxy, and the errors of what fails on it."""

from __future__ import annotations

import re
import socket
import sys
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpcore

from uv_self_update.errors import (
    TRANSIENT,
    ProxyRefused,
    Unreachable,
    UpstreamError,
    phrase_of,
)
from uv_self_update.network.connections import Failure, TooSlow
from uv_self_update.network.tls_errors import explained
from uv_self_update.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.settings import Network
    from uv_self_update.network.limits import Limits
    from uv_self_update.network.proxies import Proxy
    from uv_self_update.url import Url


FAILURES = (
    *Failure,
    OSError,  # with those of TLS
    ImportError,  # of the package for SOCKS proxies
)
"""The errors of a connection, except those of `failures_of_socks`."""

_SOCKS_REFUSALS = re.compile(r"Invalid username/password|^Requested .+ from proxy server, but got")
"""The messages of httpcore if a SOCKS proxy requires credentials, or rejects them."""

_NO_PROXY = "List hosts that need no proxy in NO_PROXY."
_BLOCKED = f"The proxy may not know this host, or may block it. {_NO_PROXY}"
_SCHEMES = {"basic", "bearer", "digest", "kerberos", "negotiate", "ntlm", "scram-sha-256"}


class Route:
    """The route of one request, direct or through a proxy, which explains its failures."""

    def __init__(
        self,
        *,
        url: Url,
        proxy: Proxy | None,
        network: Network,
        limits: Limits,
        identified: bool,
    ) -> None:
        self.network = network
        self.limits = limits
        self.shown = str(url)
        self._proxy = proxy
        self._identified = identified
        self._begun = time.monotonic()
        self._challenges: list[str] = []
        self._proxy_tls_failed = False

    @property
    def proxy_note(self) -> str:
        """The proxy, as the end of a message; empty without one."""
        return f" (proxy: {self._proxy.shown})" if self._proxy is not None else ""

    @property
    def milliseconds(self) -> float:
        """The time since the request was begun."""
        return (time.monotonic() - self._begun) * 1000

    def listen(self, event: str, info: Mapping[str, Any]) -> None:
        """Keep the authentication schemes of a proxy; a callback of httpx's extension `trace`."""
        if event == "connection.start_tls.failed":
            # TLS with the proxy; TLS within its tunnel is `proxy.start_tls`.
            self._proxy_tls_failed = True
        if event.endswith(".receive_response_headers.complete"):
            _, status, _, headers = info["return_value"][:4]
            if status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
                self._challenges = [
                    value.decode(errors="replace")
                    for name, value in headers
                    if name.lower() == b"proxy-authenticate"
                ]

    def failure(self, error: Exception) -> UpstreamError:
        """Return the error for a failed request."""
        refused = None if self._proxy is None else self._failure_of(self._proxy, error)
        if refused is not None:
            return refused
        tls_error = explained(error, self.shown, identified=self._identified)
        if tls_error is not None:
            return tls_error
        return Unreachable(self.shown, self.reason(error), passing=_is_transient(error))

    def _failure_of(self, proxy: Proxy, error: Exception) -> ProxyRefused | None:
        """Return the error for a failure of the proxy; None for one behind it."""
        if self._proxy_tls_failed:
            tls_error = explained(error, str(proxy.url), identified=False)
            if tls_error is not None:
                return self._refused(tls_error.message, tls_error.hint or "")
        if isinstance(error, (httpcore.ProxyError, ImportError, *failures_of_socks())):
            return self._refusal_of(error)
        if not isinstance(error, (httpcore.ConnectError, httpcore.ConnectTimeout)):
            return None
        if explained(error, self.shown, identified=self._identified) is not None:
            return None
        hint = f"Check the address of the proxy. {_NO_PROXY}"
        return self._refused(self.reason(error), hint, passing=_is_transient(error))

    def _refusal_of(self, error: Exception) -> ProxyRefused:
        """Return the error for a proxy that does not open a tunnel."""
        words = str(error)
        if isinstance(error, ImportError):
            hint = "Install it: `uv tool install 'uv-self-update[socks]'`."
            return self._refused("SOCKS support is not installed", hint)
        if isinstance(error, failures_of_socks()):
            hint = (
                "Check that it is a SOCKS 5 proxy, and that the host name, the user and the "
                "password are shorter than 256 bytes."
            )
            return self._refused("no valid response of a SOCKS 5 proxy", hint)
        if words.startswith(f"{HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:d}"):
            return self.unauthorized()
        if _SOCKS_REFUSALS.search(words):
            return self.unauthorized(status=None)
        status = words.partition(" ")[0]
        if status.isdecimal():
            return self.refused(int(status))
        return self._refused(self.reason(error), _BLOCKED)

    def refused(self, status: int) -> ProxyRefused:
        """Return the error for a status of the proxy itself."""
        reason = f"it answered {status} {phrase_of(status)}".rstrip()
        return self._refused(reason, _BLOCKED, passing=status in TRANSIENT)

    def unauthorized(
        self, status: int | None = HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
    ) -> ProxyRefused:
        """Return the error for a proxy that requires credentials, or rejects them."""
        if self._proxy is None:
            raise AssertionError
        named = [challenge.partition(" ")[0] for challenge in self._challenges if challenge]
        schemes = [name if name.lower() in _SCHEMES else "another scheme" for name in named]
        known = self._proxy.url.userinfo
        words = "credentials not accepted" if known else "authentication required"
        hint = (
            f"Add `user:password@` to the URL in {self._proxy.origin}; write `@` as %40 and `:` as "
            "%3A."
        )
        if schemes and "basic" not in map(str.lower, schemes):
            hint = (
                f"The proxy accepts {', '.join(schemes)}, which is not supported. Use a local "
                "proxy that authenticates for you, such as px or cntlm."
            )
        return self._refused(words if status is None else f"{words} ({status:d})", hint)

    def reason(self, error: Exception) -> str:
        """Return the reason for a failure, as the end of a message."""
        if isinstance(error, TooSlow):
            return str(error)
        if isinstance(error, httpcore.ConnectTimeout):
            return f"no connection within {self.network.connect_timeout:g} seconds"
        if isinstance(error, httpcore.TimeoutException):
            return f"no data for {self.network.timeout:g} seconds"
        if isinstance(error, httpcore.LocalProtocolError):
            return "the request cannot be sent: check the credentials"  # its message quotes them
        # Without the error number that Python adds.
        words = re.sub(r"^\[Errno -?\d+\] ", "", redact(str(error)))
        # h11 quotes the response.
        return re.split(r":? ?\(?(?:bytearray\()?b['\"]", words)[0] or type(error).__name__

    def _refused(self, reason: str, hint: str, *, passing: bool = False) -> ProxyRefused:
        if self._proxy is None:
            raise AssertionError
        return ProxyRefused(self.shown, self._proxy.shown, reason, hint=hint, passing=passing)


def failures_of_socks() -> tuple[type[Exception], ...]:
    """Return the errors of the package for SOCKS proxies, if it was imported."""
    socksio = sys.modules.get("socksio")
    # OverflowError: a length does not fit into a byte.
    if socksio is None:
        return ()
    failures: tuple[type[Exception], ...] = (socksio.SOCKSError, OverflowError)
    return failures


def _is_transient(error: Exception) -> bool:
    """Return whether a retry may succeed.

    A name that does not exist stays unknown. After a timeout while connecting, the operating system
    has retried already.
    """
    if isinstance(error, (httpcore.ConnectTimeout, httpcore.LocalProtocolError, ImportError)):
        return False
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return cause.errno == socket.EAI_AGAIN
        cause = cause.__cause__ or cause.__context__
    return isinstance(error, (*Failure, OSError))
