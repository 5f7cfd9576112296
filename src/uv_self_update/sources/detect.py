"""`auto`: what kind of source a URL is, found out by asking.

1. The URL itself may say.
2. Astral's manifest is asked for, one file at a fixed place: it may be there, and if it is not, the
   headers say which product answers.
3. The page at the URL is looked at, unless that is an Artifactory: one request for a folder can
   make a remote repository store the page as a file (see `artifactory`).
4. Each kind that may be it is tried, the likeliest first; the first that finds uv's releases is it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from uv_self_update import sources
from uv_self_update.errors import (
    NoArchive,
    NoSuchVersion,
    NotDetected,
    SourceError,
    StatusRefused,
)
from uv_self_update.policy import NEWEST
from uv_self_update.secret import redact_url
from uv_self_update.sources.astral import MANIFEST
from uv_self_update.sources.clues import (
    ASKING_FOR_FOLDERS,
    account,
    from_answer,
    from_page,
    from_url,
    last_resorts,
)
from uv_self_update.sources.interface import Source
from uv_self_update.sources.tree import below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.policy import Wanted
    from uv_self_update.release import Release
    from uv_self_update.settings import SourceSettings
    from uv_self_update.sources import Surroundings
    from uv_self_update.sources.clues import Clue
    from uv_self_update.upstream import Answer

__all__ = ("DetectedSource", "Detection", "detect")

_log = logging.getLogger(__name__)

_UNAUTHORIZED = 401
_LOG_IN = "The server asks for a login: put `user:password@` into the URL."
_BY_HAND = (
    "If uv's releases are there, say what serves them: `kind+URL`, as in `nexus+URL`; or write a "
    'source of kind "urls", which takes any two URLs.'
)


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What kind of source a URL is, and what is there."""

    settings: SourceSettings
    """The source, as a configuration would have it."""

    source: Source
    reason: str
    """Why it is of that kind, after `because`."""

    releases: tuple[Release, ...]
    """The newest ones, newest first."""

    newest: Release | None
    """The newest that there is for this platform, with its files; None if there is none."""


def detect(settings: SourceSettings, around: Surroundings) -> Detection:
    """Find out what kind of source a URL is.

    Args:
        settings: A source of kind `auto`.
        around: What sources work with.

    Raises:
        NotDetected: No kind has found releases of uv there; with all that was tried.
        SourceError: The server does not answer at all.
    """
    return _Examination(settings, around).run()


class DetectedSource(Source):
    """A source whose kind is found out when it is first used."""

    def __init__(self, settings: SourceSettings, around: Surroundings) -> None:
        """Prepare; nothing is asked yet."""
        self._settings = settings
        self._around = around
        self.name = redact_url(settings.url or "")

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source."""
        return self.itself().find(wanted)

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases; see Source."""
        return self.itself().releases(limit)

    def itself(self) -> Source:
        """Return the source of the kind that was found out; see Source."""
        return self._source

    def close(self) -> None:
        """End what is under way; see Source."""
        if "_source" in self.__dict__:
            self._source.close()

    @cached_property
    def _source(self) -> Source:
        detection = detect(self._settings, self._around)
        kind = detection.settings.kind
        _log.debug("%s is of kind %s, because %s", self.name, kind, detection.reason)
        return detection.source


class _Examination:
    """One URL, and what was tried with it."""

    def __init__(self, settings: SourceSettings, around: Surroundings) -> None:
        self._url = settings.url or ""
        self._around = around
        self._upstream = around.upstream(settings)
        self._tried: list[str] = []
        self._statuses: list[int] = []

    def run(self) -> Detection:
        """Try one clue after the other."""
        proved: set[SourceSettings] = set()
        for clue in self._clues():
            if clue.settings not in proved:
                proved.add(clue.settings)
                detection = self._prove(clue)
                if detection is not None:
                    return detection
        only_401 = bool(self._statuses) and set(self._statuses) == {_UNAUTHORIZED}
        hint = _LOG_IN if only_401 else _BY_HAND
        raise NotDetected(redact_url(self._url), self._tried, hint)

    def _clues(self) -> Iterator[Clue]:
        """Yield what the URL may be; more is asked only when nothing before has proved right."""
        clues = [*from_url(self._url)]
        if [clue.settings.kind for clue in clues] == ["index"]:
            yield from clues
        clues += from_answer(self._url, self._look(below(self._url, MANIFEST)))
        if any(clue.settings.kind == "artifactory" for clue in clues):
            yield from (clue for clue in clues if clue.settings.kind not in ASKING_FOR_FOLDERS)
            return
        yield from clues
        yield from from_page(self._url, self._look(below(self._url, (), folder=True)))
        yield from last_resorts(self._url)

    def _look(self, url: str) -> Answer:
        answer = self._upstream.look(url)
        self._statuses.append(answer.status)
        self._tried.append(f"{redact_url(url)}: {account(answer, self._url)}")
        return answer

    def _prove(self, clue: Clue) -> Detection | None:
        """Return what the source of a kind finds, or None if that is nothing."""
        kind = clue.settings.kind
        source = sources.build(clue.settings, self._around)
        try:
            newest, releases = self._newest(source)
        except SourceError as error:
            if isinstance(error, StatusRefused):
                self._statuses.append(error.status)
            self._tried.append(f"as `{kind}`, because {clue.reason}: {error}")
            return None
        return Detection(
            settings=clue.settings,
            source=source,
            reason=clue.reason,
            releases=releases,
            newest=newest,
        )

    @staticmethod
    def _newest(source: Source) -> tuple[Release | None, tuple[Release, ...]]:
        try:
            newest = source.find(NEWEST)
        except NoArchive:
            return None, source.releases(1)
        except NoSuchVersion:
            # Perhaps there are pre-releases only.
            releases = source.releases(1)
            if not releases:
                raise
            return None, releases
        return newest, (newest,)
