"""From a request to what it asks for; no sockets, no sources.

```text
<secret>/api/v3/repos/<owner>/<name>/releases/latest
<secret>/api/v3/repos/<owner>/<name>/releases
<secret>/api/v3/repos/<owner>/<name>/releases/tags/<version>
<secret>/<owner>/<name>/releases/download/<version>/<file>
<secret>/install/<version>                      asked by our own installer only
```

`owner` and `name` are whatever uv's receipt says. A slash after the secret may be doubled: uv's
installer joins the base URL, which ends in one, with a path that begins with one.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_VERSION = r"[A-Za-z0-9][A-Za-z0-9.+!_-]*"
_API = re.compile(
    rf"/+api/v3/repos/(?P<repository>{_NAME}/{_NAME})/releases(?:/(?P<latest>latest)|/tags/v?(?P<tag>{_VERSION}))?"
)
_FILE = re.compile(
    rf"/+(?P<repository>{_NAME}/{_NAME})/releases/download/v?(?P<version>{_VERSION})/(?P<name>{_NAME})"
)
_INSTALL = re.compile(rf"/install/(?P<version>{_VERSION})")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What of a request matters here."""

    method: str
    target: str
    """The request target as it was sent, never decoded (RFC 9112 section 3.2)."""

    host: str


@dataclass(frozen=True, kw_only=True)
class Latest:
    """The newest release."""

    repository: str


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All releases; uv asks for it where `latest` has failed."""

    repository: str


@dataclass(frozen=True, kw_only=True)
class Tag:
    """One release."""

    repository: str
    version: str


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of a release."""

    version: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Install:
    """Our own installer says: uv is ready to be replaced."""

    version: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Nothing that is answered here."""

    status: int
    reason: str
    allow: str | None = None
    """The methods that are not refused (RFC 9110 section 15.5.6)."""


Route = Latest | Listing | Tag | File | Install | Refused


def route(request: Request, *, host: str, secret: str) -> Route:
    """Say what a request asks for.

    Args:
        request: The request.
        host: The only `Host` that is served: a browser that was led here by a rebound name
            sends another.
        secret: The first segment that a path must have.
    """
    if request.host != host:
        return Refused(status=421, reason="Misdirected Request")
    path = request.target.partition("?")[0]
    prefix = f"/{secret}"
    known = hmac.compare_digest(path[: len(prefix)].encode(), prefix.encode())
    if not known:
        return Refused(status=404, reason="Not Found")
    if request.method != "GET":
        return Refused(status=405, reason="Method Not Allowed", allow="GET")
    rest = path[len(prefix) :]
    if match := _API.fullmatch(rest):
        repository = match["repository"]
        if match["tag"]:
            return Tag(repository=repository, version=match["tag"])
        return (Latest if match["latest"] else Listing)(repository=repository)
    if match := _FILE.fullmatch(rest):
        return File(version=match["version"], name=match["name"])
    if match := _INSTALL.fullmatch(rest):
        return Install(version=match["version"])
    return Refused(status=404, reason="Not Found")
