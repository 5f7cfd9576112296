"""What sources read from: URLs of `http`, `https` and `file`.

What may be gone in a moment is tried again, and a file that broke off goes on where it was. Files
are handed on raw, since some servers label a `.tar.gz` as `Content-Encoding: gzip`, and a client
that believes them hands out something else than was published.
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import closing, contextmanager
from copy import copy
from typing import TYPE_CHECKING, TypeVar

from uv_self_update.errors import Interrupted, RateLimited, StatusRefused, TooLarge, UpstreamError
from uv_self_update.network.download import CHANGED, MOST, TOO_OFTEN, Transfer
from uv_self_update.network.exchange import Exchange
from uv_self_update.network.local_files import is_file, open_file, path_of_url
from uv_self_update.network.responses import Answer, Document, Download
from uv_self_update.network.retries import pause, seconds_until
from uv_self_update.redaction import redact_url
from uv_self_update.releases.release import utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from uv_self_update.auth.credentials import Credentials
    from uv_self_update.config.settings import Network
    from uv_self_update.network.exchange import Response


_LARGEST_DOCUMENT = 32 << 20  # bytes; a page of 100 of uv's releases is about 4 MiB of JSON
_LARGEST_LOOK = 1 << 20  # bytes of an answer that is examined
_LARGEST_ARCHIVE = 2 << 30  # bytes; uv's own are below 40 MiB
_LONGEST_LINE = 4 << 20  # bytes; one of uv.ndjson has less than 5,000

_LIMITED = {403, 429}
_OK, _PARTIAL, _UNAUTHORIZED, _NOT_FOUND = 200, 206, 401, 404
_OF_A_PART = {200, 206, 416}
"""What a request for a part of a file may be answered with (RFC 9110 section 14)."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Upstream:
    """Reads URLs, with the logins of one source."""

    def __init__(
        self, network: Network, credentials: Credentials, *, environ: Mapping[str, str]
    ) -> None:
        """Prepare, without connecting to anything."""
        self._network = network
        self._credentials = credentials
        self._exchange = Exchange(network, environ=environ)

    def logged_in(self, credentials: Credentials) -> Upstream:
        """Return the same client with other credentials: what one source sends no other does."""
        client = copy(self)
        client._credentials = credentials  # noqa: SLF001 # it is one of us
        return client

    def login_for(self, url: str) -> str | None:
        """Return where the credential that a request for `url` carries comes from; None if none."""
        return self._credentials.place_for(url)

    def read(self, url: str, *, accept: str = "*/*", limit: int = _LARGEST_DOCUMENT) -> Document:
        """Read a whole document of at most `limit` bytes.

        Raises:
            UpstreamError: It cannot be had; the leaf says why.
        """
        if is_file(url):
            with self.open(url, limit=limit) as download:
                body = b"".join(download.chunks)
                return Document(url=download.url, content_type="", body=body, links={})

        def once() -> Document:
            with closing(self._document(url, accept)) as reply:
                media_type = reply.headers.get("content-type", "").partition(";")[0]
                return Document(
                    url=reply.url,
                    content_type=media_type.strip().lower(),
                    body=b"".join(reply.decoded(limit)),
                    links=reply.links,
                )

        return self._patiently(once)

    @contextmanager
    def lines(self, url: str, *, limit: int = _LARGEST_DOCUMENT) -> Iterator[Iterator[bytes]]:
        """Read a document line by line, as it comes; none is longer than `limit` bytes.

        Raises:
            UpstreamError: It cannot be had; the leaf says why. Also while it is being read.
        """
        if is_file(url):
            with open_file(url, limit) as download:
                yield _lines(download.chunks, download.url)
            return
        yield self._lines_of(url, limit)

    @contextmanager
    def open(
        self, url: str, *, accept: str = "*/*", limit: int = _LARGEST_ARCHIVE
    ) -> Iterator[Download]:
        """Begin to fetch a file of at most `limit` bytes; its bytes come raw.

        Args:
            url: The file.
            accept: The `Accept` header, exactly as it is sent. The default is curl's, with which
                every product documents its downloads.
            limit: Bytes that the file may have.

        Raises:
            UpstreamError: It cannot be had; the leaf says why.
        """
        if is_file(url):
            with open_file(url, limit) as download:
                yield download
            return

        def fetched(headers: Mapping[str, str]) -> Response:
            return self._fetched(url, {"Accept": accept, **headers})

        reply = self._patiently(lambda: fetched({}))
        transfer = Transfer(reply, again=fetched, pause=self._pause, limit=limit)
        with closing(transfer):
            size = transfer.version.size
            if size is not None and size > limit:
                raise TooLarge(reply.url, limit)
            yield Download(
                url=reply.url, size=size, chunks=transfer.chunks(), sha256=_digest_of(reply)
            )

    def tail(self, url: str, length: int, *, accept: str = "*/*") -> bytes | None:
        """Return the last `length` bytes of a file; None where the server sends no part of it.

        Raises:
            UpstreamError: It cannot be had; the leaf says why.
        """

        def once() -> bytes | None:
            headers = {"Accept": accept, "Range": f"bytes=-{length}"}
            with closing(self._fetched(url, headers)) as reply:
                return b"".join(reply.raw(length)) if reply.status == _PARTIAL else None

        return self._patiently(once)

    def look(self, url: str, *, accept: str = "*/*") -> Answer:
        """Return what comes for a `GET`, also where that is an error, to be examined.

        Raises:
            UpstreamError: No answer came.
        """
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        reply = self._exchange.follow("GET", url, headers, self._credentials)
        body = bytearray()
        with closing(reply):
            for chunk in reply.decoded(_LARGEST_DOCUMENT):
                body += chunk
                if len(body) > _LARGEST_LOOK:
                    break
        return Answer(
            url=reply.url,
            status=reply.status,
            headers=reply.headers,
            body=bytes(body[:_LARGEST_LOOK]),
        )

    def status(self, url: str) -> int:
        """Return the status of a `HEAD` request, after redirects; 200 for a file that exists.

        Raises:
            UpstreamError: No answer came.
        """
        if is_file(url):
            return _OK if path_of_url(url).is_file() else _NOT_FOUND

        def once() -> int:
            reply = self._exchange.follow("HEAD", url, {}, self._credentials)
            reply.close()
            refused = _refusal(reply)
            if refused.passing:
                raise refused
            return reply.status

        try:
            return self._patiently(once)
        except StatusRefused as error:
            return error.status

    def close(self) -> None:
        """Close every connection; whoever waits for one, in any thread, waits no longer."""
        self._exchange.close()

    def _document(self, url: str, accept: str) -> Response:
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        return self._answered(url, headers, {_OK})

    def _fetched(self, url: str, headers: Mapping[str, str]) -> Response:
        # `identity`, since what is stored compressed must arrive as it is stored.
        own = {"Accept-Encoding": "identity"}
        statuses = _OF_A_PART if "Range" in headers else {_OK}
        return self._answered(url, {**own, **headers}, statuses)

    def _answered(self, url: str, headers: Mapping[str, str], statuses: set[int]) -> Response:
        reply = self._exchange.follow("GET", url, headers, self._credentials)
        if reply.status not in statuses:
            reply.close()
            raise _refusal(reply)
        return reply

    def _lines_of(self, url: str, limit: int) -> Iterator[bytes]:
        """Yield lines; after a break from the first again, and what was handed on is passed over.

        Raises:
            UpstreamError: It cannot be had, or is another document by then.
        """
        failures, count, last = 0, 0, b""
        for _ in range(MOST):
            before = count
            try:
                with closing(self._document(url, "*/*")) as reply:
                    lines = _lines(reply.decoded(limit), reply.url)
                    for number, line in enumerate(lines, 1):
                        if number > count:
                            count, last = number, line
                            yield line
                        elif number == count and line != last:
                            raise Interrupted(reply.url, 0, None, CHANGED, passing=False)
            except UpstreamError as error:
                failures = 1 if count > before else failures + 1
                self._pause(error, failures)
            else:
                return
        raise Interrupted(redact_url(url), 0, None, TOO_OFTEN)

    def _patiently(self, call: Callable[[], T]) -> T:
        """Make a call until it succeeds, or fails for good or too often."""
        failures = 0
        while True:
            try:
                return call()
            except UpstreamError as error:
                failures += 1
                self._pause(error, failures)

    def _pause(self, error: UpstreamError, failures: int) -> None:
        """Wait before a request is sent again.

        Raises:
            UpstreamError: It is not; this is the error itself.
        """
        wait = pause(failures, after=error.after)
        if not error.passing or wait is None or failures > self._network.retries:
            if error.passing and failures > 1:
                error.message += f" (tried {failures} times)"
            raise error
        _log.debug("%s; the next try is in %.1f seconds", error, wait)
        if not self._exchange.wait(wait):
            raise error


