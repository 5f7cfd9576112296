"""Release files at the URLs that GitHub itself gives them, for uv.

```text
https://<host>/<owner>/<repository>/releases/download/<tag>/<file>
```

Only wheels and source archives of claimed projects are answered. Everything else on the host is its
own affair.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from uv_self_update.releases.distribution import parse_filename

if TYPE_CHECKING:
    from collections.abc import Sequence

    from uv_self_update.gateway.package_index import PackageIndex, Served
    from uv_self_update.gateway.replies import Reply
    from uv_self_update.gateway.routes import Request


class DirectUrls:
    """Answers requests for release files."""

    def __init__(self, served: Sequence[Served], index: PackageIndex) -> None:
        """Prepare.

        Args:
            served: The repositories, whose pre-releases count: a URL names one on purpose.
            index: What serves files, and remembers why it has refused one.
        """
        self._served = served
        self._index = index

    def answer(self, request: Request) -> Reply | None:
        """Answer a request; None for whatever is not a file that may be served."""
        path = request.target.partition("?")[0]
        if request.method not in {"GET", "HEAD"}:
            return None
        for served in self._served:
            prefix = f"/{served.repository.path}/releases/download/"
            # GitHub's paths are the same in any case.
            if request.host != served.repository.host or not path.lower().startswith(prefix):
                continue
            place = path[len(prefix) :]
            parsed = parse_filename(unquote(place.rpartition("/")[2]))
            if parsed is not None and served.claim.covers(parsed[0]):
                return self._index.file(served, request.method, _key(request), place)
        return None

    def forget(self, request: Request) -> None:
        """Forget why a request was refused: the host itself has answered it."""
        self._index.forget(_key(request))


def _key(request: Request) -> str:
    return f"https://{request.host}{request.target}"
