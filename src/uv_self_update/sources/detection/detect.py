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
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.auth.credentials import origin_of
from uv_self_update.errors import (
    GONE,
    NoArchive,
    NoSuchVersion,
    NotDetected,
    SourceError,
    StatusRefused,
    UnexpectedBody,
)
from uv_self_update.redaction import redact_url
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.astral import MANIFEST
from uv_self_update.sources.detection.advice import Attempt, Findings, Look, advice
from uv_self_update.sources.detection.clues import (
    from_answer,
    from_index_page,
    from_page,
    from_url,
    index_roots,
    is_file,
    is_web_page,
    last_resorts,
    proper,
)
from uv_self_update.sources.formats.documents import describe
from uv_self_update.sources.interface import Source
from uv_self_update.sources.tree import below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.responses import Answer
    from uv_self_update.releases.release import Release
    from uv_self_update.releases.target import Wanted
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.detection.clues import Clue


_log = logging.getLogger(__name__)

_OK = 200
_SHOWN = 3  # pre-releases, where there is nothing else
_WORDS = {"JSON of another kind": "JSON", "something else": "neither a web page nor JSON nor XML"}
_SIMPLE = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"


@dataclass(frozen=True, kw_only=True)
class Detection:
    """What kind of source a URL is, and what is there."""

    settings: SourceSettings
    """The source, as a configuration would have it."""

    source: Source
    reason: str
    """Why it is of that kind, after `because`; empty where that was said."""

    newest: Release | None
    """The newest that there is for this platform, with its files."""

    lack: NoSuchVersion | None = None
    """Why there is none, though there are releases of uv."""


def detect(settings: SourceSettings, around: Context) -> Detection:
    """Find out what kind of source a URL is; or, where that is said, what is there.

    Args:
        settings: A source, mostly of kind `auto`.
        around: What sources work with.

    Raises:
        NotDetected: No kind has found releases of uv there; with all that was tried.
        SourceError: The server does not answer at all; or not as the kind that was said.
    """
    if settings.kind != "auto":
        return _proved(settings, "", around)
    return _Examination(settings, around).run()


def _proved(settings: SourceSettings, reason: str, around: Context) -> Detection:
    """Return what a source finds.

    Raises:
        SourceError: It cannot be used, or has no release of uv at all.
    """
    source = around.build(settings, around)
    newest: Release | None = None
    lack: NoSuchVersion | None = None
    try:
        newest = source.find(NEWEST)
    except NoArchive as error:
        lack = error
    except NoSuchVersion:
        others = [release.version for release in source.releases(_SHOWN)]
        if not others:
            raise
        lack = NoSuchVersion(source.name, "release of uv but pre-releases", others)
    return Detection(settings=settings, source=source, reason=reason, newest=newest, lack=lack)


