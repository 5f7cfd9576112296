"""The credentials of a `[[source]]`: names of environment variables, never secrets."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from uv_self_update.config.field import Field, InvalidValue, ValueType, by_name
from uv_self_update.messages import shown
from uv_self_update.redaction import is_like_a_token
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110, section 5.6.2."""

_RESERVED = frozenset(
    {
        *("accept", "accept-encoding", "connection", "content-length", "expect", "host"),
        *("if-range", "keep-alive", "proxy-authorization", "proxy-connection", "range", "te"),
        *("trailer", "transfer-encoding", "upgrade"),
    }
)
"""Headers that frame a request, or that the client sets itself."""

NO_SECRETS = (
    "unknown key: a secret is not written in the file; name the environment variable that holds "
    "it with `password-env` (and `username`), `token-env` or `header-env`, or use a netrc file or "
    "`uv auth login`"
)
"""The reason for a key that would hold the secret itself."""

SECRET_KEYS = frozenset(
    {
        "api-key",
        "auth",
        "authorization",
        "credentials",
        "header",
        "headers",
        "login",
        "password",
        "private-token",
        "secret",
        "token",
    }
)
"""Keys that other programs have for a secret, and that do not exist here."""


@frozen
class UserName(ValueType):
    """The name of a user at a server."""

    secret = True
    expected = "a user name"

    def parse(self, value: object, _directory: Path) -> str:
        if not isinstance(value, str) or not value:
            raise self.invalid(value)
        # RFC 7617, section 2: a colon ends the user name; no control characters.
        if ":" in value or not value.isprintable():
            reason = "a user name cannot contain a colon or control characters"
            raise InvalidValue(reason)
        return value


@frozen
class VariableName(ValueType):
    """The name of an environment variable."""

    secret = True
    holds: str
    """What the variable holds: `password`."""

    @property
    def expected(self) -> str:
        return f"the name of the environment variable that holds the {self.holds}"

    def parse(self, value: object, _directory: Path) -> str:
        if not isinstance(value, str) or not value:
            raise self.invalid(value)
        if not _VARIABLE.fullmatch(value) or is_like_a_token(value):
            raise self.invalid(
                value, detail=f" (such as `MIRROR_TOKEN`), not the {self.holds} itself"
            )
        return value


@frozen
class Headers(ValueType):
    """Headers of a request, each with the variable that holds its value."""

    secret = True
    expected = 'a table such as `{ "HEADER" = "VARIABLE" }`'

    def parse(self, value: object, directory: Path) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, dict):
            raise self.invalid(value)
        if problems := [*self._problems(value, directory)]:
            raise InvalidValue(*problems)
        return tuple(value.items())

    def _problems(self, table: Mapping[str, object], directory: Path) -> Iterator[str]:
        names = [name.lower() for name in table]
        for name, variable in table.items():
            known = _HEADER.fullmatch(name) is not None
            if not known:
                yield "invalid header name" + ("" if is_like_a_token(name) else f" `{shown(name)}`")
            elif names.count(name.lower()) > 1:
                yield f"duplicate header `{name}`: header names are case-insensitive"
            elif name.lower() in _RESERVED:
                yield f"the header `{name}` cannot be set: uv-self-update sets it"
            try:
                VariableName(holds="header's value").parse(variable, directory)
            except InvalidValue as error:
                yield f"`{name}`: {error}" if known and not is_like_a_token(name) else str(error)


CREDENTIAL_FIELDS: Mapping[str, Field] = MappingProxyType(
    by_name(
        Field(name="username", type=UserName()),
        Field(name="password-env", type=VariableName(holds="password")),
        Field(name="token-env", type=VariableName(holds="token")),
        Field(name="header-env", type=Headers()),
    )
)
