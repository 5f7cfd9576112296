"""What kind of source a URL may be: clues from the URL, from headers, from a page.

Nothing here is proof. A clue names a kind and why; the source of that kind then proves it. If none
does, what came of it all decides what a person is told to do.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from uv_self_update.credentials import GITHUB_HOSTS, without_userinfo
from uv_self_update.errors import GONE, NoSuchVersion, StatusRefused, UnexpectedBody
from uv_self_update.settings import SourceSettings, check_source
from uv_self_update.sources.astral import MANIFEST
from uv_self_update.sources.documents import describe, read_version_list
from uv_self_update.sources.layout import version_of_folder
from uv_self_update.upstream import Document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uv_self_update.errors import SourceError
    from uv_self_update.upstream import Answer

__all__ = (
    "Attempt",
    "Clue",
    "Findings",
    "Look",
    "advice",
    "from_answer",
    "from_index_page",
    "from_page",
    "from_url",
    "index_roots",
    "is_file",
    "is_web_page",
    "last_resorts",
    "proper",
)

_OK = 200
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_BROKEN = 500
_PAGE = 4096  # bytes at the start of a page that say what made it

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
"""From the paths of pages for browsers to those that the pages are about: Nexus's two ways to
browse, Artifactory's three, what GitLab and Gitea have below a project, and files."""

_PATHS = (
    (r"/repository/[^/]+(?!.*/simple(?:/uv)?/?$)", "nexus", "its path has `/repository/` in it"),
    (r"/artifactory(?:$|/(?!api/pypi))", "artifactory", "its path has `/artifactory/` in it"),
    (r"(?:/|\+)simple(?:/uv)?/?$", "index", "its path ends in `simple`"),
    (r"/api/v4/projects/", "gitlab", "its path is that of GitLab's API"),
    (r"/api/(?:v1/)?packages/", "gitea", "its path is that of Gitea's API"),
    (r"/api/pypi/[^/]+/?$", "index", "its path has `/api/pypi/` in it"),
)
_HOSTS = (
    (r"(?:^|\.)amazonaws\.com$", "s3", "its host is Amazon's S3"),
    (r"(?:^|\.)storage\.googleapis\.com$", "s3", "its host is Google's storage"),
    (r"\.blob\.", "s3", "its host is Azure's blob storage"),
    (r"\.jfrog\.io$", "artifactory", "its host is JFrog's"),
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
    ("x-devpi-api-version", "", "index", "devpi"),
    ("x-amz-request-id", "", "s3", "an S3 server"),
    ("x-goog-stored-content-length", "", "s3", "Google's storage"),
    ("x-ms-request-id", "", "s3", "Azure's blob storage"),
)
_PAGES = (
    (rb"<title>[^<]*nexus repository", "nexus", "it is a page of Nexus"),
    (rb"<title>[^<]*(?:jfrog|artifactory)", "artifactory", "it is a page of Artifactory"),
    (rb"content=.gitlab|gon\.gitlab_url|_gitlab_session", "gitlab", "it is a page of GitLab"),
    (rb"content=.(?:gitea|forgejo)|powered by (?:gitea|forgejo)", "gitea", "it is Gitea's page"),
    (rb"github-enterprise|content=.github", "github", "it is a page of GitHub"),
    (rb"<listbucketresult|<enumerationresults", "s3", "it lists a bucket"),
    (rb"pypi:repository-version|<title>[^<]*simple index", "index", "it is a package index"),
    (rb'"api-version"', "index", "it is a package index"),
    (rb"index of |directory listing|\[to parent directory\]", "listing", "it lists a folder"),
    (rb'^\s*\[\s*\{\s*"name"', "listing", "it lists a folder"),
    (rb"\?sort=name", "listing", "it lists a folder"),
)
_FILE = re.compile(r"/[^/]+\.(?:json|ndjson|txt|toml|xml|gz|zip|sh|ps1|sha256|sum|whl)$")
_WHEEL = re.compile(rb"uv-[0-9][^\"'<>/]*\.whl")
_REPOSITORY = re.compile(r"^((?:/[^/]+){2,}?)(?:\.git|/(?:releases|tags|tree)(?:/.*)?)/?$")
_NO_ARTIFACTORY_REPOSITORY = re.compile(r"/artifactory/?$|/artifactory/(?:api|ui|webapp)\b|^/ui\b")

