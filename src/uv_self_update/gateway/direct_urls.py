"""Release files at the URLs that their forge itself gives them, for uv.

```text
https://<host>/<owner>/<repository>/releases/download/<tag>/<file>     GitHub, Gitea
https://<host>/<group>/<project>/-/releases/<tag>/downloads/<file>     GitLab
```

Only wheels and source archives of claimed projects are answered. Everything else is asked of the
host itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from uv_self_update.errors import FileNotServed
from uv_self_update.gateway.parts import ACCEPTED, Parts
from uv_self_update.redaction import redact_url
from uv_self_update.releases.distribution import parse_filename
from uv_self_update.values import frozen, replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.gateway.package_index import PackageIndex, Served
    from uv_self_update.gateway.replies import Reply
    from uv_self_update.gateway.routes import Request
    from uv_self_update.releases.release_urls import ReleaseUrls


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
        self._parts = Parts(index)

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
            reply = self._parts.answer(found.served, key, found.place, part)
            if reply is not None:
                return reply
        reply = self._index.file(found.served, request.method, key, found.place)
        return replace(reply, headers=(*reply.headers, ACCEPTED))

    def answered(self, request: Request, *, refused: bool) -> None:
        """Take note of the answer of the host itself, which uv gets."""
        found = self._found(request)
        if not refused:
            self._index.forget(_key(request))
        elif found is not None and found.obstacle is not None:
            self._index.remember(
                _key(request), FileNotServed(redact_url(_key(request)), found.obstacle)
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
