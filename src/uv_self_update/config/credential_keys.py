"""The keys of a `[[source]]` that say who is asking: they name variables, and hold no secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from uv_self_update.messages import shown, type_name
from uv_self_update.redaction import is_like_a_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110, section 5.6.2."""

REFUSED = (
    "there is no such key: `username` and `password-env`, `token-env` or `header-env` name the "
    "environment variables that hold a secret; netrc files and `uv auth login` work without a key"
)
"""What to say of a key that would hold the secret itself."""

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
"""What people call such a key, though there is none."""


@dataclass(frozen=True, kw_only=True)
class UserField:
    """The name that a person or a robot has at a server."""

    def problems(self, value: object, _kind: object) -> Iterator[str]:
        """Say what is wrong with a value."""
        if not isinstance(value, str) or not value:
            yield f"it is {_kind_of(value)}, but a user's name in quotes is due"
        # RFC 7617, section 2: a colon ends the user; no control characters.
        elif ":" in value or not value.isprintable():
            yield "a user's name has neither a colon nor control characters in it"


@dataclass(frozen=True, kw_only=True)
class VariableField:
    """The name of an environment variable; what is written in its place may be the secret."""

    holds: str
    """What the variable holds."""

    def problems(self, value: object, _kind: object) -> Iterator[str]:
        """Say what is wrong with a value, without a word of it."""
        if not isinstance(value, str) or not value:
            yield f"it is {_kind_of(value)}, but the name of an environment variable is due"
        elif not _VARIABLE.fullmatch(value) or is_like_a_token(value):
            yield (
                "it is no name of an environment variable, as in `MIRROR_TOKEN`: "
                f"the name of the variable that holds the {self.holds} is due, "
                f"not the {self.holds} itself"
            )


@dataclass(frozen=True, kw_only=True)
class HeadersField:
    """Headers of a request, each with the variable that holds its value."""

    def problems(self, value: object, _kind: object) -> Iterator[str]:
        """Say what is wrong with a value, without a word of it."""
        if not isinstance(value, dict):
            due = '{ "HEADER" = "VARIABLE" }'
            yield f"it is {_kind_of(value)}, but a table is due, as in `{due}`"
            return
        names = [str(name).lower() for name in value]
        for name, variable in value.items():
            if not _HEADER.fullmatch(name):
                named = "what stands there" if is_like_a_token(name) else f"`{shown(name)}`"
                yield f"{named} is no name of a header"
            elif names.count(name.lower()) > 1:
                yield f"`{name}` is there twice: in a header's name, case makes no difference"
            for reason in VariableField(holds="header's value").problems(variable, _kind):
                known = _HEADER.fullmatch(name) and not is_like_a_token(name)
                yield f"`{name}`: {reason}" if known else reason


LOGIN_FIELDS: Mapping[str, UserField | VariableField | HeadersField] = MappingProxyType(
    {
        "username": UserField(),
        "password-env": VariableField(holds="password"),
        "token-env": VariableField(holds="token"),
        "header-env": HeadersField(),
    }
)


def _kind_of(value: object) -> str:
    if not isinstance(value, str):
        return type_name(value)
    return "a string" if value else "empty"
