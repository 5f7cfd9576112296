"""What a kind of source is configured with."""

from __future__ import annotations

from dataclasses import dataclass

from uv_self_update.config.credential_keys import (
    LOGIN_FIELDS,
)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a kind of source is configured with."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("http", "https", "file")
    """What its URLs may start with."""

    path: str = ""
    """A regular expression that the path of its URL has to match somewhere."""

    due: str = ""
    """What that path lacks if it does not match."""

    no_login: str = ""
    """Why it has no use for the keys of a login; empty for all that are asked by this package."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Every key that a `[[source]]` of this kind may have, beside `kind`."""
        login = () if self.no_login else tuple(LOGIN_FIELDS)
        return self.required + self.optional + login
