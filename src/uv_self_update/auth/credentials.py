"""Which credential goes to which origin (RFC 6454), and to no other."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from uv_self_update.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


Origin = tuple[str, str, int | None]
"""Scheme, host and port of a URL."""

GITHUB_HOSTS = frozenset({"github.com", "www.github.com"})
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Login:
    """A user and a password, or whatever a server takes for one."""

    user: str = field(repr=False)
    """Not shown either: a token may stand in its place."""

    password: Secret


@dataclass(frozen=True, kw_only=True)
class Credential:
    """What one origin is told of who is asking."""

    headers: Mapping[str, Secret]

    place: str
    """Where it comes from, as it may be shown: `the URL`, `GH_TOKEN`, `keyring`."""


class Credentials:
    """The credentials of one source: those that are known, and those that can be asked for."""

    def __init__(
        self,
        known: Mapping[Origin, Credential] | None = None,
        searches: Mapping[Origin, Callable[[], Credential | None]] | None = None,
    ) -> None:
        """Prepare; nobody is asked yet.

        Args:
            known: What each origin gets with the first request.
            searches: For each other origin that the person has configured, what asks other
                programs for its credential. That takes its time.
        """
        self._known = dict(known or {})
        self._searches = dict(searches or {})
        self._asked: set[Origin] = set()
        self._lock = threading.Lock()

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the headers that a request for `url`, and only that, may carry.

        Nobody is asked for them.
        """
        credential = self._known.get(origin_of(url))
        if credential is None:
            return {}
        return {name: secret.reveal() for name, secret in credential.headers.items()}

    def ask(self, url: str) -> dict[str, str] | None:
        """Return what a request for `url` may carry that was refused without a credential.

        Programs are asked once for each origin, by whichever thread comes first; from then on
        `headers_for` knows the answer as well.

        Returns:
            The headers; None if there are none, or if they were known without asking.
        """
        origin = origin_of(url)
        if origin not in self._searches:
            return None
        self._search(origin)
        return self.headers_for(url) or None

    def names(self, url: str) -> bool:
        """Return whether `url` is of an origin that the person has configured.

        A client certificate is for these only.
        """
        origin = origin_of(url)
        return origin in self._known or origin in self._searches

    def place_for(self, url: str) -> str | None:
        """Return where the credential for `url` comes from, as it may be shown; None without one.

        Nobody is asked for it.
        """
        credential = self._known.get(origin_of(url))
        return None if credential is None else credential.place

    def described(self) -> dict[Origin, str | None]:
        """Return where the credential of each origin comes from; None for an origin without one.

        Programs are asked for what is not known.
        """
        for origin in self._searches:
            self._search(origin)
        return {
            **dict.fromkeys(self._searches),
            **{origin: credential.place for origin, credential in self._known.items()},
        }

    def _search(self, origin: Origin) -> None:
        with self._lock:
            if origin not in self._asked:
                found = self._searches[origin]()
                self._asked.add(origin)
                if found is not None:
                    self._known[origin] = found


def login_of(url: str) -> Login | None:
    """Return the login that stands in a URL, or None."""
    user, colon, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
    if not user and not colon:
        return None
    return Login(user=unquote(user), password=Secret(unquote(password)))


def usable_secret(value: str | None) -> Secret | None:
    """Return a token as a header can carry it; None if there is none, or none that fits.

    Who reads one out of a file often gets the end of the line with it.
    """
    text = (value or "").strip()
    return Secret(text) if text.isascii() and text.isprintable() and text else None


def origin_of(url: str) -> Origin:
    """Return the origin that a URL belongs to."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    port = DEFAULT_PORTS.get(scheme) if parts.port is None else parts.port
    return scheme, (parts.hostname or "").lower(), port


def without_userinfo(url: str) -> str:
    """Return `url` without the login that may stand in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
