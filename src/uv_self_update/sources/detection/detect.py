"""`auto`: detect the kind of server at a URL.

1. Read clues in the URL itself.
2. Request Astral's manifest, one file with a fixed path. If it is missing, the response headers may
   name the product.
3. Request the page at the URL, unless the server is an Artifactory: a request for a directory can
   make a remote repository store the page as a file (see `artifactory`).
4. Try each possible kind, the likeliest first. The first that finds releases of uv is the result.
"""

from __future__ import annotations

import logging
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.errors import (
    GONE,
    NoArchive,
    NoSuchVersion,
    NotDetected,
    SourceError,
    StatusRefused,
    UnexpectedBody,
    Unreachable,
)
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.astral import MANIFEST
from uv_self_update.sources.context import build, url_of
from uv_self_update.sources.detection.advice import Attempt, Findings, Request, advice
from uv_self_update.sources.detection.clues import (
    devpi_roots,
    from_answer,
    from_index_page,
    from_page,
    from_url,
    index_roots,
    is_devpi,
    is_file,
    is_web_page,
    last_resorts,
    source_url,
)
from uv_self_update.sources.formats.documents import OTHER_JSON, UNKNOWN, describe
from uv_self_update.sources.index.wheels import TreeOrWheels
from uv_self_update.sources.interface import Composite, Source
from uv_self_update.sources.layout import parent_of_version
from uv_self_update.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.network.responses import Answer
    from uv_self_update.releases.release import Release
    from uv_self_update.sources.context import Context
    from uv_self_update.sources.detection.clues import Clue
    from uv_self_update.url import Url


_log = logging.getLogger(__name__)

_WHEELS = "it has wheels of uv"
_SHOWN = 3  # pre-releases, if there is no final release
_WORDS = {OTHER_JSON: "JSON", UNKNOWN: "neither a web page nor JSON nor XML"}
_SIMPLE = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"


def create(settings: SourceSettings, context: Context) -> DetectedSource:
    """Create the source of a `[[source]]`; see context."""
    return DetectedSource(settings, context)


@frozen
class Detection:
    """The kind of source at a URL, and its newest release."""

    settings: SourceSettings
    """The source, as in a configuration."""

    source: Source
    reason: str
    """The reason for the kind, after `because`; empty if the user named the kind."""

    newest: Release | None
    """The newest release for this platform, with its files."""

    lack: NoSuchVersion | None = None
    """The error of a source whose releases are all for other platforms, or pre-releases."""

    parent: str | None = None
    """The parent, URL or path, of a source that is the directory of one version."""


def detect(settings: SourceSettings, context: Context) -> Detection:
    """Detect the kind of a source of kind `auto`; verify the kind of any other.

    Raises:
        NotDetected: No kind finds releases of uv; the error lists every attempt.
        SourceError: The server is unreachable, or is not of the kind that the user named.
    """
    if settings.kind != "auto":
        return _verified(settings, "", context)
    return _Examination(settings, context).run()


def _verified(settings: SourceSettings, reason: str, context: Context) -> Detection:
    """Return the detection of a source that has releases of uv.

    Raises:
        SourceError: The source cannot be used, or has no release of uv.
    """
    source = build(settings, context)
    if isinstance(source, TreeOrWheels):
        settings, reason = source.wheels or settings, _WHEELS if source.wheels else reason
        source = source.itself()
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
    return Detection(
        settings=settings,
        source=source,
        reason=reason,
        newest=newest,
        lack=lack,
        parent=parent_of_version(settings.url.text if settings.url else settings.path or ""),
    )


