"""The client of all sources, for URLs of `http`, `https` and `file`.

Transient failures are retried, and interrupted downloads are resumed. Files are passed on without
decoding: some servers label a `.tar.gz` as `Content-Encoding: gzip`, and a client that decodes it
returns other bytes than were published.
"""

from __future__ import annotations

import logging
import time
from contextlib import closing, contextmanager
from copy import copy
from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, TypeVar

from uv_self_update.auth.credentials import Credentials
from uv_self_update.errors import StatusRefused, TooLarge, Unreachable, UpstreamError
from uv_self_update.network.access import Access
from uv_self_update.network.allowance import Allowance
from uv_self_update.network.download import Transfer
from uv_self_update.network.exchange import Exchange
from uv_self_update.network.items import Items, lines_of, resumed
from uv_self_update.network.limits import DEFAULTS, Limits
from uv_self_update.network.local_files import open_file, path_of_url
from uv_self_update.network.progress import SILENT, Progress, watched
from uv_self_update.network.ranges import PARTIAL, UNSUPPORTED, repeated_bytes
from uv_self_update.network.redirect_targets import RedirectTargets
from uv_self_update.network.refusals import accepted, refusal
from uv_self_update.network.responses import Answer, Document, Download
from uv_self_update.network.retries import pause
from uv_self_update.redaction import redact_url
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uv_self_update.config.settings import Network
    from uv_self_update.network.exchange import Response
    from uv_self_update.network.kept import Kept
    from uv_self_update.network.ranges import Part


_AS_A_FILE = {"Accept": "*/*", "Accept-Encoding": "identity"}
"""The headers of the later download: another encoding may be another variant of the file."""

