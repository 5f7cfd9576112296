"""Why one request to a source failed."""

from __future__ import annotations

from typing import ClassVar

from uv_self_update.errors.sources import SourceError

__all__ = (
    "GONE",
    "PASSING",
    "Distrusted",
    "Hidden",
    "Interrupted",
    "Overdue",
    "ProxyRefused",
    "RateLimited",
    "RedirectRefused",
    "StatusRefused",
    "TooLarge",
    "Unreachable",
    "UpstreamError",
    "phrase_of",
)


PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""The statuses that say that the same request may succeed a moment later (RFC 9110, RFC 6585)."""

GONE = frozenset({404, 410})
"""The statuses that say that there is no such thing (RFC 9110)."""


def phrase_of(status: int) -> str:
    """Return what a status is called, or nothing."""
    from http import HTTPStatus  # noqa: PLC0415 # most runs need none

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


class UpstreamError(SourceError):
    """One request to a source failed."""

    passing = False
    """Whether it may be gone by itself in a moment, so that it is worth another try."""

    after: float | None = None
    """Seconds after which the server says to try again."""


class Unreachable(UpstreamError):
    """No answer came: name, connection or time."""

    def __init__(self, url: str, reason: str, *, passing: bool = False) -> None:
        """Name the URL (redacted) and the reason, and whether it may be gone in a moment."""
        self.passing = passing
        super().__init__(
            f"no answer from {url}: {reason}",
            hint="Check the address, and HTTPS_PROXY, NO_PROXY and `network.ca-bundle`.",
        )


class StatusRefused(UpstreamError):
    """An answer came, but its status is not 200."""

    _HINTS: ClassVar[dict[int, str]] = {
        401: "The server asks for a login, or does not know the one that it got. It can stand in "
        "netrc, be given to `uv auth login`, or be named by `token-env` or `password-env` in the "
        "source; for GitHub, set GH_TOKEN. `uv-self-update config show` says which one is used.",
        400: "Where the server asks for a client certificate: set `network.client-cert`.",
        403: "The server knows this address but does not let you in: check the credentials. "
        "`uv-self-update config show` says which ones are used.",
        404: "Nothing is there, or nothing that these credentials may see: check the URL.",
        407: "The proxy asks for a login: put `user:password@` into HTTPS_PROXY.",
        429: "The server asks to slow down: try again later.",
    }

    def __init__(self, url: str, status: int, words: str | None = None) -> None:
        """Name the URL (redacted), the status, and what it is called; by RFC 9110, if need be.

        The words of a server may be anything, such as what it was sent.
        """
        self.url = url
        self.status = status
        self.passing = status in PASSING
        self.gone = status in GONE
        """Whether there is no such thing, as far as the server says."""

        hint = self._HINTS.get(status)
        if hint is None and status >= 500:  # noqa: PLR2004 # server errors, RFC 9110 section 15.6
            hint = "The server has a problem of its own: try again later."
        super().__init__(
            f"{url} answered {status} {phrase_of(status) if words is None else words}".rstrip(),
            hint=hint,
        )


class Hidden(StatusRefused):
    """A server says 404, as many do where a login is missing or has no right to see it."""

    def __init__(self, refused: StatusRefused, what: str, *, login: bool, hint: str) -> None:
        """Name the URL (redacted), what should be there, and whether a login was sent."""
        super().__init__(refused.url, refused.status, "")
        access = "with this login" if login else "without a login"
        self.message = f"{self.message}: there is no {what}, or none that may be seen {access}"
        self.hint = hint


class RateLimited(StatusRefused):
    """Too much was asked for in too short a time."""

    def __init__(
        self, url: str, status: int, *, until: str | None, after: float | None = None
    ) -> None:
        """Name the URL (redacted), when it can be asked again, and in how many seconds that is."""
        super().__init__(url, status, "")
        self.passing = status in PASSING or after is not None
        self.after = after
        self.message = f"{self.message}: the rate limit is used up" + (
            f" until {until}" if until else ""
        )
        self.hint = (
            "Try again then, or log in: who does has a limit of his own. For GitHub, set GH_TOKEN."
        )


class Distrusted(UpstreamError):
    """No connection that can be trusted: the server's certificate, ours, or TLS itself."""

    def __init__(self, url: str, reason: str, *, hint: str) -> None:
        """Name the URL (redacted), with its host, and the reason."""
        super().__init__(f"no trusted connection to {url}: {reason}", hint=hint)


class ProxyRefused(UpstreamError):
    """The proxy does not let a request through, or cannot be used."""

    def __init__(
        self, url: str, proxy: str, reason: str, *, hint: str, passing: bool = False
    ) -> None:
        """Name the URL and the proxy (both redacted), where that is configured, and the reason."""
        self.passing = passing
        super().__init__(f"no way to {url} through the proxy {proxy}: {reason}", hint=hint)


class RedirectRefused(UpstreamError):
    """A server elsewhere redirects to this machine, or to the link that it is on."""

    def __init__(self, url: str, target: str) -> None:
        """Name the URL and where it redirects to (both redacted)."""
        super().__init__(
            f"{url} redirects to {target}, which is a loopback or link-local address: the redirect "
            "was not followed",
            hint="If the redirect is right, configure its target as the source.",
        )


class Interrupted(UpstreamError):
    """A body broke off before its end."""

    def __init__(
        self,
        url: str,
        received: int,
        expected: int | None,
        reason: str,
        *,
        passing: bool = True,
    ) -> None:
        """Name the URL (redacted), how far it came, in bytes, and whether it may yet go on."""
        self.reason = reason
        self.passing = passing
        of = "" if expected is None else f" of {expected:,}"
        super().__init__(
            f"{url} broke off after {received:,}{of} bytes: {reason}",
            hint="Try again; `network.timeout` allows a slow server more time."
            if passing
            else "Try again.",
        )


class TooLarge(UpstreamError):
    """A body, or a list, is larger than what was asked for can be."""

    def __init__(self, url: str, limit: int, *, unit: str = "bytes") -> None:
        """Name the URL (redacted) and the bound, and what that counts."""
        super().__init__(
            f"{url} sends more than {limit:,} {unit}, which cannot be what was asked for",
            hint="Check the URL.",
        )


class Overdue(UpstreamError):
    """The lists of a source take too long together, though each keeps coming."""

    def __init__(self, url: str, limit: float) -> None:
        """Name the URL (redacted) that was read last, and the bound, in seconds."""
        super().__init__(
            f"the lists of releases took more than {limit:g} seconds; the last is {url}",
            hint="Raise `network.timeout`: the limit is ten times that.",
        )
