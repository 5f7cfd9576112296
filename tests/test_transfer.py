"""Files over several connections, from servers that are wrong about them."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from uv_self_update.auth.credentials import Credentials
from uv_self_update.config.settings import Network
from uv_self_update.errors import Interrupted, TooLarge, UpstreamError
from uv_self_update.network.client import Upstream

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
def patient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstream]:
    """Return a client that tries again, at once."""
    monkeypatch.setattr("uv_self_update.network.client.pause", lambda _, *, after: after or 0.0)
    client = Upstream(Network(timeout=10, retries=2), Credentials(), environ={})
    yield client
    client.close()


def fetch(upstream: Upstream, url: str, limit: int = 1 << 20) -> bytes:
    """Return a file as a whole."""
    with upstream.open(url, limit=limit) as download:
        return b"".join(download.chunks)


def test_rest(patient: Upstream) -> None:
    """The rest is asked for, and handed on after what was there."""
    rest = answer("206 Partial Content", PART, f"Content-Length: {HALF}", body=CONTENT[HALF:])
    with serve([BROKEN, rest]) as (url, asked):
        assert fetch(patient, url) == CONTENT
    assert f"Range: bytes={HALF}-\r\n".encode() in asked[1]
    assert b'If-Range: "a"\r\n' in asked[1]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        pytest.param(
            answer("200 OK", body=CONTENT[: HALF + 100]),
            "only a part of it was sent",
            id="a whole that ends too early, without a length",
        ),
        pytest.param(
            answer("200 OK", body=CONTENT + b"more"),
            "more of it came than there should be",
            id="a whole that does not end, without a length",
        ),
        pytest.param(
            answer("206 Partial Content", PART, body=CONTENT[HALF:] + b"more"),
            "more of it came than there should be",
            id="a part that is longer than it says",
        ),
        pytest.param(
            answer("200 OK", WHOLE, body=CONTENT[:HALF][::-1] + CONTENT[HALF:]),
            "it has changed meanwhile",
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
    with serve([first, rest]) as (url, _), pytest.raises(TooLarge, match=r"more than 1,500 bytes"):
        fetch(patient, url, limit=1500)


def test_lines_without_end(patient: Upstream) -> None:
    """A list that brings one line with each connection is given up at some point."""
    lines = [b"{}\n" * (number + 1) for number in range(200)]
    answers = [answer("200 OK", "Content-Length: 9999", body=body) for body in lines]
    with (
        serve(answers) as (url, asked),
        pytest.raises(UpstreamError, match="100 connections were not enough"),
        patient.lines(url) as found,
    ):
        for _ in found:
            pass
    assert len(asked) == 100
