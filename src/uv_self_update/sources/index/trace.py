"""uv's own log of one question to its indexes: which were asked, with what, what they answered.

The messages that uv prints name neither the index that answered nor the place of the credentials.
Its log does, in the words below (read from uv 0.5.0, 0.8.24, 0.11.13 and 0.13.9). Where a later
uv says it in other words, less is known, and nothing false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from uv_self_update.redaction import redact_url

Place = Literal["configured", "netrc", "keyring", "store"]
"""Where uv has found credentials; `configured` is the URL of the index or its variables."""

_ASKED = re.compile(r"Fetching metadata for uv from (\S+)")
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
_UNDATED = re.compile(r"uv-([^-\s]+)-\S*\.whl is missing an upload date")


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """One index that was asked for uv."""

    url: str
    """The page of uv, without credentials."""

    status: int | None = None
    """What it answered in the end; None where nothing came, or uv does not say."""

    credentials: Place | None = None
    """Where those that it got come from; None if it got none."""

    user: str | None = None


def inquiries(log: str) -> tuple[Inquiry, ...]:
    """Return the indexes that were asked, in order.

    Args:
        log: What uv wrote to stderr; it may hold passwords.
    """
    found: list[Inquiry] = []
    for line in log.replace("`", "").splitlines():
        if asked := _ASKED.search(line):
            found.append(Inquiry(url=page_url(asked[1])))
        if not found:
            continue
        last = found[-1]
        if status := _STATUS.search(line):
            last = replace(last, status=int(status[1]))
        for words, place in _FOUND.items():
            if words.search(line):
                last = replace(last, credentials=place)
        if request := _REQUEST.search(line):
            last = replace(last, user=_user(request[1]))
        elif user := _USER.search(line):
            last = replace(last, user=user[1])
        found[-1] = last
    return tuple(found)


def undated(log: str) -> tuple[str, ...]:
    """Return the versions that uv left out since their wheels have no upload time."""
    return tuple(dict.fromkeys(_UNDATED.findall(log.replace("`", ""))))


def page_url(url: str) -> str:
    """Return a URL as it may be shown, without even a place for credentials."""
    try:
        parts = urlsplit(url)
        return redact_url(urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))
    except ValueError:
        return "***"


def _user(url: str) -> str | None:
    try:
        user = urlsplit(url).username
    except ValueError:
        return None
    # Newer versions of uv write a user without a password as `****`.
    return None if user is None or set(user) == {"*"} else unquote(user)