_LOGIN_PAGE = "a web page to log in"
_LOG_IN = (
    "The server asks for a login: put `user:password@` into the URL, behind the `://`. A token "
    "goes where the password goes; one for GitHub into GH_TOKEN, or into UV_GITHUB_TOKEN for a "
    "server of your own."
)
_LOG_IN_BY_URL = (
    "A page to log in is for people: for this program, put `user:password@` into the URL, behind "
    "the `://`; a token goes where the password goes."
)
_CLOSED = (
    "The server does not show what it has, or not without a login: put `user:password@` into the "
    "URL, behind the `://`."
)
_NOTHING = (
    "Nothing is there, or nothing that may be seen without a login: check the URL, or put "
    "`user:password@` into it, behind the `://`."
)
_NAMES = (
    "uv's releases are known by their names: `0.13.9/{archive}`, or `uv-0.13.9-{rest}` where all "
    "lie in one folder."
)
_BY_HAND = """\
If uv is there, write what serves it before the URL, as in `nexus+{folder}`: `index`, `github`, \
`astral`, `listing`, `nexus`, `artifactory`, `gitlab`, `gitea` or `s3`. Or name two URLs in the \
configuration:
{urls}"""
_VERSIONS = """\
That file names versions of uv, but not where their files are. Write both into the configuration:
{urls}"""
_URLS = """\
    [[source]]
    kind = "urls"
    latest = "{latest}"
    download = "{folder}{{tag}}/{{asset}}\""""
_PLACES = {
    "nexus": ("Nexus", "a repository", "/repository/NAME/"),
    "artifactory": ("Artifactory", "a repository", "/artifactory/NAME/"),
    "gitlab": ("GitLab", "a project", "/GROUP/PROJECT"),
    "gitea": ("Gitea or Forgejo", "a repository", "/OWNER/REPO"),
    "github": ("GitHub", "a repository", "/OWNER/REPO"),
}


@dataclass(frozen=True, kw_only=True)
class Clue:
    """That a URL may be of some kind."""

    kind: str

    reason: str
    """Why, after `because`; empty where nothing says so."""

    settings: SourceSettings | None
    """The source that it would be; None where the URL is not that of a source of that kind."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """A URL that was looked at, and what came."""

    url: str
    answer: Answer


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """A kind that a URL could have been of, and why it is not."""

    clue: Clue
    error: SourceError


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What came of an examination that has found no uv, in order."""

    url: str
    """The URL that was examined; it may hold a login."""

    looks: tuple[Look, ...]
    attempts: tuple[Attempt, ...]

    unfit: tuple[Clue, ...]
    """What answers there, though the URL is not one that a source can have."""


def proper(url: str) -> str:
    """Return the URL that a person means who has copied that of a page out of a browser."""
    parts = urlsplit(url)
    place = f"{parts.path}#{parts.fragment}"
    place = place.removesuffix("#")
    for pattern, meant in _BROWSED:
        place = re.sub(pattern, meant, place, count=1)
    return urlunsplit(parts._replace(path=place.partition("#")[0], fragment=""))


def is_file(url: str) -> bool:
    """Return whether a URL is called like that of a file, rather than of a folder."""
    return _FILE.search(urlsplit(url).path) is not None


def is_web_page(answer: Answer) -> bool:
    """Return whether an answer is for people to read."""
    return describe(answer.body).startswith("a web page")


