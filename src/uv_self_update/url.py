"""URLs of the configuration and of requests, each parsed once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from uv_self_update.redaction import has_secret_parameter, redact_parts
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

Origin = tuple[str, str, int | None]
"""Scheme, host and port of a URL (RFC 6454)."""

DEFAULT_PORTS = {"http": 80, "https": 443}


@frozen
class Url:
    """A URL, or a template of one, that `str` and `repr` redact."""

    text: str
    """The URL as it was written, with its credentials."""

    origin: Origin = field(compare=False)

    parts: SplitResult = field(compare=False)
    """The parts, without credentials."""

    userinfo: str = field(compare=False)
    """The credentials, as written: `USER:PASSWORD`; empty without any."""

    @staticmethod
    def parse(text: str) -> Url:
        """Parse a URL, or a template of one; raises ValueError for an invalid host or port."""
        parts = urlsplit(text)
        redact_parts(parts)  # what cannot be redacted is no URL: `str` would raise
        userinfo, _, netloc = parts.netloc.rpartition("@")
        port = DEFAULT_PORTS.get(parts.scheme) if parts.port is None else parts.port
        origin = parts.scheme, (parts.hostname or "").lower(), port
        parts = parts._replace(netloc=netloc)
        return Url(text=text, origin=origin, parts=parts, userinfo=userinfo)

    def at(self, path: str, query: str = "") -> Url:
        """Return the URL of another path on the same server, with the same credentials."""
        parts = self.parts._replace(path=path, query=query, fragment="")
        text = urlunsplit(parts._replace(netloc=self.netloc))
        return Url(text=text, origin=self.origin, parts=parts, userinfo=self.userinfo)

    def asking(self, query: str) -> Url:
        """Return the URL with another query."""
        return self.at(self.parts.path, query)

    def below(self, names: Iterable[str], *, directory: bool = False) -> Url:
        """Return the URL of a file below this one, or of a directory with a trailing slash.

        It has the same query.
        """
        added = "/".join(quote(name, safe="") for name in names)
        path = f"{self.parts.path.rstrip('/')}/{added}"
        return self.at(f"{path.rstrip('/')}/" if directory else path, self.parts.query)

    def expanded(self, **values: str) -> Url:
        """Return the URL that a template has for the values of its placeholders."""

        def filled(text: str) -> str:
            for name, value in values.items():
                text = text.replace(f"{{{name}}}", quote(value, safe=""))
            return text

        scheme, host, port = self.origin
        return Url(
            text=filled(self.text),
            origin=(scheme, filled(host).lower(), port),
            parts=SplitResult(*map(filled, self.parts)),
            userinfo=filled(self.userinfo),
        )

    @property
    def bare(self) -> Url:
        """The same URL without credentials."""
        return Url(text=self.wire, origin=self.origin, parts=self.parts, userinfo="")

    @property
    def wire(self) -> str:
        """The URL without credentials, for the client only: its query may be a signature."""
        return urlunsplit(self.parts)

    @property
    def netloc(self) -> str:
        """The host and the port, with the credentials before them."""
        return f"{self.userinfo}@{self.parts.netloc}" if self.userinfo else self.parts.netloc

    @property
    def scheme(self) -> str:
        """The scheme in lower case."""
        return self.origin[0]

    @property
    def host(self) -> str:
        """The host in lower case; empty without one."""
        return self.origin[1]

    @property
    def address(self) -> str:
        """The host in lower case, with the port if the URL has one."""
        return self.parts.netloc.lower()

    @property
    def file_name(self) -> str:
        """The last segment of the path, decoded, or else the host."""
        return unquote(self.parts.path.rstrip("/").rpartition("/")[2]) or self.host

    @property
    def holds_secret(self) -> bool:
        """Whether the URL contains credentials or a secret parameter, such as a signature.

        A user without a password counts, because it may be a token.
        """
        return bool(self.userinfo) or has_secret_parameter(self.parts.query)

    def __str__(self) -> str:
        return redact_parts(self.parts._replace(netloc=self.netloc))

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"
