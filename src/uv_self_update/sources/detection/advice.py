"""What to tell a person whose URL could not be told to be a source: what to try, what to write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from uv_self_update.auth.credentials import without_userinfo
from uv_self_update.errors import GONE, NoSuchVersion, StatusRefused, UnexpectedBody
from uv_self_update.network.responses import Document
from uv_self_update.sources.detection.clues import is_file, is_login_page
from uv_self_update.sources.formats.documents import read_version_list
from uv_self_update.sources.layout import version_of_folder

if TYPE_CHECKING:
    from uv_self_update.errors import SourceError
    from uv_self_update.network.responses import Answer
    from uv_self_update.sources.detection.clues import Clue


_OK = 200
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_BROKEN = 500

_WAYS = (
    "`init` takes `--token-env VARIABLE`, or `--username NAME --password-env VARIABLE`; netrc and "
    "`uv auth login` do as well."
)
_FOR_GITHUB = (
    "A token for GitHub goes into GH_TOKEN. For a GitHub of your own, write `github+` before the "
    "URL, and put the token into UV_GITHUB_TOKEN."
)
_LOG_IN = f"The server asks for a login. {_WAYS} {_FOR_GITHUB}"
_NOT_ACCEPTED = (
    f"The server does not accept the login that it got, which is from {{place}}. {_FOR_GITHUB}"
)
_LOG_IN_BY_URL = f"A page to log in is for people; this program needs a login as well. {_WAYS}"
_CLOSED = f"The server does not show what it has, or not without a login. {_WAYS}"
_NOTHING = f"Nothing is there, or nothing that may be seen without a login: check the URL. {_WAYS}"
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

    login: str | None = None
    """Where the login comes from that the server got; None if it got none."""


def advice(found: Findings, archive: str) -> str:
    """Say what to try, and what to write by hand.

    Args:
        found: What came of the examination.
        archive: The name of this platform's archive.
    """
    statuses = _statuses(found)
    if statuses == {_UNAUTHORIZED}:
        return _LOG_IN if found.login is None else _NOT_ACCEPTED.format(place=found.login)
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
    if any(is_login_page(look.answer) for look in found.looks):
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
