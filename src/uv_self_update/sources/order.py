"""Several sources, tried in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors import NoSourceAnswered, SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.policy import Wanted
    from uv_self_update.release import Release
    from uv_self_update.sources.interface import Source

__all__ = ("Found", "find_in_order")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A release, and the source that all of its files come from."""

    source: Source
    release: Release


def find_in_order(sources: Sequence[Source], wanted: Wanted) -> Found:
    """Return what is wanted from the first source that has it.

    Raises:
        SourceError: The only source has failed.
        NoSourceAnswered: Each of several has.
    """
    failures: list[SourceError] = []
    for source in sources:
        try:
            return Found(source=source, release=source.find(wanted))
        except SourceError as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    raise NoSourceAnswered(failures)