_FIRST_BYTE = {**_AS_A_FILE, "Range": "bytes=0-0"}
_CONFIRMED_BY_GET = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.GONE,
    HTTPStatus.NOT_IMPLEMENTED,
}
"""Answers to `HEAD` of servers that answer `GET` with success."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Upstream:
    """Reads URLs with the credentials of one source.

    It may use what was begun for the run already (`access`), tells an observer of each download
    (`progress`), and may keep the parts of interrupted ones for the next run (`kept`).
    """

    def __init__(  # noqa: PLR0913 # what a run has
        self,
        network: Network,
        credentials: Credentials,
        *,
        environ: Mapping[str, str],
        limits: Limits = DEFAULTS,
        access: Access | None = None,
        progress: Progress = SILENT,
        kept: Kept | None = None,
    ) -> None:
        self.limits = limits
        self._progress = progress
        self._kept = kept
        self._network = network
        self._credentials = credentials
        self._exchange = Exchange(access or Access(network, environ), limits)
        self._allowance = Allowance(network.timeout, limits)
        self._targets = RedirectTargets()

    def logged_in(self, credentials: Credentials) -> Upstream:
        """Return a client that shares the connections, with the credentials of another source."""
        client = copy(self)
        client._credentials = credentials  # noqa: SLF001 # of the same class
        client._allowance = Allowance(self._network.timeout, self.limits)  # noqa: SLF001 # as above
        client._targets = RedirectTargets()  # noqa: SLF001 # as above
        return client

    def login_for(self, url: Url) -> str | None:
        """Return the provider of the credentials for `url`; None without any."""
        return self._credentials.place_for(url.origin)

    def read(self, url: Url | str, *, accept: str = "*/*", limit: int | None = None) -> Document:
        """Read a whole document of at most `limit` bytes (default: `Limits.document`).

        Raises:
            UpstreamError: The request failed.
        """
        limit = self.limits.document if limit is None else limit
        target = _parsed(url)
        if target.scheme == "file":
            with self.open(target, limit=limit) as download:
                body = b"".join(download.chunks)
                return Document(url=download.url, content_type="", body=body, links={})

        def once() -> Document:
            with closing(self._document(target, accept)) as reply:
                media_type = reply.headers.get("content-type", "").partition(";")[0]
                body = BytesIO()  # which needs no copy in the end
                for piece in reply.body.decoded(limit, self._allowance):
                    body.write(piece)
                return Document(
                    url=reply.url,
                    content_type=media_type.strip().lower(),
                    body=body.getvalue(),
                    links=reply.links,
                )

        return self._retried(once)

    @contextmanager
    def lines(self, url: Url | str, *, limit: int | None = None) -> Iterator[Iterator[bytes]]:
        """Read a document of at most `limit` bytes (default: `Limits.list`) line by line.

        Raises:
            UpstreamError: The request failed. Also raised while the body is read.
        """
        with self.items(url, partial(lines_of, longest=self.limits.line), limit=limit) as lines:
            yield lines.items

    @contextmanager
    def items(
        self,
        url: Url | str,
        split: Callable[[Iterator[bytes], str], Iterator[T]],
        *,
        accept: str = "*/*",
        limit: int | None = None,
    ) -> Iterator[Items[T]]:
        """Read a document of at most `limit` bytes item by item, while it arrives.

        Args:
            url: The document.
            split: Makes items of the pieces of a body, given the redacted URL as well.
            accept: The `Accept` header.
            limit: Bytes that the document may have; the default is `Limits.list`.

        Raises:
            UpstreamError: The request failed. Also raised while the body is read.
        """
        limit = self.limits.list if limit is None else limit
        target = _parsed(url)
        if target.scheme == "file":
            with open_file(target.text, limit) as download:
                yield Items(items=split(download.chunks, download.url), links={})
            return
        yield resumed(
            str(target),
            begin=lambda: self._document(target, accept),
            split=lambda reply: split(reply.body.decoded(limit, self._allowance), reply.url),
            pause=self._pause,
            connections=self.limits.connections,
        )

    @contextmanager
    def open(
        self,
        url: Url | str,
        *,
        accept: str = "*/*",
        limit: int | None = None,
        again: bool = False,
        name: str | None = None,
    ) -> Iterator[Download]:
        """Start to download a file of at most `limit` bytes, without decoding it.

        Args:
            url: The file.
            accept: The `Accept` header. The default is that of curl, which the documentation of
                every product uses.
            limit: Bytes that the file may have; the default is `Limits.file`.
            again: Whether the file is requested several times in a run: where it was redirected
                to is requested directly then, as long as that is not refused.
            name: The name for the user, if it is not the last segment of the URL.

        Raises:
            UpstreamError: The request failed.
        """
        limit = self.limits.file if limit is None else limit
        target = _parsed(url)
        if target.scheme == "file":
            with open_file(target.text, limit) as download:
                yield download
            return

        def fetched(headers: Mapping[str, str]) -> Response:
            return self._fetched(target, {"Accept": accept, **headers}, again=again)

        reply, part = self._begun(target, fetched)
        transfer = Transfer(
            reply, again=fetched, pause=self._pause, limit=limit, limits=self.limits, part=part
        )
        size = transfer.version.size
        pieces = transfer.chunks() if self._kept is None else self._kept.recorded(target, transfer)
        chunks = watched(
            pieces,
            self._progress,
            name=name or target.file_name,
            size=size,
            received=0 if part is None else len(part.content),
        )
        with closing(transfer), closing(chunks):
            if size is not None and size > limit:
                raise TooLarge(reply.url, limit)
            yield Download(
                url=reply.url,
                size=size,
                chunks=chunks,
                sha256=reply.sha256,
                validator=transfer.version.validator,
                verify=transfer.verify,
            )

    def _begun(
        self, url: Url, fetched: Callable[[Mapping[str, str]], Response]
    ) -> tuple[Response, Part | None]:
        """Request a file, or the rest of it, with the part that was kept of it."""
        kept = self._kept
        part = None if kept is None else kept.find(url)
        if kept is not None and part is not None:
            version, received = part.version, len(part.content)
            reply = self._retried(lambda: fetched(version.rest(received)))
            repeated = repeated_bytes(version, received, status=reply.status, headers=reply.headers)
            used = part if repeated == 0 else None
            kept.use(url, used)
            if used is not None or reply.status == HTTPStatus.OK:
                return reply, used
            reply.close()
        return self._retried(lambda: fetched({})), None

    def tail(
        self, url: Url | str, length: int, *, accept: str = "*/*", again: bool = False
    ) -> bytes | None:
        """Return the last `length` bytes of a file; None where the server sends no part of it.

        `again` is that of `open`.

        Raises:
            UpstreamError: The request failed.
        """
        target = _parsed(url)

        def once() -> bytes | None:
            headers = {"Accept": accept, "Range": f"bytes=-{length}"}
            with closing(self._fetched(target, headers, again=again)) as reply:
                is_part = reply.status == HTTPStatus.PARTIAL_CONTENT
                return b"".join(reply.body.raw(length)) if is_part else None

        try:
            return self._retried(once)
        except TooLarge:  # a part from the start
            return None
        except StatusRefused as error:
            if error.status in UNSUPPORTED:
                return None
            raise

    def look(self, url: Url | str, *, accept: str = "*/*", search: bool = True) -> Answer:
        """Return the response to a `GET` whatever its status, and the start of its body.

        Without `search`, no credentials are searched after a refusal.

        Raises:
            UpstreamError: There was no response.
        """
        body = bytearray()
        with closing(self._listed(_parsed(url), accept, examining=True, search=search)) as reply:
            for chunk in reply.body.decoded(self.limits.document, self._allowance):
                body += chunk
                if len(body) > self.limits.excerpt:
                    break
        start = bytes(body[: self.limits.excerpt])
        return Answer(url=reply.url, status=reply.status, headers=reply.headers, body=start)

    def status(self, url: Url | str) -> int:
        """Return 200 if a file exists, or else the status of the refusal.

        A refused `HEAD` is confirmed with a `GET` of one byte: some servers support `GET` only,
        and a URL may be signed for `GET`.

        Raises:
            UpstreamError: There was no response.
        """
        target = _parsed(url)
        if target.scheme == "file":
            return HTTPStatus.OK if path_of_url(target.text).is_file() else HTTPStatus.NOT_FOUND

        def once() -> int:
            for method, headers in ("HEAD", _AS_A_FILE), ("GET", _FIRST_BYTE):
                reply = self._exchange.follow(method, target, headers, self._credentials)
                reply.close()
                if reply.status in PARTIAL:
                    return HTTPStatus.OK  # 416: an empty file has no first byte
                if reply.status not in _CONFIRMED_BY_GET:
                    break
            refused = refusal(reply)
            if refused.passing:
                raise refused
            return reply.status

        try:
            return self._retried(once)
        except StatusRefused as error:
            return error.status

    def close(self) -> None:
        """Close every connection, which also ends the waits of other threads."""
        self._exchange.close()

    def _document(self, url: Url, accept: str) -> Response:
        return accepted(self._listed(url, accept), {HTTPStatus.OK})

    def _listed(
        self, url: Url, accept: str, *, examining: bool = False, search: bool = True
    ) -> Response:
        """Send a request that counts towards the allowance."""
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        begin = time.monotonic()
        credentials = self._credentials if search else self._credentials.without_search()
        reply = self._exchange.follow("GET", url, headers, credentials, examining=examining)
        try:
            self._allowance.take(reply.url, received=0, waited=time.monotonic() - begin)
        except UpstreamError:
            reply.close()
            raise
        return reply

    def _fetched(self, url: Url, headers: Mapping[str, str], *, again: bool = False) -> Response:
        # `identity`: a compressed file must arrive as it is stored.
        sent = {"Accept-Encoding": "identity", **headers}
        statuses = PARTIAL if "Range" in headers else {HTTPStatus.OK}
        key = url.wire, sent.get("Accept", "")
        known = self._targets.get(key) if again else None
        if known is not None:
            try:
                # Without credentials: the server has chosen the place.
                reply = self._exchange.follow("GET", url, sent, Credentials(), begin=known)
                return accepted(reply, statuses)
            except UpstreamError as error:
                # Perhaps it has expired: the server itself gives another, or says what is wrong.
                _log.debug("%s", error)
                self._targets.drop(key)
        reply = accepted(self._exchange.follow("GET", url, sent, self._credentials), statuses)
        if again and reply.target is not None and reply.target.url.origin != url.origin:
            self._targets.keep(key, reply.target)
        return reply

    def _retried(self, call: Callable[[], T]) -> T:
        """Repeat a call until it succeeds, or until retries are used up."""
        failures = 0
        while True:
            try:
                return call()
            except UpstreamError as error:
                failures += 1
                self._pause(error, failures)

    def _pause(self, error: UpstreamError, failures: int) -> None:
        """Wait before the next retry.

        Raises:
            UpstreamError: The failure itself, if it is permanent or retries are used up.
        """
        wait = pause(failures, after=error.after, limits=self.limits)
        if not error.passing or wait is None or failures > self._network.retries:
            if error.passing and failures > 1:
                error.message += f" (tried {failures} times)"
            raise error
        _log.debug("%s; retrying in %.1f seconds", error, wait)
        if not self._exchange.wait(wait):
            raise error


def _parsed(url: Url | str) -> Url:
    """Parse a URL in the response of a server; raises Unreachable for an invalid one."""
    try:
        return Url.parse(url) if isinstance(url, str) else url
    except ValueError:
        raise Unreachable(redact_url(str(url)), "invalid URL") from None
