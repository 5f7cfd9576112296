"""The releases and files that a mirror is to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.releases.target import NEWEST
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from uv_self_update.releases.target import Wanted


@frozen
class Selection:
    """The releases and files to mirror."""

    wanted: Wanted = NEWEST
    limit: int | None = 1
    """How many of the newest wanted releases; None for all."""

    triples: frozenset[str] = frozenset()
    """The target triples; empty for all."""

    url: str | None = None
    """Where the mirror is served, ending in `/`; None for the one of the last run."""

    keep: int | None = None
    """How many releases remain; None for all."""

    wheels: bool = True
    """Whether the mirror is a package index as well."""