def _lines(chunks: Iterator[bytes], shown: str) -> Iterator[bytes]:
    pending: list[bytes] = []
    size = 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        pending.append(first)
        size += len(first)
        for line in others:
            yield b"".join(pending)
            pending, size = [line], len(line)
        if size > _LONGEST_LINE:
            raise TooLarge(shown, _LONGEST_LINE)
    yield b"".join(pending)


def _refusal(reply: Response) -> StatusRefused:
    """Return what a status other than 200 means."""
    status, headers = reply.status, reply.headers
    exhausted = headers.get("x-ratelimit-remaining") == "0"
    if status in _LIMITED and (exhausted or "retry-after" in headers):
        now, after = time.time(), seconds_until(headers.get("retry-after", ""))
        until = None if after is None else now + after
        reset = headers.get("x-ratelimit-reset", "")
        if until is None and reset.isdecimal():
            until = float(reset[:12])
            after = max(0.0, until - now)
        shown = None if until is None else utc(until)
        return RateLimited(reply.asked, status, until=shown, after=after)
    refused = StatusRefused(reply.asked, status)
    refused.after = seconds_until(headers.get("retry-after", ""))
    if sso := re.search(r"https://\S+", headers.get("x-github-sso", "")):
        # Its query is a secret of the user's browser session.
        refused.hint = (
            "The token is not authorized for the organization's SSO: open "
            f"{sso[0].partition('?')[0]} to authorize it."
        )
    if status == _UNAUTHORIZED and reply.login is not None:
        refused.hint = f"It does not accept the login that it got, which is from {reply.login}."
    return refused


def _digest_of(reply: Response) -> str | None:
    """Return the digest that Artifactory and GitLab send with a file."""
    digest = reply.headers.get("x-checksum-sha256", "").strip().lower()
    return digest if re.fullmatch(r"[0-9a-f]{64}", digest) else None
