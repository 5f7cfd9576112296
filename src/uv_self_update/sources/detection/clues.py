"""Clues about the kind of server at a URL: from the URL, from response headers, from a page.

A clue is a guess with a reason; the source of that kind then has to find releases.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.auth.credentials import GITHUB_HOSTS
from uv_self_update.config.kinds import SourceSettings, check_source
from uv_self_update.sources.astral import MANIFEST
from uv_self_update.sources.formats.documents import LOGIN_PAGE, describe, read_ndjson_line
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.network.responses import Answer
    from uv_self_update.url import Url


_MAX_LINE = 1 << 16  # bytes of a manifest's first line, which has about 5,000
_PAGE_START = 4096  # bytes of a page that are searched

_BROWSED = (
    (r"^(.*)/service/rest/repository/browse/", r"\1/repository/"),
    (r"^(.*?)/#browse/\w+:([^:/]+).*$", r"\1/repository/\2/"),
    (
        r"^(.*)/artifactory/(?:api/storage|list|webapp/#/artifacts/browse/tree/\w+)/",
        r"\1/artifactory/",
    ),
    (r"^(.*)/ui/(?:native|repos/tree/\w+)/", r"\1/artifactory/"),
    (r"^(.+?)/-/.*$", r"\1"),
    (r"^(.*)/index\.html?$", r"\1/"),
    (rf"^(.*)/{re.escape('/'.join(MANIFEST))}/?$", r"\1/"),
)
"""From the path of a web page to the path of its subject: browsing in Nexus (two forms) and
Artifactory (three), pages of a project in GitLab and Gitea, and files of an index or a mirror."""

_SERVER_IS = "the server is {}"
_PATHS = (
    (r"/repository/[^/]+(?!.*/simple(?:/uv)?/?$)", "nexus", "the path contains `/repository/`"),
    (r"/artifactory(?:$|/(?!api/pypi))", "artifactory", "the path contains `/artifactory/`"),
    (r"(?:/|\+)simple(?:/uv)?/?$", "index", "the path ends in `simple`"),
    (r"/api/v4/projects/", "gitlab", "the path is one of GitLab's API"),
    (r"/api/(?:v1/)?packages/", "gitea", "the path is one of Gitea's API"),
    (r"/api/pypi/[^/]+/?$", "index", "the path contains `/api/pypi/`"),
)
_HOSTS = (
    (r"(?:^|\.)amazonaws\.com$", "s3", "the host is Amazon S3"),
    (r"(?:^|\.)storage\.googleapis\.com$", "s3", "the host is Google Cloud Storage"),
    (r"\.blob\.", "s3", "the host is Azure Blob Storage"),
    (r"\.jfrog\.io$", "artifactory", "the host is JFrog's"),
    (r"^gitlab\.|^gitlab$", "gitlab", "the host is named gitlab"),
    (r"^(?:gitea|forgejo|codeberg)\.", "gitea", "the host is named gitea, forgejo or codeberg"),
    (r"^github\.", "github", "the host is named github"),
)
_HEADERS = (
    ("server", r"^nexus/", "nexus", "Nexus"),
    ("server", r"^artifactory/", "artifactory", "Artifactory"),
    ("x-artifactory-id", "", "artifactory", "Artifactory"),
    ("x-jfrog-version", "", "artifactory", "Artifactory"),
    ("x-gitlab-meta", "", "gitlab", "GitLab"),
    ("x-github-request-id", "", "github", "GitHub"),
    ("x-devpi-api-version", "", "index", "devpi"),
    ("x-amz-request-id", "", "s3", "an S3 server"),
    ("x-goog-stored-content-length", "", "s3", "Google Cloud Storage"),
    ("x-ms-request-id", "", "s3", "Azure Blob Storage"),
)
_DIRECTORY_LISTING = "it is a directory listing"
_PAGES = (
    (rb"<title>[^<]*nexus repository", "nexus", "it is a page of Nexus"),
    (rb"<title>[^<]*(?:jfrog|artifactory)", "artifactory", "it is a page of Artifactory"),
    (rb"content=.gitlab|gon\.gitlab_url|_gitlab_session", "gitlab", "it is a page of GitLab"),
    (rb"content=.(?:gitea|forgejo)|powered by (?:gitea|forgejo)", "gitea", "it is a page of Gitea"),
    (rb"github-enterprise|content=.github", "github", "it is a page of GitHub"),
    (rb"<listbucketresult|<enumerationresults", "s3", "it is a bucket listing"),
    (rb"index of |directory listing|\[to parent directory\]", "listing", _DIRECTORY_LISTING),
    (rb'^\s*\[\s*\{\s*"name"', "listing", _DIRECTORY_LISTING),
    (rb"\?sort=name", "listing", _DIRECTORY_LISTING),
)
_MAX_INDEXES = 8
"""Indexes of one devpi server to try; each costs a request."""

_DEVPI_NAME = re.compile(r"[\w.-]{1,128}", re.ASCII)
_FILE = re.compile(r"/[^/]+\.(?:json|ndjson|txt|toml|xml|gz|zip|sh|ps1|sha256|sum|whl)$")
_WHEEL = re.compile(rb"uv-[0-9][^\"'<>/]{0,200}?\.whl")
_REPOSITORY = re.compile(r"^((?:/[^/]+){2,}?)(?:\.git|/(?:releases|tags|tree)(?:/.*)?)/?$")
_NO_ARTIFACTORY_REPOSITORY = re.compile(r"/artifactory/?$|/artifactory/(?:api|ui|webapp)\b|^/ui\b")


@frozen
class Clue:
    """A kind of source that a URL may have."""

    kind: str

    reason: str
    """The reason, after `because`; empty for a guess without one."""

    settings: SourceSettings | None
    """The source of that kind; None if the URL is not valid for one."""


def source_url(url: Url) -> Url:
    """Return the URL of a source, from the URL of a web page about it."""
    path = f"{url.parts.path}#{url.parts.fragment}".removesuffix("#")
    for pattern, replacement in _BROWSED:
        path = re.sub(pattern, replacement, path, count=1)
    return url.at(path.partition("#")[0], url.parts.query)


def is_file(url: Url) -> bool:
    """Return whether the path of a URL ends in the name of a file."""
    return _FILE.search(url.parts.path) is not None


def is_web_page(answer: Answer) -> bool:
    """Return whether a response is a web page."""
    return describe(answer.body).startswith("a web page")


def is_login_page(answer: Answer) -> bool:
    """Return whether a response is a login page."""
    return describe(answer.body) == LOGIN_PAGE


def from_url(url: Url) -> Iterator[Clue]:
    """Yield the clues in the URL itself."""
    if url.host in GITHUB_HOSTS:
        yield _clue("github", url, "the host is GitHub")
    for pattern, kind, reason in _PATHS:
        if re.search(pattern, url.parts.path):
            yield _clue(kind, url, reason)
    for pattern, kind, reason in _HOSTS:
        if re.search(pattern, url.host) and url.host not in GITHUB_HOSTS:
            yield _clue(kind, url, reason)


def from_answer(url: Url, answer: Answer) -> Iterator[Clue]:
    """Yield the clues in the response to a request for Astral's manifest.

    They are the manifest itself, the headers, and the format of Artifactory's errors.
    """
    first = answer.body[:_MAX_LINE].lstrip().split(b"\n")[0]
    if answer.status == HTTPStatus.OK and b'"artifacts"' in first and read_ndjson_line(first):
        yield _clue("astral", url, "it has Astral's uv.ndjson")
    for name, pattern, kind, product in _HEADERS:
        if name in answer.headers and re.search(pattern, answer.headers[name], re.IGNORECASE):
            # The URL of a devpi index is a web page; its simple API is below that.
            root = _extended(url, "+simple/") if kind == "index" else url
            yield _clue(kind, root, _SERVER_IS.format(product))
    if _is_artifactory_error(answer.body):
        yield _clue("artifactory", url, _SERVER_IS.format("Artifactory"))


def from_page(url: Url, answer: Answer) -> Iterator[Clue]:
    """Yield the clues in the page at a URL."""
    start = answer.body[:_PAGE_START].lower()
    for pattern, kind, reason in _PAGES:
        if re.search(pattern, start):
            yield _clue(kind, url, reason)


def last_resorts(url: Url, manifest: Answer, page: Answer) -> Iterator[Clue]:
    """Yield the kinds that can be tried with any server without harm, if no clue was right."""
    kinds: tuple[str, ...] = ("github", "gitlab", "gitea", "s3")
    if _refuses_everything(manifest, page):
        kinds = ()
    elif page.status == HTTPStatus.OK and not is_login_page(page):
        kinds = ("listing", *kinds)
    for kind in kinds:
        clue = _clue(kind, url, "")
        if clue.settings is not None:
            yield clue


def index_roots(url: Url, manifest: Answer, page: Answer) -> Iterator[Url]:
    """Yield the possible roots of a package index; the arguments are those of last_resorts."""
    if not _refuses_everything(manifest, page):
        yield _without_uv(url)
        yield _extended(url, "simple/")
        yield _extended(url, "index/")  # proxpi


def from_index_page(root: Url, answer: Answer) -> Iterator[Clue]:
    """Yield a clue if the page of uv in an index lists wheels."""
    if answer.status == HTTPStatus.OK and _WHEEL.search(answer.body):
        yield _clue("index", root, "it lists wheels of uv")


def is_devpi(answer: Answer) -> bool:
    """Return whether the server is devpi."""
    return "x-devpi-api-version" in answer.headers


def devpi_roots(url: Url, users: Answer) -> Iterator[Url]:
    """Yield the roots of a devpi server's indexes, at most `_MAX_INDEXES`.

    Args:
        url: Any URL of the server.
        users: The response to a request for JSON at its root: users, each with their indexes.
    """
    try:
        result = json.loads(users.body)["result"]
        found = [(user, index) for user in result for index in result[user]["indexes"]]
    except (ValueError, RecursionError, LookupError, TypeError):
        return
    for user, index in found[:_MAX_INDEXES]:
        if _DEVPI_NAME.fullmatch(user) and _DEVPI_NAME.fullmatch(index):
            yield url.at(f"/{user}/{index}/+simple/")


def _refuses_everything(manifest: Answer, page: Answer) -> bool:
    """Return whether the server answers both requests with 401, or both with one 5xx status."""
    status = manifest.status
    refused = status == HTTPStatus.UNAUTHORIZED or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return refused and page.status == status


def _clue(kind: str, url: Url, reason: str) -> Clue:
    path = url.parts.path
    match kind:
        case "index":
            url = _without_uv(url)
            if "/api/pypi/" in path and "/simple" not in path:
                url = _extended(url, "simple/")
        case "github" | "gitea":
            url = url.at(_REPOSITORY.sub(r"\1", path), url.parts.query)
        case "artifactory" if _NO_ARTIFACTORY_REPOSITORY.search(path):
            return Clue(kind=kind, reason=reason, settings=None)
    settings, problems = check_source({"kind": kind, "url": url.text})
    return Clue(kind=kind, reason=reason, settings=None if problems else settings)


def _without_uv(url: Url) -> Url:
    path = url.parts.path.rstrip("/").removesuffix("/uv")
    return url.at(f"{path}/", url.parts.query)


def _extended(url: Url, end: str) -> Url:
    return url.at(f"{url.parts.path.rstrip('/')}/{end}", url.parts.query)


def _is_artifactory_error(body: bytes) -> bool:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    errors = document.get("errors") if isinstance(document, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return isinstance(first, dict) and {"status", "message"} <= first.keys()