class DetectedSource(Source):
    """A source whose kind is found out when it is first used."""

    def __init__(self, settings: SourceSettings, around: Context) -> None:
        """Prepare; nothing is asked yet."""
        self._settings = settings
        self._around = around
        self.name = redact_url(settings.url or "")
        self._failure: SourceError | None = None

    def find(self, wanted: Wanted) -> Release:
        """Return the newest release that is wanted; see Source."""
        return self.itself().find(wanted)

    def releases(self, limit: int) -> tuple[Release, ...]:
        """Return the newest releases; see Source."""
        return self.itself().releases(limit)

    def itself(self) -> Source:
        """Return the source of the kind that was found out; see Source."""
        if self._failure is not None:
            raise self._failure
        try:
            return self._source
        except SourceError as error:
            # It is not examined again: uv asks twice for what it does not get.
            self._failure = error
            raise

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

    def __init__(self, settings: SourceSettings, around: Context) -> None:
        self._section = settings
        self._url = proper(settings.url or "")
        self._around = replace(around, upstream=around.cautious)
        self._upstream = around.cautious(settings)
        self._looks: list[Look] = []
        self._attempts: list[Attempt] = []
        self._unfit: list[Clue] = []

    def run(self) -> Detection:
        """Try one clue after the other."""
        tried: set[SourceSettings] = set()
        for clue in self._clues():
            if clue.settings is None:
                self._unfit.append(clue)
            elif clue.settings not in tried:
                tried.add(clue.settings)
                section = self._logged_in(clue.settings)
                try:
                    return _proved(section, clue.reason or "it answers as one", self._around)
                except SourceError as error:
                    self._attempts.append(Attempt(clue=clue, error=error))
        found = Findings(
            url=self._url,
            looks=tuple(self._looks),
            attempts=tuple(self._attempts),
            unfit=tuple(self._unfit),
            login=self._upstream.login_for(self._url),
        )
        hint = advice(found, self._around.platform.archive)
        raise NotDetected(redact_url(self._url), _account(found), hint)

    def _clues(self) -> Iterator[Clue]:
        """Yield what the URL may be; more is asked only when nothing before has proved right."""
        clues = [*from_url(self._url)]
        # The URL of an index is for programs only, so it is what it seems to be.
        yield from (clue for clue in clues if clue.kind == "index")
        if is_file(self._url):
            file = self._look(self._url)
            if file.status == _OK and not is_web_page(file):
                return
        manifest = self._look(below(self._url, MANIFEST))
        clues += from_answer(self._url, manifest)
        # What holds the manifest is a copy of Astral's files, or an Artifactory that does not say.
        if {"artifactory", "astral"} & {clue.kind for clue in clues}:
            yield from clues
            return
        yield from clues
        page = self._look(below(self._url, (), folder=True))
        yield from from_page(self._url, page)
        if page.status in GONE and not self._url.endswith("/"):
            yield from from_page(self._url, self._look(self._url))
        yield from last_resorts(self._url, manifest, page)
        for root in index_roots(self._url, manifest, page):
            answer = self._look(below(root, ("uv",), folder=True), accept=_SIMPLE)
            yield from from_index_page(root, answer)

    def _logged_in(self, found: SourceSettings) -> SourceSettings:
        """Return what was found with the login that was given, if that is for this server."""
        own = origin_of(found.url or found.download or "") == origin_of(self._url)
        return found.with_login_of(self._section) if own and found.kind != "index" else found

    def _look(self, url: str, *, accept: str = "*/*") -> Answer:
        for look in self._looks:
            if look.url == url:
                return look.answer
        answer = self._upstream.look(url, accept=accept)
        self._looks.append(Look(url=url, answer=answer))
        return answer


def _account(found: Findings) -> list[str]:
    """Say what was tried and what came, a line for each."""
    lines = [f"{redact_url(look.url)}: {_came(look)}" for look in found.looks]
    guessed: dict[str, list[str]] = {}
    for attempt in found.attempts:
        kind = attempt.clue.kind
        if attempt.clue.reason:
            error = str(attempt.error).replace("\n", "\n    ")
            lines.append(f"as `{kind}`, because {attempt.clue.reason}: {error}")
        else:
            guessed.setdefault(_outcome(attempt.error), []).append(f"`{kind}`")
    return lines + [f"as {' or '.join(kinds)}: {outcome}" for outcome, kinds in guessed.items()]


def _came(look: Look) -> str:
    answer = look.answer
    if answer.status != _OK:
        return str(answer.status)
    what = describe(answer.body)
    was, came = urlsplit(look.url).hostname, urlsplit(answer.url).hostname
    return _WORDS.get(what, what) + ("" if was == came else f", which {came} has sent")


def _outcome(error: SourceError) -> str:
    """Say in a few words why a URL is not of a kind that nothing has spoken for."""
    if isinstance(error, StatusRefused):
        return str(error.status)
    if isinstance(error, UnexpectedBody):
        return "that is not how one answers"
    return "it has no release of uv" if isinstance(error, NoSuchVersion) else str(error)
