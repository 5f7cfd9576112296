"""Files over several connections, from servers that are wrong about them."""

from __future__ import annotations

import hashlib
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import DigestMismatch, Interrupted, TooLarge, UpstreamError
from uv_self_update.network.client import Upstream
from uv_self_update.network.limits import Limits
from uv_self_update.releases.digests import DigestRules
from uv_self_update.releases.release import Asset
from uv_self_update.sources.formats.documents import checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONTENT = bytes(range(256)) * 8
HALF = len(CONTENT) // 2
WHOLE = f"Content-Length: {len(CONTENT)}"
PART = f"Content-Range: bytes {HALF}-{len(CONTENT) - 1}/{len(CONTENT)}"


def answer(status: str, *headers: str, body: bytes) -> bytes:
    """Return an answer after which the connection ends."""
    lines = [f"HTTP/1.1 {status}", 'ETag: "a"', *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


BROKEN = answer("200 OK", WHOLE, body=CONTENT[:HALF])


@contextmanager
def serve(answers: Sequence[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Answer one request after the other, and the last from then on; yields URL and requests."""
    asked: list[bytes] = []

    def run() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), connection:
                asked.append(connection.recv(1 << 16))
                connection.sendall(answers[min(len(asked), len(answers)) - 1])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/uv", asked
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


@pytest.fixture
def patient() -> Iterator[Upstream]:
    """Return a client that tries again, at once."""
    network = Network(timeout=10, retries=2)
    client = Upstream(network, Credentials(), environ={}, limits=Limits(first_wait=0))
    yield client
    client.close()


def fetch(upstream: Upstream, url: str, limit: int = 1 << 20) -> bytes:
    """Return a file as a whole."""
    with upstream.open(url, limit=limit) as download:
        return b"".join(download.chunks)


@pytest.mark.parametrize("arrived", [30_000, 1 << 20])
def test_rest_of_a_large_file(arrived: int, patient: Upstream) -> None:
    """Not a byte that has arrived is asked for again, although bytes are joined to large pieces."""
    content = CONTENT * 1024
    whole = f"Content-Length: {len(content)}"
    part = f"Content-Range: bytes {arrived}-{len(content) - 1}/{len(content)}"
    broken = answer("200 OK", whole, body=content[:arrived])
    rest = answer("206 Partial Content", part, body=content[arrived:])
    with serve([broken, rest]) as (url, asked):
        assert fetch(patient, url, limit=4 << 20) == content
    assert f"Range: bytes={arrived}-\r\n".encode() in asked[1]


def test_rest(patient: Upstream) -> None:
    """The rest is asked for, and handed on after what was there."""
    rest = answer("206 Partial Content", PART, f"Content-Length: {HALF}", body=CONTENT[HALF:])
    with serve([BROKEN, rest]) as (url, asked):
        assert fetch(patient, url) == CONTENT
    assert f"Range: bytes={HALF}-\r\n".encode() in asked[1]
    assert b'If-Range: "a"\r\n' in asked[1]


def test_rest_that_is_cut(patient: Upstream) -> None:
    """A part without a length that ends too early is not the end of the file."""
    cut = answer("206 Partial Content", PART, "X-Length: none", body=CONTENT[HALF:-10])
    left = f"Content-Range: bytes {len(CONTENT) - 10}-{len(CONTENT) - 1}/{len(CONTENT)}"
    rest = answer("206 Partial Content", left, "Content-Length: 10", body=CONTENT[-10:])
    with serve([BROKEN, cut, rest]) as (url, asked):
        assert fetch(patient, url) == CONTENT
    assert f"Range: bytes={len(CONTENT) - 10}-\r\n".encode() in asked[2]


def test_rest_that_is_too_long(patient: Upstream) -> None:
    """A part without a length that goes on beyond the end of the file is refused."""
    more = answer("206 Partial Content", PART, "X-Length: none", body=CONTENT[HALF:] + b"more")
    with serve([BROKEN, more]) as (url, _), pytest.raises(Interrupted, match="longer than"):
        fetch(patient, url)


BARE = BROKEN.replace(b'ETag: "a"\r\n', b"")
"""The same from a server that sends neither ETag nor date."""

ASSET = Asset(name="uv.tar.gz", sha256=hashlib.sha256(CONTENT).hexdigest())


def checked_fetch(upstream: Upstream, url: str, asset: Asset) -> bytes:
    """Return a file as a whole, as every file of a release is read."""
    with upstream.open(url) as download:
        return b"".join(checked(download, asset, version="0.13.9", rules=DigestRules()))


@pytest.mark.parametrize("length", [f"Content-Length: {HALF}", "X-Length: none"])
def test_rest_without_a_validator(patient: Upstream, length: str) -> None:
    """With a digest, a download without ETag and date goes on where it broke off."""
    rest = answer("206 Partial Content", PART, length, body=CONTENT[HALF:])
    with serve([BARE, rest.replace(b'ETag: "a"\r\n', b"")]) as (url, asked):
        assert checked_fetch(patient, url, ASSET) == CONTENT
    assert f"Range: bytes={HALF}-\r\n".encode() in asked[1]
    assert b"If-Range" not in asked[1]


def test_rest_of_another_file_without_a_validator(patient: Upstream) -> None:
    """The digest tells that the rest was of another version."""
    rest = answer("206 Partial Content", PART, body=CONTENT[HALF:][::-1])
    with serve([BARE, rest]) as (url, _), pytest.raises(DigestMismatch):
        checked_fetch(patient, url, ASSET)


def test_whole_again_without_validator_and_digest(patient: Upstream) -> None:
    """Without a digest nothing would tell, so the whole file is requested again."""
    whole = answer("200 OK", WHOLE, body=CONTENT)
    with serve([BARE, whole]) as (url, asked):
        assert checked_fetch(patient, url, Asset(name="uv.tar.gz")) == CONTENT
    assert b"Range: " not in asked[1]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        pytest.param(
            answer("200 OK", body=CONTENT[: HALF + 100]),
            "the response ended early",
            id="a whole that ends too early, without a length",
        ),
        pytest.param(
            answer("200 OK", body=CONTENT + b"more"),
            "the response is longer than announced",
            id="a whole that does not end, without a length",
        ),
        pytest.param(
            answer("206 Partial Content", PART, body=CONTENT[HALF:] + b"more"),
            "the response is longer than announced",
            id="a part that is longer than it says",
        ),
        pytest.param(
            answer("200 OK", WHOLE, body=CONTENT[:HALF][::-1] + CONTENT[HALF:]),
            "its content changed during the download",
            id="another file of the same length and tag",
        ),
    ],
)
def test_wrong_answers(patient: Upstream, second: bytes, reason: str) -> None:
    """What cannot be the rest of the file ends the download."""
    with serve([BROKEN, second]) as (url, _), pytest.raises(Interrupted, match=reason):
        fetch(patient, url)


@pytest.mark.parametrize("overlap", [CONTENT[HALF - 10 :], b"-" * 10 + CONTENT[HALF:]])
def test_part_that_begins_earlier(patient: Upstream, overlap: bytes) -> None:
    """A part that begins earlier than was asked for is not trusted: the whole is asked for."""
    part = f"Content-Range: bytes {HALF - 10}-{len(CONTENT) - 1}/{len(CONTENT)}"
    early = answer("206 Partial Content", part, body=overlap)
    with serve([BROKEN, early, answer("200 OK", WHOLE, body=CONTENT)]) as (url, asked):
        assert fetch(patient, url) == CONTENT
    assert b"Range: " not in asked[2]


def test_limit_over_several_connections(patient: Upstream) -> None:
    """The bound is that of the whole file, and is named as such."""
    chunked = "Transfer-Encoding: chunked"
    first = answer("200 OK", chunked, body=b"%x\r\n" % len(CONTENT) + CONTENT[:HALF])
    rest = answer("206 Partial Content", PART, body=CONTENT[HALF:])
    with (
        serve([first, rest]) as (url, _),
        pytest.raises(TooLarge, match=r"limit of 1,500 bytes"),
    ):
        fetch(patient, url, limit=1500)


def test_lines_without_end(patient: Upstream) -> None:
    """A list that brings one line with each connection is given up at some point."""
    lines = [b"{}\n" * (number + 1) for number in range(200)]
    answers = [answer("200 OK", "Content-Length: 9999", body=body) for body in lines]
    with (
        serve(answers) as (url, asked),
        pytest.raises(UpstreamError, match="gave up after 100 connections"),
        patient.lines(url) as found,
    ):
        for _ in found:
            pass
    assert len(asked) == 100
