"""The hint for a URL whose kind was not detected: what to check, what to configure."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from uv_self_update.errors import GONE, NoSuchVersion, StatusRefused, UnexpectedBody
from uv_self_update.sources.detection.clues import is_file, is_login_page
from uv_self_update.sources.formats.documents import read_versions
from uv_self_update.sources.layout import version_of_directory
from uv_self_update.values import field, frozen

if TYPE_CHECKING:
    from uv_self_update.errors import SourceError
    from uv_self_update.network.responses import Answer
    from uv_self_update.sources.detection.clues import Clue
    from uv_self_update.url import Url


_CREDENTIALS = (
    "Pass `--token-env VARIABLE`, or `--username NAME --password-env VARIABLE`, to `init`; or add "
    "credentials to netrc or with `uv auth login`."
)
_GITHUB = (
    "For GitHub, set GH_TOKEN. For GitHub Enterprise Server, write `github+` before the URL and "
    "set UV_GITHUB_TOKEN."
)
_UNAUTHENTICATED = f"The server requires authentication. {_CREDENTIALS} {_GITHUB}"
_REJECTED = f"The server rejected the credentials from {{place}}. {_GITHUB}"
_LOGIN_PAGE = f"The server answers with a login page. {_CREDENTIALS}"
_FORBIDDEN = f"The server refuses access, perhaps because credentials are missing. {_CREDENTIALS}"
_NOT_FOUND = f"Check the URL. The server may also hide it without credentials. {_CREDENTIALS}"
_NAMES = (
    "Releases of uv are recognized by their names: `0.13.9/{archive}`, or `uv-0.13.9-{rest}` if "
    "all are in one directory."
)
_MANUAL = """\
If the server has uv, write its kind before the URL, as in `nexus+{directory}`: `index`, `github`, \
`astral`, `listing`, `nexus`, `artifactory`, `gitlab`, `gitea` or `s3`. Or configure two URLs:
{urls}"""
_VERSIONS = """\
That file names versions of uv, but not their download URLs. Configure both:
{urls}"""
_INDEXES = """\
The server has several indexes with wheels of uv. Use the URL of one:
{urls}"""
_URLS = """\
    [[source]]
    kind = "urls"
    latest = "{latest}"
    download = "{directory}{{tag}}/{{asset}}\""""
_PRODUCTS = {
    "devpi": ("devpi", "an index", "/USER/INDEX/+simple/"),
    "nexus": ("Nexus", "a repository", "/repository/NAME/"),
    "artifactory": ("Artifactory", "a repository", "/artifactory/NAME/"),
    "gitlab": ("GitLab", "a project", "/GROUP/PROJECT"),
    "gitea": ("Gitea or Forgejo", "a repository", "/OWNER/REPO"),
    "github": ("GitHub", "a repository", "/OWNER/REPO"),
}


@frozen
class Request:
    """A request, and its response."""

    url: Url
    answer: Answer


@frozen
class Attempt:
    """A kind that was tried, and its error."""

    clue: Clue
    error: SourceError


@frozen
class Findings:
    """The requests and attempts of a detection, in order, added as they are made."""

    url: Url

    requests: list[Request] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)

    invalid: list[Clue] = field(default_factory=list)
    """The clues to kinds for which the URL is invalid, such as the root of a Nexus."""

    indexes: list[Url] = field(default_factory=list)
    """The roots of the indexes with uv, if the server has several."""


def advice(found: Findings, archive: str, credentials: str | None = None) -> str:
    """Return the hint for an error without a result.

    `credentials` is the place that they came from; None if none were sent.
    """
    if _statuses(found) == {HTTPStatus.UNAUTHORIZED}:
        return _UNAUTHENTICATED if credentials is None else _REJECTED.format(place=credentials)
    if found.indexes:
        return _INDEXES.format(urls="\n".join(f"    index+{_plain(url)}" for url in found.indexes))
    directory = _directory(found.url)
    for request in found.requests:
        if request.url == found.url and _names_versions(request.answer):
            file = _plain(found.url)
            directory = directory if is_file(found.url) else file.rpartition("/")[0] + "/"
            return _VERSIONS.format(urls=_URLS.format(latest=file, directory=directory))
    if found.invalid and not any(attempt.clue.reason for attempt in found.attempts):
        product, noun, path = _PRODUCTS[found.invalid[0].kind]
        example = _server(found.url) + path
        return f"The server is {product}; use the URL of {noun}, as in `{example}`."
    urls = _URLS.format(latest=f"{directory}latest.txt", directory=directory)
    manual = _MANUAL.format(directory=directory, urls=urls)
    if is_file(found.url):
        first = f"The URL points to a file; use the URL of its directory, as in `{directory}`."
        return f"{first}\n{manual}"
    reason = _likeliest_reason(found, archive)
    return manual if reason is None else f"{reason}\n{manual}"


def _likeliest_reason(found: Findings, archive: str) -> str | None:
    errors = [attempt.error for attempt in found.attempts]
    with_reason = [attempt.error for attempt in found.attempts if attempt.clue.reason]
    if with_reason and isinstance(with_reason[0], StatusRefused):
        return with_reason[0].hint
    if any(isinstance(error, NoSuchVersion) for error in errors):
        return _NAMES.format(archive=archive, rest=archive.removeprefix("uv-"))
    if any(is_login_page(request.answer) for request in found.requests):
        return _LOGIN_PAGE
    statuses = _statuses(found)
    if min(statuses, default=HTTPStatus.OK) >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "The server failed: try again later."
    if HTTPStatus.FORBIDDEN in statuses:
        return _FORBIDDEN
    if statuses <= GONE:
        return _NOT_FOUND
    return with_reason[0].hint if with_reason else None


def _statuses(found: Findings) -> set[int]:
    """Return the statuses of all responses."""
    errors = [attempt.error for attempt in found.attempts]
    refused = {error.status for error in errors if isinstance(error, StatusRefused)}
    return {request.answer.status for request in found.requests} | refused


def _names_versions(answer: Answer) -> bool:
    """Return whether a response is a valid `latest` of a source of kind `urls`."""
    try:
        return answer.status == HTTPStatus.OK and bool([*read_versions(iter([answer.body]), "")])
    except UnexpectedBody:
        return False


def _plain(url: Url) -> str:
    """Return a URL without credentials and query, to be written to a file."""
    return url.at(url.parts.path).wire


def _directory(url: Url) -> str:
    """Return the directory of a URL; for a file of one version, the directory of all versions."""
    plain = _plain(url)
    if not is_file(url):
        return plain.rstrip("/") + "/"
    directory = plain.rpartition("/")[0]
    parent, _, name = directory.rpartition("/")
    return f"{directory if version_of_directory(name) is None else parent}/"


def _server(url: Url) -> str:
    """Return the URL of a server; Nexus often has the context path `/nexus`."""
    return url.at("/nexus" if url.parts.path.startswith("/nexus") else "").wire
