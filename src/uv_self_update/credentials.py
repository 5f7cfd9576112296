"""Which credential goes to which origin (RFC 6454), and to no other."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit

from uv_self_update.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = (
    "GITHUB_HOSTS",
    "Credentials",
    "Login",
    "Origin",
    "github_token",
    "login_of",
    "origin_of",
    "usable_secret",
    "without_userinfo",
)

Origin = tuple[str, str, int | None]
"""Scheme, host and port of a URL."""

GITHUB_HOSTS = frozenset({"github.com", "www.github.com"})
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, kw_only=True)
class Login:
    """A user and a password, or whatever a server takes for one."""

    user: str
    password: Secret


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What each origin is told of who is asking."""

    by_origin: Mapping[Origin, Mapping[str, Secret]] = field(default_factory=dict)
    """Origin -> the headers that only it gets."""

    @classmethod
    def collect(
        cls, urls: Iterable[str], *, tokens: Mapping[str, Secret] | None = None
    ) -> Credentials:
        """Gather the logins written into URLs, and bearer tokens by the URL they are for."""
        found: dict[Origin, Mapping[str, Secret]] = {
            origin_of(url): {"Authorization": Secret(f"Bearer {token.reveal()}")}
            for url, token in (tokens or {}).items()
        }
        for url in urls:
            login = login_of(url)
            if login is not None:
                text = f"{login.user}:{login.password.reveal()}".encode()
                basic = Secret(f"Basic {b64encode(text).decode()}")
                found[origin_of(url)] = {"Authorization": basic}
        return cls(by_origin=found)

    def headers_for(self, url: str) -> dict[str, str]:
        """Return the headers that a request for `url`, and only that, may carry."""
        secrets = self.by_origin.get(origin_of(url), {})
        return {name: secret.reveal() for name, secret in secrets.items()}


def login_of(url: str) -> Login | None:
    """Return the login that stands in a URL, or None."""
    user, colon, password = urlsplit(url).netloc.rpartition("@")[0].partition(":")
    if not user and not colon:
        return None
    return Login(user=unquote(user), password=Secret(unquote(password)))


def github_token(url: str, environ: Mapping[str, str], *, given: str | None) -> Secret | None:
    """Return the token for the API of the repository at `url`, if there is one to be sent there.

    GitHub's own variables are for GitHub alone, and no token goes where the line can be listened
    to.

    Args:
        url: The repository's.
        environ: The user's environment.
        given: What was given for this run, as in `--token`.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        return None
    names = ["UV_GITHUB_TOKEN"]
    if parts.hostname in GITHUB_HOSTS:
        names += ["GH_TOKEN", "GITHUB_TOKEN"]
    secrets = map(usable_secret, [given, *(environ.get(name) for name in names)])
    return next((secret for secret in secrets if secret is not None), None)


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
    port = _DEFAULT_PORTS.get(scheme) if parts.port is None else parts.port
    return scheme, (parts.hostname or "").lower(), port


def without_userinfo(url: str) -> str:
    """Return `url` without the login that may stand in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
