"""Parse a request into a route; no sockets, no sources.

```text
<secret>/api/v3/repos/<owner>/<name>/releases/latest
<secret>/api/v3/repos/<owner>/<name>/releases
<secret>/api/v3/repos/<owner>/<name>/releases/tags/<version>
<secret>/<owner>/<name>/releases/download/<version>/<file>
<secret>/install/<version>                      for our own installer
<secret>/install/<version>/<token>              after a release's own installer
```

`owner` and `name` come from uv's receipt. A slash after the secret may be doubled: uv's
installer joins the base URL, which ends in one, with a path that begins with one.
"""

from __future__ import annotations

import hmac
import re

from uv_self_update.values import frozen

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_VERSION = r"[A-Za-z0-9][A-Za-z0-9.+!_-]*"
_API = re.compile(
    rf"/+api/v3/repos/(?P<repository>{_NAME}/{_NAME})/releases(?:/(?P<latest>latest)|/tags/v?(?P<tag>{_VERSION}))?"
)
_FILE = re.compile(
    rf"/+(?P<repository>{_NAME}/{_NAME})/releases/download/v?(?P<version>{_VERSION})/(?P<name>{_NAME})"
)
_INSTALL = re.compile(rf"/install/(?P<version>{_VERSION})(?:/(?P<token>[A-Za-z0-9_-]+))?")


@frozen
class Request:
    """The parts of a request that matter here."""

    method: str
    target: str
    """The request target as it was sent, never decoded (RFC 9112 section 3.2)."""

    host: str


@frozen
class Metadata:
    """The description of one release."""

    repository: str
    version: str | None = None
    """None for the newest."""

    listed: bool = False
    """Whether it is wanted as a list: of all releases, after `latest` failed."""


@frozen
class File:
    """One file of a release."""

    version: str
    name: str


@frozen
class Install:
    """The request of an installer to replace uv."""

    version: str
    token: str | None
    """Identifies a release's own installer, because others can read the secret; None for ours."""


@frozen
class Refused:
    """A request that is not answered."""

    status: int
    reason: str
    allow: str | None = None
    """The allowed methods (RFC 9110 section 15.5.6)."""


Route = Metadata | File | Install | Refused


def route(request: Request, *, host: str, secret: str) -> Route:
    """Parse a request.

    Args:
        request: The request.
        host: The only `Host` that is served, against DNS rebinding.
        secret: The first segment of every path.
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
        version, listed = match["tag"], not (match["latest"] or match["tag"])
        return Metadata(repository=match["repository"], version=version, listed=listed)
    if match := _FILE.fullmatch(rest):
        return File(version=match["version"], name=match["name"])
    if match := _INSTALL.fullmatch(rest):
        return Install(version=match["version"], token=match["token"])
    return Refused(status=404, reason="Not Found")
