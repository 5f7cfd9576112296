"""The package index of release pages, at a name below `.invalid` that is the same everywhere.

```text
http://<host>.uv-self-update.invalid/<owner>/<repository>/simple/<project>/
http://<host>.uv-self-update.invalid/<owner>/<repository>/releases/download/<tag>/<file>
http://<host>.uv-self-update.invalid/<owner>/<repository>/releases/download/<tag>/<file>.metadata
```

404 is said only of what is known to be absent: uv goes on to the next index then, and a public
package of that name must not be taken for ours. Whatever is doubtful is an error to uv. What a
client was refused, and did not get later, is in `failures`, because uv shows no reason of a server.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote

from uv_self_update.errors import (
    AmbiguousDistribution,
    DigestMismatch,
    NoSuchDistribution,
    StatusRefused,
    UnclaimedPackage,
    UvSelfUpdateError,
    as_failure,
)
from uv_self_update.gateway.replies import BrokenOff, Reply, with_keepalive
from uv_self_update.releases.distribution import PAGE_TYPE, page
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from uv_self_update.gateway.routes import Request
    from uv_self_update.releases.distribution import Claim, Distribution
    from uv_self_update.sources.packages.computed import ComputedDigests
    from uv_self_update.sources.packages.interface import PackageRepository

SUFFIX = ".uv-self-update.invalid"

_BINARY = "application/octet-stream"
KEPT = (("Cache-Control", "private, max-age=31536000, immutable"),)
"""uv caches by it: a file of a release never changes under its digest."""

_ASKED_ANEW = (("Cache-Control", "no-cache"),)


@frozen
class Failure:
    """A request that was refused, for a reason that uv does not show."""

    error: UvSelfUpdateError
    page: bool
    """Whether it was for a project's page: without it, uv may have taken the project elsewhere."""


@frozen
class Served:
    """A repository, and the projects that it may serve."""

    repository: PackageRepository
    claim: Claim

    @property
    def host(self) -> str:
        """The host of its index."""
        return re.sub(r"[^a-z0-9.-]+", ".", self.repository.host).strip(".") + SUFFIX

    @property
    def path(self) -> str:
        """The path that everything of it is below, with a slash at both ends."""
        return f"/{self.repository.path}/" if self.repository.path else "/"

    @property
    def index(self) -> str:
        """The URL of its index."""
        return f"http://{self.host}{self.path}simple/"

    @property
    def files(self) -> str:
        """The URL that tags and file names follow."""
        return f"http://{self.host}{self.path}releases/download/"

    def files_of(self, project: str, digests: ComputedDigests) -> list[Distribution]:
        """Return the distributions of a project.

        Raises:
            AmbiguousDistribution: Two of them have one name, and different contents.
            SourceError: They cannot be listed, or two of one name cannot be read.
        """
        found: dict[str, Distribution] = {}
        for file in self.repository.distributions():
            if file.project != project:
                continue
            other = found.setdefault(file.filename, file)
            if other is not file and len({*digests.of(self.repository, [other, file])}) > 1:
                raise AmbiguousDistribution(
                    file.filename, self.repository.name, [other.tag, file.tag]
                )
        return list(found.values())


