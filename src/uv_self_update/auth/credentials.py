"""The credentials of each origin (RFC 6454), which are sent to no other."""

from __future__ import annotations

import threading
from copy import copy
from typing import TYPE_CHECKING
from urllib.parse import unquote

from uv_self_update.redaction import Secret
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from uv_self_update.url import Origin, Url


GITHUB_HOSTS = frozenset({"github.com", "www.github.com"})


@frozen
class Login:
    """A user and a password."""

    user: str = field(repr=False)
    """Hidden as well, because it may be a token."""

    password: Secret


@frozen
class Credential:
    """The headers that authenticate the user to one origin."""

    headers: Mapping[str, Secret]

    place: str
    """The provider, for messages: `the URL`, `GH_TOKEN`, `keyring`."""

    sign: Callable[[str, Url], Mapping[str, Secret]] | None = field(default=None, repr=False)
    """Makes headers of one request, from its method and its URL; None without a signature."""


class Credentials:
    """The credentials of one source, some of which are searched on demand."""

    def __init__(
        self,
        known: Mapping[Origin, Credential] | None = None,
        searches: Mapping[Origin, Callable[[], Credential | None]] | None = None,
    ) -> None:
        """Prepare, without a search.

        Args:
            known: The credentials for the first request to an origin.
            searches: The search of other programs for credentials, which is slow, for each other
                origin that the user has configured.
        """
        self._known = dict(known or {})
        self._searches = dict(searches or {})
        self._asked: set[Origin] = set()
        self._lock = threading.Lock()

    def without_search(self) -> Credentials:
        """Return the same credentials, none of which are searched any more."""
        found = copy(self)
        found._asked = set(self._searches)  # noqa: SLF001 # of the same class
        return found

    def headers_for(self, origin: Origin) -> dict[str, str]:
        """Return the headers for a request to an origin, and to no other, without a search."""
        credential = self._known.get(origin)
        if credential is None:
            return {}
        return {name: secret.reveal() for name, secret in credential.headers.items()}

    def headers_of(self, method: str, url: Url) -> dict[str, str]:
        """Return the headers for one request, with a signature where its server wants one."""
        credential = self._known.get(url.origin)
        if credential is None or credential.sign is None:
            return self.headers_for(url.origin)
        return {name: secret.reveal() for name, secret in credential.sign(method, url).items()}

    def ask(self, origin: Origin) -> dict[str, str] | None:
        """Search the credentials for an origin, after a request without any was refused.

        There is one search per origin, whose result `headers_for` returns from then on.

        Returns:
            The headers; None if none were found, or if they were known before.
        """
        if origin not in self._searches:
            return None
        self._search(origin)
        return self.headers_for(origin) or None

    def names(self, origin: Origin) -> bool:
        """Return whether the user has configured an origin.

        Other origins do not get the client certificate.
        """
        return origin in self._known or origin in self._searches

    def place_for(self, origin: Origin) -> str | None:
        """Return the provider of the credentials of an origin, without a search, or None."""
        credential = self._known.get(origin)
        return None if credential is None else credential.place

    def described(self) -> dict[Origin, str | None]:
        """Return the provider of each origin, after all searches; None without credentials."""
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


def login_of(url: Url) -> Login | None:
    """Return the credentials in a URL; None without any."""
    user, colon, password = url.userinfo.partition(":")
    if not user and not colon:
        return None
    return Login(user=unquote(user), password=Secret(unquote(password)))


def usable_secret(value: str | None) -> Secret | None:
    """Return a token without white space around it; None if it is empty or invalid in a header.

    Tokens that are read from files often end with a line break.
    """
    text = (value or "").strip()
    return Secret(text) if text.isascii() and text.isprintable() and text else None