class DetectedSource(Composite):
    """A source whose kind is detected when it is first used."""

    def __init__(self, settings: SourceSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self.name = str(url_of(settings))
        self._failure: SourceError | None = None

    def itself(self) -> Source:
        """Return the source of the detected kind."""
        if self._failure is not None:
            raise self._failure
        try:
            return self.chosen
        except SourceError as error:
            # Kept, because uv repeats a failed request.
            self._failure = error
            raise

    @cached_property
    def chosen(self) -> Source:
        detection = detect(self._settings, self._context)
        kind = detection.settings.kind
        _log.debug("Detected %s at %s, because %s", kind, self.name, detection.reason)
        return detection.source


class _Examination:
    """The detection of one URL, with every request and attempt."""

    def __init__(self, settings: SourceSettings, context: Context) -> None:
        self._section = settings
        self._url = source_url(url_of(settings))
        self._context = replace(context, upstream=context.cautious)
        self._upstream = context.cautious(settings)
        self._found = Findings(url=self._url)
        self._answers: dict[tuple[Url, str], Answer] = {}

    def run(self) -> Detection:
        """Try each clue in turn."""
        tried: set[SourceSettings] = set()
        for clue in self._clues():
            if clue.settings is None:
                self._found.invalid.append(clue)
            elif clue.settings not in tried:
                tried.add(clue.settings)
                section = self._with_credentials(clue.settings)
                try:
                    return _verified(section, clue.reason or "it responds as one", self._context)
                except SourceError as error:
                    self._found.attempts.append(Attempt(clue=clue, error=error))
        credentials = self._upstream.login_for(self._url)
        hint = advice(self._found, self._context.platform.archive, credentials)
        raise NotDetected(str(self._url), _report(self._found), hint)

    def _clues(self) -> Iterator[Clue]:
        """Yield the clues, each request made only after all clues before it were wrong."""
        clues = [*from_url(self._url)]
        # Only indexes have such URLs, so no request is needed.
        yield from (clue for clue in clues if clue.kind == "index")
        if is_file(self._url):
            file = self._request(self._url)
            if file.status == HTTPStatus.OK and not is_web_page(file):
                return
        manifest = self._request(self._url.below(MANIFEST))
        clues += from_answer(self._url, manifest)
        # A server with the manifest may be an Artifactory, whose directories are never requested.
        if {"artifactory", "astral"} & {clue.kind for clue in clues}:
            yield from clues
            return
        yield from clues
        page = self._request(self._url.below((), directory=True))
        yield from from_page(self._url, page)
        if page.status in GONE and not self._url.text.endswith("/"):
            yield from from_page(self._url, self._request(self._url))
        yield from last_resorts(self._url, manifest, page)
        for root in index_roots(self._url, manifest, page):
            yield from from_index_page(root, self._request_wheels(root))
        if is_devpi(manifest):
            yield from self._clues_of_devpi()

    def _clues_of_devpi(self) -> Iterator[Clue]:
        """Yield the only index of a devpi server with uv; if there are several, record them."""
        users = self._request(self._url.at("/"), accept="application/json")
        indexes = self._found.indexes
        for root in devpi_roots(self._url, users):
            if any(from_index_page(root, self._request_wheels(root))):
                indexes.append(root)
        if len(indexes) == 1:
            yield from from_index_page(indexes[0], self._request_wheels(indexes[0]))

    def _request_wheels(self, root: Url) -> Answer:
        return self._request(root.below(("uv",), directory=True), accept=_SIMPLE)

    def _with_credentials(self, found: SourceSettings) -> SourceSettings:
        """Return a detected source with the user's credential keys, if its origin is the same."""
        own = url_of(found).origin == self._url.origin
        return found.with_login_of(self._section) if own and found.kind != "index" else found

    def _request(self, url: Url, *, accept: str = "*/*") -> Answer:
        if (url, accept) not in self._answers:
            try:
                answer = self._answers[url, accept] = self._upstream.look(url, accept=accept)
            except Unreachable as error:
                if self._found.requests or error.url != str(url):
                    raise
                # The user has named the server, and not the path of our first guess.
                shown = str(self._url)
                raise Unreachable(shown, error.reason, passing=error.passing) from error
            self._found.requests.append(Request(url=url, answer=answer))
        return self._answers[url, accept]


def _report(found: Findings) -> list[str]:
    """Return a line for each request and attempt."""
    lines = [f"{request.url}: {_response(request)}" for request in found.requests]
    lines = [*dict.fromkeys(lines)]  # the same URL with another `Accept`
    guesses: dict[str, list[str]] = {}
    for attempt in found.attempts:
        kind = attempt.clue.kind
        if attempt.clue.reason:
            error = str(attempt.error).replace("\n", "\n    ")
            lines.append(f"tried `{kind}`, because {attempt.clue.reason}: {error}")
        else:
            guesses.setdefault(_outcome(attempt.error), []).append(f"`{kind}`")
    return lines + [f"not {' or '.join(kinds)}: {outcome}" for outcome, kinds in guesses.items()]


def _response(request: Request) -> str:
    answer = request.answer
    if answer.status != HTTPStatus.OK:
        return str(answer.status)
    body = describe(answer.body)
    answered = urlsplit(answer.url).hostname
    return _WORDS.get(body, body) + ("" if request.url.host == answered else f", from {answered}")


def _outcome(error: SourceError) -> str:
    """Describe in a few words why a guess was wrong."""
    if isinstance(error, StatusRefused):
        return str(error.status)
    if isinstance(error, UnexpectedBody):
        return "unexpected response"
    return "no release of uv" if isinstance(error, NoSuchVersion) else str(error)
