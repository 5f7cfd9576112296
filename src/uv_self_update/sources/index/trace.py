"""A parser for uv's log: the versions that it considered, the indexes that it requested.

uv's error messages name neither the index that answered nor the place of its credentials. Its log
does, in the words below (from uv 0.5.0, 0.8.24, 0.11.13 and 0.13.9). If a later uv changes its
words, facts are missing, but none is wrong.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from uv_self_update.redaction import redact_url
from uv_self_update.values import frozen, replace
from uv_self_update.versions import VERSION, without_local

Place = Literal["configured", "netrc", "keyring", "store"]
"""The place of credentials; `configured` is the URL of the index, or the variables for it."""

_FETCHING = re.compile(r"Fetching metadata for uv from (\S+)")
_STATUS = re.compile(r"(?:failed with|with status|response HTTP|status code) (\d{3})\b")
_REQUEST = re.compile(r"Request for (\S+) (?:is )?(?:already|missing a password)\b")
_USER = re.compile(r'username: Username\(Some\("([^"]*)"\)\)')
_FOUND: dict[re.Pattern[str], Place] = {
    re.compile(r"Found cached credentials"): "configured",
    re.compile(r"Request for \S+ (?:is )?already\b"): "configured",
    re.compile(r"Found credentials in netrc"): "netrc",
    re.compile(r"Found credentials in keyring"): "keyring",
    re.compile(r"Found credentials (?:in|from) (?:native|plaintext|token) store"): "store",
}
_SELECTING = re.compile(r"Selecting: uv==(\S+) \[")
_UNDATED = re.compile(r"uv-([^-\s]+)-\S*\.whl is missing an upload date")


@frozen
class Inquiry:
    """uv's request to one index for the page of uv."""

    url: str
    """The page of uv, without credentials."""

    status: int | None = None
    """The last status; None without a response, or if the log does not say."""

    credentials: Place | None = None
    """The place of the credentials that were sent; None if none were sent."""

    user: str | None = None


def inquiries(log: str) -> tuple[Inquiry, ...]:
    """Return the requests to indexes, in order.

    Args:
        log: The stderr of uv; it may contain passwords.
    """
    found: list[Inquiry] = []
    for line in log.replace("`", "").splitlines():
        if fetching := _FETCHING.search(line):
            found.append(Inquiry(url=page_url(fetching[1])))
        if not found:
            continue
        last = found[-1]
        if status := _STATUS.search(line):
            last = replace(last, status=int(status[1]))
        for words, place in _FOUND.items():
            if words.search(line):
                last = replace(last, credentials=place)
        if request := _REQUEST.search(line):
            last = replace(last, user=user_of(request[1]))
        elif user := _USER.search(line):
            last = replace(last, user=user[1])
        found[-1] = last
    return tuple(found)


def undated(log: str) -> tuple[str, ...]:
    """Return the versions that uv skipped because their wheels have no upload time."""
    return tuple(dict.fromkeys(_UNDATED.findall(log.replace("`", ""))))


def considered(log: str) -> tuple[str, ...]:
    """Return the versions that uv considered to install, in order."""
    found = (without_local(version) for version in _SELECTING.findall(log))
    return tuple(dict.fromkeys(version for version in found if VERSION.fullmatch(version)))


def page_url(url: str) -> str:
    """Return a redacted URL without its userinfo."""
    try:
        parts = urlsplit(url)
        return redact_url(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    except ValueError:
        return "***"


def user_of(url: str) -> str | None:
    """Return the user in a URL; None without one. uv logs a user without a password as `****`."""
    try:
        user = urlsplit(url).username or ""
    except ValueError:
        return None
    return None if set(user) <= {"*"} else unquote(user)
