"""What kind of source a URL may be: clues from the URL, from headers, from a page.

Nothing here is proof. A clue names a kind and why; the source of that kind then proves it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from uv_self_update.credentials import GITHUB_HOSTS
from uv_self_update.settings import SourceSettings, check_source
from uv_self_update.sources.astral import MANIFEST
from uv_self_update.sources.documents import describe
from uv_self_update.sources.tree import below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.upstream import Answer

__all__ = (
    "ASKING_FOR_FOLDERS",
    "Clue",
    "account",
    "from_answer",
    "from_page",
    "from_url",
    "last_resorts",
)

ASKING_FOR_FOLDERS = frozenset({"listing", "index"})
"""The kinds that ask for the URL of a folder, which an Artifactory may take amiss."""

_OK = 200
_PAGE = 4096  # bytes at the start of a page that say what made it

_PATHS = (
    (r"/repository/[^/]+(?!.*/simple/?$)", "nexus", "its path has `/repository/` in it"),
    (r"/artifactory/(?!api/pypi)[^/]+", "artifactory", "its path has `/artifactory/` in it"),
    (r"(?:/|\+)simple(?:/uv)?/?$", "index", "its path ends in `simple`"),
    (r"/api/v4/projects/", "gitlab", "its path is that of GitLab's API"),
    (r"/api/(?:v1/)?packages/", "gitea", "its path is that of Gitea's API"),
    (r"/uv\.ndjson$", "astral", "its path ends in `uv.ndjson`"),
    (r"/api/pypi/[^/]+/?$", "index", "its path has `/api/pypi/` in it"),
)
_HOSTS = (
    (r"(?:^|\.)amazonaws\.com$", "s3", "its host is Amazon's S3"),
    (r"(?:^|\.)storage\.googleapis\.com$", "s3", "its host is Google's storage"),
    (r"\.blob\.", "s3", "its host is Azure's blob storage"),
    (r"^gitlab\.|^gitlab$", "gitlab", "its host is called gitlab"),
    (r"^(?:gitea|forgejo|codeberg)\.", "gitea", "its host is called like a Gitea or a Forgejo"),
    (r"^github\.", "github", "its host is called github"),
)
_HEADERS = (
    ("server", r"^nexus/", "nexus", "Nexus"),
    ("server", r"^artifactory/", "artifactory", "Artifactory"),
    ("x-artifactory-id", "", "artifactory", "Artifactory"),
    ("x-jfrog-version", "", "artifactory", "Artifactory"),
    ("x-gitlab-meta", "", "gitlab", "GitLab"),
    ("x-github-request-id", "", "github", "GitHub"),
    ("x-amz-request-id", "", "s3", "an S3 server"),
    ("x-goog-stored-content-length", "", "s3", "Google's storage"),
    ("x-ms-request-id", "", "s3", "Azure's blob storage"),
)
_PAGES = (
    (rb"content=.gitlab|gon\.gitlab_url|_gitlab_session", "gitlab", "it is a page of GitLab"),
    (rb"content=.(?:gitea|forgejo)|powered by (?:gitea|forgejo)", "gitea", "it is Gitea's page"),
    (rb"github-enterprise|content=.github", "github", "it is a page of GitHub"),
    (rb"<listbucketresult|<enumerationresults", "s3", "it lists a bucket"),
    (rb"pypi:repository-version|<title>[^<]*simple index", "index", "it is a package index"),
    (rb'"api-version"', "index", "it is a package index"),
    (rb"index of |directory listing|\[to parent directory\]", "listing", "it lists a folder"),
    (rb'^\s*\[\s*\{\s*"name"', "listing", "it lists a folder"),
)
_MAKERS = (
    (rb"sonatype nexus|nexus repository", "Nexus's own page: the URL of a repository is due, "),
    (rb"artifactory|jfrog", "Artifactory's own page: the URL of a repository is due, "),
)


@dataclass(frozen=True, kw_only=True)
class Clue:
    """That a URL may be of some kind."""

    settings: SourceSettings
    """The source that it would be."""

    reason: str
    """Why, after `because`."""


def from_url(url: str) -> Iterator[Clue]:
    """Return what a URL itself says."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host in GITHUB_HOSTS:
        yield from _clue("github", url, "its host is GitHub")
    for pattern, kind, reason in _PATHS:
        if re.search(pattern, parts.path):
            yield from _clue(kind, url, reason)
    for pattern, kind, reason in _HOSTS:
        if re.search(pattern, host):
            yield from _clue(kind, url, reason)


def from_answer(url: str, answer: Answer) -> Iterator[Clue]:
    """Return what the headers of an answer say, and an error that only one server words like that.

    The answer is to a request for Astral's manifest, which also may simply be there.
    """
    if answer.status == _OK and re.match(rb'\s*\{[^\n]*"version"[^\n]*"artifacts"', answer.body):
        yield from _clue("astral", url, "Astral's uv.ndjson is there")
    for name, pattern, kind, product in _HEADERS:
        if re.search(pattern, answer.headers.get(name, "-"), re.IGNORECASE) and (
            name in answer.headers
        ):
            yield from _clue(kind, url, f"{product} answers")
    if _is_artifactory_error(answer.body):
        yield from _clue("artifactory", url, "Artifactory answers")


def from_page(url: str, answer: Answer) -> Iterator[Clue]:
    """Return what the page at a URL says."""
    start = answer.body[:_PAGE].lower()
    for pattern, kind, reason in _PAGES:
        if re.search(pattern, start):
            yield from _clue(kind, url, reason)


def last_resorts(url: str) -> Iterator[Clue]:
    """Return what can be asked of any server without harm, when nothing else has helped."""
    for kind in ("listing", "github", "gitlab", "gitea", "s3", "index"):
        yield from _clue(kind, url, "it answers as one")
    yield from _clue("index", below(url, ("simple",), folder=True), "it answers as one")


def account(answer: Answer, url: str) -> str:
    """Say in a few words what came for a URL."""
    for pattern, what in _MAKERS:
        if answer.status == _OK and re.search(pattern, answer.body[:_PAGE].lower()):
            return f"{what}as in `{_repository_example(what, url)}`"
    if answer.status != _OK:
        return str(answer.status)
    was, came = urlsplit(url), urlsplit(answer.url)
    elsewhere = "" if was.hostname == came.hostname else f", which {came.hostname} has sent"
    return describe(answer.body) + elsewhere


def _repository_example(maker: str, url: str) -> str:
    parts = urlsplit(url)
    path = "/repository/NAME/" if maker.startswith("Nexus") else "/artifactory/NAME/"
    return f"{parts.scheme}://{parts.hostname}{path}"


def _clue(kind: str, url: str, reason: str) -> Iterator[Clue]:
    """Yield the clue, if a source of that kind can have such a URL."""
    if kind == "astral":
        url = _without(url, MANIFEST)
    if kind == "index":
        url = _without(url, ("uv",))
        if "/api/pypi/" in url and "/simple" not in url:
            url = below(url, ("simple",), folder=True)
    settings, problems = check_source({"kind": kind, "url": url})
    if not problems:
        yield Clue(settings=settings, reason=reason)


def _without(url: str, end: tuple[str, ...]) -> str:
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix("/" + "/".join(end))
    return urlunsplit(parts._replace(path=f"{path}/"))


def _is_artifactory_error(body: bytes) -> bool:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    errors = document.get("errors") if isinstance(document, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return isinstance(first, dict) and {"status", "message"} <= first.keys()
