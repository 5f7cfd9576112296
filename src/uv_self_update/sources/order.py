"""Try several sources in order."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

from uv_self_update.errors import HiddenByPolicy, NoSourceAnswered, NoSuchVersion, SourceError
from uv_self_update.releases.target import nearest
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uv_self_update.releases.release import Release
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.interface import Source


T = TypeVar("T")

_log = logging.getLogger(__name__)


@frozen
class Found:
    """A release, and the source of all its files."""

    source: Source
    release: Release


def find_in_order(sources: Sequence[Source], wanted: Wanted) -> Found:
    """Return the wanted release of the first source that has one.

    Raises:
        SourceError: The only source failed.
        HiddenByPolicy: All sources work, and the policy hides their releases.
        NoSuchVersion: All sources work, and none has a wanted release.
        NoSourceAnswered: All sources failed.
    """
    try:
        source, release = first_answer(sources, lambda source: source.find(wanted))
    except NoSourceAnswered as several:
        raise _summed_up(several, sources, wanted) from None
    _log.debug("Using uv %s from %s", release.version, source.name)
    return Found(source=source, release=release)


def first_answer(sources: Sequence[Source], ask: Callable[[Source], T]) -> tuple[Source, T]:
    """Return the first source that answers, and its answer.

    Raises:
        SourceError: The only source failed.
        NoSourceAnswered: All sources failed.
    """
    failures: list[SourceError] = []
    for source in sources:
        try:
            answering = source.itself()
            answer = ask(answering)
        except SourceError as error:
            failures.append(error)
            continue
        for failure in failures:
            _log.warning("%s; trying the next source", str(failure).splitlines()[0])
        return answering, answer
    raise failures[0] if len(failures) == 1 else NoSourceAnswered(failures)


def _summed_up(several: NoSourceAnswered, sources: Sequence[Source], wanted: Wanted) -> SourceError:
    """Return one error in place of several, if all sources work and none has the release."""
    failures = several.failures
    hiding = [failure for failure in failures if isinstance(failure, HiddenByPolicy)]
    if hiding and all(type(failure) in {NoSuchVersion, HiddenByPolicy} for failure in failures):
        return hiding[0]
    # A subclass, such as a version without this machine's archive, keeps a line of its own.
    missing = [failure for failure in failures if type(failure) is NoSuchVersion]
    if failures and len(missing) == len(failures):
        names = "each of " + " and ".join(source.name for source in sources)
        near = {version for failure in missing for version in failure.nearest}
        return NoSuchVersion(names, str(wanted), nearest(near, wanted))
    return several