class PackageIndex:
    """Answers the requests of one run."""

    def __init__(self, served: Sequence[Served], digests: ComputedDigests) -> None:
        self._served = served
        self._digests = digests
        self._lock = threading.Lock()
        self._failures: dict[str, Failure] = {}

    @property
    def failures(self) -> list[Failure]:
        """What was refused and not answered later; each reason once, in order."""
        with self._lock:
            return list(
                {str(failure.error): failure for failure in self._failures.values()}.values()
            )

    def owns(self, host: str) -> bool:
        """Return whether a host is answered here."""
        return host.endswith(SUFFIX)

    def answer(self, request: Request) -> Reply:
        """Answer a request; never raises."""
        if request.method not in {"GET", "HEAD"}:
            return Reply(status=405, length=0, headers=(("Allow", "GET, HEAD"),))
        path = request.target.partition("?")[0]
        for served in self._served:
            if request.host == served.host and path.startswith(served.path):
                reply = self._route(served, request.method, path, path.removeprefix(served.path))
                if reply is not None:
                    return reply
        return _absent()

    def _route(self, served: Served, method: str, path: str, rest: str) -> Reply | None:
        """Answer for one repository; None for what is neither a page nor a file."""
        kind, _, rest = rest.partition("/")
        if kind == "simple" and (project := rest.strip("/")):
            # A long list, or a digest to be computed, may take longer than uv waits for a byte.
            return with_keepalive(
                lambda: self.guarded(path, lambda: self._page(served, project), page=True),
                content_type=PAGE_TYPE,
            )
        if kind == "releases" and rest.startswith("download/"):
            return self.file(served, method, path, rest.removeprefix("download/"))
        return None

    def file(self, served: Served, method: str, path: str, place: str) -> Reply:
        """Answer for a file of a release; never raises.

        Args:
            served: The repository.
            method: GET or HEAD.
            path: What a refusal is remembered by.
            place: The tag and the file's name, percent-encoded, with a slash between them.
        """
        call = self._head if method == "HEAD" else self._file
        return self.guarded(path, lambda: call(served, *named(place)))

    def guarded(self, path: str, call: Callable[[], Reply], *, page: bool = False) -> Reply:
        """Return a reply, and remember why it is a refusal."""
        try:
            reply = call()
        except Exception as error:  # noqa: BLE001 # without an answer, uv would say something else
            failure = as_failure(error)
            self.remember(path, failure, page=page)
            return Reply.of(f"{failure}\n", status=_status_of(failure))
        self.forget(path)
        return reply

    def remember(self, path: str, error: UvSelfUpdateError, *, page: bool = False) -> None:
        """Remember why a request was refused."""
        with self._lock:
            self._failures[path] = Failure(error=error, page=page)

    def forget(self, path: str) -> None:
        """Forget why a request was refused, because it was answered later."""
        with self._lock:
            self._failures.pop(path, None)

    def _page(self, served: Served, project: str) -> Reply:
        if not served.claim.covers(project):
            return _absent()
        files = served.files_of(project, self._digests)
        if not files:
            others = [other for other in self._served if other.claim.covers(project)]
            if served.claim.named and not any(
                other.files_of(project, self._digests) for other in others
            ):
                names = [other.repository.name for other in others]
                raise UnclaimedPackage(project, names)
            return _absent()
        digests = self._digests.of(served.repository, files)
        body = page(project, served.files, zip(files, digests, strict=True))
        return Reply(content_type=PAGE_TYPE, body=(body,), length=len(body), headers=_ASKED_ANEW)

    def _head(self, served: Served, tag: str, name: str) -> Reply:
        """Answer what uv and pip ask before they read parts of a file; nothing is fetched."""
        file = self.found(served, tag, name)
        return Reply(content_type=_BINARY, length=file.size, headers=KEPT)

    def _file(self, served: Served, tag: str, name: str) -> Reply:
        if name.endswith(".metadata"):
            file = self.found(served, tag, name.removesuffix(".metadata"))
            metadata = self._metadata(served, file)
            if metadata is None:
                return _absent()
            return Reply(content_type=_BINARY, body=(metadata,), length=len(metadata), headers=KEPT)
        file = self.found(served, tag, name)
        key = f"{served.files} {tag} {name}"
        stack = contextlib.ExitStack()
        download = stack.enter_context(served.repository.open(file))

        def body() -> Iterator[bytes]:
            digest = hashlib.sha256()
            pending = b""
            with stack:
                try:
                    for chunk in download.chunks:
                        digest.update(chunk)
                        # The last one is kept back until all of them are known to be right.
                        yield pending
                        pending = chunk
                    if file.sha256 is not None and digest.hexdigest() != file.sha256:
                        raise DigestMismatch(
                            name, download.url, expected=file.sha256, got=digest.hexdigest()
                        )
                except UvSelfUpdateError as error:
                    self.remember(key, error)
                    raise BrokenOff from error
                self.forget(key)
                yield pending

        return Reply(content_type=_BINARY, body=body(), length=download.size, headers=KEPT)

    def found(self, served: Served, tag: str, name: str) -> Distribution:
        """Return a distribution that may be served.

        Raises:
            NoSuchDistribution: The release does not exist, or does not hold it.
            SourceError: The server does not say.
        """
        files = served.repository.of_tag(tag)
        for file in files:
            if file.filename == name and served.claim.covers(file.project):
                return file
        # uv does not show what a 404 says: the other names explain what has changed.
        exists = tag in served.repository.tags
        others = [file.filename for file in files] if exists else sorted(served.repository.tags)
        raise NoSuchDistribution(name, tag, served.repository.name, exists=exists, others=others)

    def _metadata(self, served: Served, file: Distribution) -> bytes | None:
        # It reads archives, which few runs need.
        from uv_self_update.sources.packages.metadata import (  # noqa: PLC0415
            TAIL,
            metadata_in,
            metadata_of,
        )

        tail = served.repository.tail(file, TAIL)
        found = None if tail is None else metadata_of(tail)
        if found is None:
            with served.repository.open(file) as download:
                found = metadata_in(download.chunks)
        return found


def named(place: str) -> tuple[str, str]:
    """Return the tag and the file's name, which are percent-encoded with a slash between them."""
    # A tag may hold slashes, encoded or not; a file name holds none.
    tag, _, name = place.rpartition("/")
    return unquote(tag), unquote(name)


def _absent() -> Reply:
    return Reply.of("Not Found\n", status=404)


def _status_of(error: UvSelfUpdateError) -> int:
    """Return the status of a refusal: uv tries a 503 again, and nothing else.

    Not 401 or 403: after those, uv 0.5.0 takes the package from the next index (measured), and so
    does a newer one whose `ignore-error-codes` has them.
    """
    if isinstance(error, NoSuchDistribution):
        return 404
    final = isinstance(error, (AmbiguousDistribution, UnclaimedPackage)) or (
        isinstance(error, StatusRefused) and not error.passing
    )
    return HTTPStatus.FAILED_DEPENDENCY if final else HTTPStatus.SERVICE_UNAVAILABLE
