"""Several sources, tried in order."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.errors import HiddenByPolicy, NoSourceAnswered, NoSuchVersion, SourceError
from uv_self_update.releases.target import newest_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.releases.release import Release
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.interface import Source


_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Found:
    """A release, and the source that all of its files come from."""

    source: Source
    release: Release


def find_in_order(sources: Sequence[Source], wanted: Wanted) -> Found:
    """Return what is wanted from the first source that has it.

    Raises:
        SourceError: The only source has failed.
        HiddenByPolicy: Each of several works, and what they have is hidden by the policy.
        NoSuchVersion: Each of several works, and none has it.
        NoSourceAnswered: Each of several has failed.
    """
    failures: list[SourceError] = []
    for source in sources:
        try:
            answering = source.itself()
            release = answering.find(wanted)
        except SourceError as error:
            failures.append(error)
        else:
            for failure in failures:
                _log.warning("%s; the next source is asked", str(failure).splitlines()[0])
            _log.debug("uv %s is taken from %s", release.version, answering.name)
            return Found(source=answering, release=release)
    if len(failures) == 1:
        raise failures[0]
    hiding = [failure for failure in failures if isinstance(failure, HiddenByPolicy)]
    if hiding and all(type(failure) in {NoSuchVersion, HiddenByPolicy} for failure in failures):
        raise hiding[0]
    # A version that is there, but not for this machine, is worth a line of its own.
    lacking = [failure for failure in failures if type(failure) is NoSuchVersion]
    if failures and len(lacking) == len(failures):
        names = "each of " + " and ".join(source.name for source in sources)
        near = {version for failure in lacking for version in failure.nearest}
        raise NoSuchVersion(names, str(wanted), newest_first(near))
    raise NoSourceAnswered(failures)