def from_url(url: str) -> Iterator[Clue]:
    """Return what a URL itself says."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if host in GITHUB_HOSTS:
        yield _clue("github", url, "its host is GitHub")
    for pattern, kind, reason in _PATHS:
        if re.search(pattern, parts.path):
            yield _clue(kind, url, reason)
    for pattern, kind, reason in _HOSTS:
        if re.search(pattern, host) and host not in GITHUB_HOSTS:
            yield _clue(kind, url, reason)


def from_answer(url: str, answer: Answer) -> Iterator[Clue]:
    """Return what the headers of an answer say, and an error that only one server words like that.

    The answer is to a request for Astral's manifest, which also may simply be there.
    """
    if answer.status == _OK and re.match(rb'\s*\{[^\n]*"version"[^\n]*"artifacts"', answer.body):
        yield _clue("astral", url, "Astral's uv.ndjson is there")
    for name, pattern, kind, product in _HEADERS:
        if name in answer.headers and re.search(pattern, answer.headers[name], re.IGNORECASE):
            # An index of devpi has its own page at the URL, and what uv reads below that.
            place = _extended(url, "+simple/") if kind == "index" else url
            yield _clue(kind, place, f"{product} answers")
    if _is_artifactory_error(answer.body):
        yield _clue("artifactory", url, "Artifactory answers")


def from_page(url: str, answer: Answer) -> Iterator[Clue]:
    """Return what the page at a URL says."""
    start = answer.body[:_PAGE].lower()
    for pattern, kind, reason in _PAGES:
        if re.search(pattern, start):
            yield _clue(kind, url, reason)


def last_resorts(url: str, manifest: Answer, page: Answer) -> Iterator[Clue]:
    """Return what can be asked of any server without harm, when nothing else has helped.

    Args:
        url: The URL.
        manifest: What came for Astral's manifest.
        page: What came for the page at the URL.
    """
    refused = _refused(manifest, page)
    kinds: tuple[str, ...] = ("github", "gitlab", "gitea", "s3")
    if refused == _UNAUTHORIZED:
        # A token of the environment is sent to GitHub's API only, and so has not been yet.
        kinds = ("github",)
    elif refused >= _BROKEN:
        kinds = ()
    elif page.status == _OK and describe(page.body) != _LOGIN_PAGE:
        kinds = ("listing", *kinds)
    for kind in kinds:
        clue = _clue(kind, url, "")
        if clue.settings is not None:
            yield clue


def index_roots(url: str, manifest: Answer, page: Answer) -> Iterator[str]:
    """Return where the root of a package index may be; the arguments are those of last_resorts."""
    refused = _refused(manifest, page)
    if refused != _UNAUTHORIZED and refused < _BROKEN:
        yield _without(url, ("uv",))
        yield _extended(url, "simple/")


def from_index_page(root: str, answer: Answer) -> Iterator[Clue]:
    """Return what an index says of uv: its own page lists wheels."""
    if answer.status == _OK and _WHEEL.search(answer.body):
        yield _clue("index", root, "it lists wheels of uv")


def advice(found: Findings, archive: str) -> str:
    """Say what to try, and what to write by hand.

    Args:
        found: What came of the examination.
        archive: The name of this platform's archive.
    """
    statuses = _statuses(found)
    if statuses == {_UNAUTHORIZED}:
        return _LOG_IN
    folder = _folder(found.url)
    for look in found.looks:
        if look.url == found.url and _names_versions(look.answer):
            file = _plain(found.url)
            folder = folder if is_file(file) else file.rpartition("/")[0] + "/"
            urls = _URLS.format(latest=file, folder=folder)
            return _VERSIONS.format(urls=urls)
    if found.unfit and not any(attempt.clue.reason for attempt in found.attempts):
        product, what, place = _PLACES[found.unfit[0].kind]
        example = _server(found.url) + place
        return f"The server is {product}: the URL of {what} is due, as in `{example}`."
    urls = _URLS.format(latest=f"{folder}latest.txt", folder=folder)
    by_hand = _BY_HAND.format(folder=folder, urls=urls)
    if is_file(found.url):
        first = f"That is called as a file is: the URL of a folder is due, as in `{folder}`."
        return f"{first}\n{by_hand}"
    reason = _likeliest_reason(found, archive)
    return by_hand if reason is None else f"{reason}\n{by_hand}"


def _likeliest_reason(found: Findings, archive: str) -> str | None:
    errors = [attempt.error for attempt in found.attempts]
    named = [attempt.error for attempt in found.attempts if attempt.clue.reason]
    if named and isinstance(named[0], StatusRefused):
        return named[0].hint
    if any(isinstance(error, NoSuchVersion) for error in errors):
        return _NAMES.format(archive=archive, rest=archive.removeprefix("uv-"))
    if any(describe(look.answer.body) == _LOGIN_PAGE for look in found.looks):
        return _LOG_IN_BY_URL
    statuses = _statuses(found)
    if min(statuses, default=_OK) >= _BROKEN:
        return "The server has a problem of its own: try again later."
    if _FORBIDDEN in statuses:
        return _CLOSED
    if statuses <= GONE:
        return _NOTHING
    return named[0].hint if named else None


def _statuses(found: Findings) -> set[int]:
    """Return every status that came."""
    errors = [attempt.error for attempt in found.attempts]
    refused = {error.status for error in errors if isinstance(error, StatusRefused)}
    return {look.answer.status for look in found.looks} | refused


def _names_versions(answer: Answer) -> bool:
    """Return whether an answer is a file that a source of kind `urls` can have as its `latest`."""
    document = Document(url=answer.url, content_type="", body=answer.body, links={})
    try:
        return answer.status == _OK and bool(read_version_list(document))
    except UnexpectedBody:
        return False


def _plain(url: str) -> str:
    """Return a URL without its login and its query, to be written into a file."""
    parts = urlsplit(without_userinfo(url))
    return urlunsplit(parts._replace(query="", fragment=""))


def _folder(url: str) -> str:
    """Return the folder that a URL is, or is in; of a file of one version, that of all versions."""
    plain = _plain(url)
    if not is_file(plain):
        return plain.rstrip("/") + "/"
    folder = plain.rpartition("/")[0]
    above, _, name = folder.rpartition("/")
    return f"{folder if version_of_folder(name) is None else above}/"


def _server(url: str) -> str:
    """Return the address of a server; Nexus often lives below a path of its own name."""
    parts = urlsplit(_plain(url))
    above = "/nexus" if parts.path.startswith("/nexus") else ""
    return f"{parts.scheme}://{parts.netloc}{above}"


def _refused(manifest: Answer, page: Answer) -> int:
    """Return the status with which a server answers whatever it is asked; 200 if it is not so."""
    return manifest.status if manifest.status == page.status else _OK


def _clue(kind: str, url: str, reason: str) -> Clue:
    parts = urlsplit(url)
    match kind:
        case "index":
            url = _without(url, ("uv",))
            if "/api/pypi/" in url and "/simple" not in url:
                url = _extended(url, "simple/")
        case "github" | "gitea":
            path = _REPOSITORY.sub(r"\1", parts.path)
            url = urlunsplit(parts._replace(path=path))
        case "artifactory" if _NO_ARTIFACTORY_REPOSITORY.search(parts.path):
            return Clue(kind=kind, reason=reason, settings=None)
    settings, problems = check_source({"kind": kind, "url": url})
    return Clue(kind=kind, reason=reason, settings=None if problems else settings)


def _without(url: str, end: tuple[str, ...]) -> str:
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix("/" + "/".join(end))
    return urlunsplit(parts._replace(path=f"{path}/"))


def _extended(url: str, end: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{end}"))


def _is_artifactory_error(body: bytes) -> bool:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    errors = document.get("errors") if isinstance(document, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return isinstance(first, dict) and {"status", "message"} <= first.keys()
