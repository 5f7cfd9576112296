"""The package index of release pages, at a name below `.invalid` that is the same everywhere.

```text
http://<host>.uv-self-update.invalid/<owner>/<repository>/simple/<project>/
http://<host>.uv-self-update.invalid/<owner>/<repository>/releases/download/<tag>/<file>
http://<host>.uv-self-update.invalid/<owner>/<repository>/releases/download/<tag>/<file>.metadata
```

404 is said only of what is known to be absent: uv goes on to the next index then, and a public
package of that name must not be taken for ours. Whatever is doubtful is an error to uv, and kept in
`failures` to be explained.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from uv_self_update.errors import (
    AmbiguousDistribution,
    DigestMismatch,
    StatusRefused,
    UnclaimedPackage,
    Unforeseen,
    UvSelfUpdateError,
)
from uv_self_update.gateway.replies import BrokenOff, Reply
from uv_self_update.releases.distribution import PAGE_TYPE, page
from uv_self_update.sources.packages.metadata import TAIL, metadata_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uv_self_update.gateway.routes import Request
    from uv_self_update.releases.distribution import Claim, Distribution
    from uv_self_update.sources.packages.interface import PackageRepository

SUFFIX = ".uv-self-update.invalid"

_log = logging.getLogger(__name__)

_BINARY = "application/octet-stream"
_KEPT = (("Cache-Control", "private, max-age=31536000, immutable"),)
"""uv caches by it: a file of a release never changes under its digest."""

_ASKED_ANEW = (("Cache-Control", "no-cache"),)


@dataclass(frozen=True, kw_only=True)
class Served:
    """A repository, and the projects that it may serve."""

    repository: PackageRepository
    claim: Claim

    @property
    def host(self) -> str:
        """The host of its index."""
        return f"{self.repository.host.replace(':', '.')}{SUFFIX}"

    @property
    def index(self) -> str:
        """The URL of its index."""
        return f"http://{self.host}/{self.repository.path}/simple/"

    @property
    def files(self) -> str:
        """The URL that tags and file names follow."""
        return f"http://{self.host}/{self.repository.path}/releases/download"


class PackageIndex:
    """Answers the requests of one run."""

    def __init__(self, served: Sequence[Served]) -> None:
        """Prepare; nothing is asked of a repository yet."""
        self._served = served
        self._lock = threading.Lock()
        self._digests: dict[tuple[str, str, str], str] = {}
        self.failures: list[UvSelfUpdateError] = []

    def owns(self, host: str) -> bool:
        """Return whether a host is answered here."""
        return host.endswith(SUFFIX)

    def answer(self, request: Request) -> Reply:
        """Answer a request; never raises."""
        if request.method not in {"GET", "HEAD"}:
            return Reply(status=405, length=0, headers=(("Allow", "GET, HEAD"),))
        try:
            return self._answer(request.host, request.target.partition("?")[0])
        except UvSelfUpdateError as error:
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 # without an answer, uv would say something else
            unforeseen = Unforeseen(error)
            _log.debug("%s", unforeseen.trace)
            return self._failed(unforeseen)

    def _answer(self, host: str, path: str) -> Reply:
        for served in self._served:
            prefix = f"/{served.repository.path}/"
            if host != served.host or not path.startswith(prefix):
                continue
            kind, _, rest = path.removeprefix(prefix).partition("/")
            if kind == "simple" and rest.strip("/"):
                return self._page(served, rest.strip("/"))
            if kind == "releases" and rest.startswith("download/"):
                # A tag may hold slashes, which are encoded in it; a file name holds none.
                tag, _, name = rest.removeprefix("download/").rpartition("/")
                return self._file(served, unquote(tag), unquote(name))
        return Reply.of("Not Found\n", status=404)

    def _page(self, served: Served, project: str) -> Reply:
        if not served.claim.covers(project):
            return Reply.of("Not Found\n", status=404)
        files = _held(served, project)
        if not files:
            others = [other for other in self._served if other.claim.covers(project)]
            if served.claim.named and not any(_held(other, project) for other in others):
                names = [other.repository.name for other in others]
                raise UnclaimedPackage(project, names)
            return Reply.of("Not Found\n", status=404)
        body = page(project, served.files, ((file, self._digest(served, file)) for file in files))
        reply = Reply.of(body, content_type=PAGE_TYPE)
        return Reply(
            content_type=PAGE_TYPE, body=reply.body, length=reply.length, headers=_ASKED_ANEW
        )

    def _file(self, served: Served, tag: str, name: str) -> Reply:
        if name.endswith(".metadata"):
            file = served.repository.find(tag, name.removesuffix(".metadata"))
            metadata = None if file is None else self._metadata(served, file)
            if metadata is not None:
                return Reply(
                    content_type=_BINARY, body=(metadata,), length=len(metadata), headers=_KEPT
                )
            return Reply.of("Not Found\n", status=404)
        file = served.repository.find(tag, name)
        if file is None or not served.claim.covers(file.project):
            return Reply.of("Not Found\n", status=404)
        stack = contextlib.ExitStack()
        download = stack.enter_context(served.repository.open(file))

        def body() -> Iterator[bytes]:
            digest = hashlib.sha256()
            with stack:
                try:
                    for chunk in download.chunks:
                        digest.update(chunk)
                        yield chunk
                    if file.sha256 is not None and digest.hexdigest() != file.sha256:
                        raise DigestMismatch(
                            name, download.url, expected=file.sha256, got=digest.hexdigest()
                        )
                except UvSelfUpdateError as error:
                    self._remember(error)
                    raise BrokenOff from error

        return Reply(content_type=_BINARY, body=body(), length=download.size, headers=_KEPT)

    def _metadata(self, served: Served, file: Distribution) -> bytes | None:
        if file.size is None:
            return None
        tail = served.repository.tail(file, TAIL)
        found = None if tail is None else metadata_of(tail, file.size)
        if found is None:
            with served.repository.open(file) as download:
                whole = b"".join(download.chunks)
            found = metadata_of(whole, len(whole))
        return found

    def _digest(self, served: Served, file: Distribution) -> str:
        """Return the digest of a file; where the repository has none, of what it sends."""
        if file.sha256 is not None:
            return file.sha256
        key = (served.index, file.tag, file.filename)
        with self._lock:
            if key not in self._digests:
                digest = hashlib.sha256()
                with served.repository.open(file) as download:
                    for chunk in download.chunks:
                        digest.update(chunk)
                self._digests[key] = digest.hexdigest()
            return self._digests[key]

    def _failed(self, error: UvSelfUpdateError) -> Reply:
        self._remember(error)
        # uv tries a 503 again, which is of no use where a credential or the configuration is wrong.
        final = isinstance(error, (AmbiguousDistribution, UnclaimedPackage)) or (
            isinstance(error, StatusRefused) and not error.passing
        )
        return Reply.of(f"{error}\n", status=403 if final else 503)

    def _remember(self, error: UvSelfUpdateError) -> None:
        with self._lock:
            if str(error) not in map(str, self.failures):
                self.failures.append(error)


def _held(served: Served, project: str) -> list[Distribution]:
    """Return the distributions of a project.

    Raises:
        AmbiguousDistribution: Two of them have one name, and different contents.
        SourceError: They cannot be listed.
    """
    found: dict[str, Distribution] = {}
    for file in served.repository.distributions():
        if file.project != project:
            continue
        other = found.setdefault(file.filename, file)
        if other is not file and (other.sha256 is None or other.sha256 != file.sha256):
            raise AmbiguousDistribution(
                file.filename, served.repository.name, [other.tag, file.tag]
            )
    return list(found.values())
