"""Release files at the URLs that their forge itself gives them, for uv.

```text
https://<host>/<owner>/<repository>/releases/download/<tag>/<file>     GitHub, Gitea
https://<host>/<group>/<project>/-/releases/<tag>/downloads/<file>     GitLab
```

Only wheels and source archives of claimed projects are answered. Everything else is asked of the
host itself.

uv reads the metadata of a wheel from parts of it (RFC 9110 section 14). Without parts, it fetches a
wheel that is named by its URL twice (measured with 0.13.9).
"""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import unquote

from uv_self_update.errors import FileNotServed
from uv_self_update.gateway.package_index import KEPT, named
from uv_self_update.gateway.replies import Reply
from uv_self_update.redaction import redact_url
from uv_self_update.releases.distribution import parse_filename
from uv_self_update.sources.packages.metadata import TAIL
from uv_self_update.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.gateway.package_index import PackageIndex, Served
    from uv_self_update.gateway.routes import Request
    from uv_self_update.releases.release_urls import ReleaseUrls

_ACCEPTED = ("Accept-Ranges", "bytes")
_LONGEST = 8 << 20  # bytes from the end of a file, which are held in memory
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.IGNORECASE)
_WHOLE = Reply()
"""Stands for the whole file."""


class DirectUrls:
    """Answers requests for release files."""

    def __init__(self, served: Sequence[tuple[Served, ReleaseUrls]], index: PackageIndex) -> None:
        """Prepare.

        Args:
            served: The repositories, whose pre-releases count: a URL names one on purpose.
            index: What serves files, and remembers why it has refused one.
        """
        self._served = served
        self._index = index
        self._lock = threading.Lock()
        self._tails: dict[str, bytes] = {}
        """The ends of files, as far as they were requested."""

    def answer(self, request: Request, part: str | None) -> Reply | None:
        """Answer a request; None for whatever is not a file that may be served.

        Args:
            request: The request.
            part: The value of `Range`, if there is one.
        """
        found = self._found(request)
        if found is None or found.obstacle is not None or request.method not in {"GET", "HEAD"}:
            return None
        key = _key(request)
        if part is not None and request.method == "GET":
            reply = self._index.guarded(key, lambda: self._part(found, key, part))
            if reply is not _WHOLE:
                return reply
        reply = self._index.file(found.served, request.method, key, found.place)
        return replace(reply, headers=(*reply.headers, _ACCEPTED))

    def answered(self, request: Request, *, refused: bool) -> None:
        """Take note of the answer of the host itself, which uv gets."""
        found = self._found(request)
        if not refused:
            self._index.forget(_key(request))
        elif found is not None and found.obstacle is not None:
            self._index.remember(
                _key(request), FileNotServed(redact_url(_key(request)), found.obstacle)
            )

    def _part(self, found: _Found, key: str, wanted: str) -> Reply:
        """Return a part of a file, or that the whole file has to be sent."""
        repository = found.served.repository
        file = self._index.found(found.served, *named(found.place))
        size = file.size or 0
        limits = _parsed(wanted, size)
        if limits is None or size - limits[0] > _LONGEST:
            return _WHOLE
        start, end = limits
        with self._lock:
            tail = self._tails.get(key, b"")
            if size - start > len(tail):
                length = min(size, max(size - start, TAIL))
                tail = repository.tail(file, length) or b""
                if len(tail) != length:
                    return _WHOLE
                self._tails[key] = tail
        before = size - len(tail)
        body = tail[start - before : end + 1 - before]
        return Reply(
            status=206,
            content_type="application/octet-stream",
            body=(body,),
            length=len(body),
            headers=(*KEPT, _ACCEPTED, ("Content-Range", f"bytes {start}-{end}/{size}")),
        )

    def _found(self, request: Request) -> _Found | None:
        path = request.target.partition("?")[0]
        for served, urls in self._served:
            prefix = f"/{served.repository.path}{urls.start}"
            # The paths of forges are the same in any case.
            if request.host != served.repository.host or not path.lower().startswith(prefix):
                continue
            match = urls.rest.fullmatch(path[len(prefix) :])
            place = "" if match is None else f"{match['tag']}/{match['file']}"
            parsed = parse_filename(unquote(place.rpartition("/")[2]))
            obstacle = None
            if match is None:
                obstacle = f"it is not at `{urls.shown}`"
            elif parsed is None:
                obstacle = "its name is not that of a wheel or a source archive"
            elif not served.claim.covers(parsed[0]):
                obstacle = f"`packages` of this repository does not cover {parsed[0]}"
            return _Found(served=served, place=place, obstacle=obstacle)
        return None


@frozen
class _Found:
    """What a request is for."""

    served: Served
    place: str
    """The tag and the file's name, percent-encoded."""

    obstacle: str | None
    """Why it is not answered; None where it is."""


def _key(request: Request) -> str:
    return f"https://{request.host}{request.target}"


def _parsed(wanted: str, size: int) -> tuple[int, int] | None:
    """Return the first and the last byte of a range; None for several, or one that does not fit."""
    match = _RANGE.fullmatch(wanted.strip())
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size - 1
    else:
        start, end = int(first), min(int(last or size - 1), size - 1)
    return (start, end) if 0 <= start <= end else None
