"""Downloads that begin before they are requested."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from uv_self_update.errors import DigestMismatch, StatusRefused, UvSelfUpdateError
from uv_self_update.gateway.ahead import Ahead, Body
from uv_self_update.gateway.replies import BrokenOff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

MISMATCH = DigestMismatch("uv", "the mirror", expected="0", got="1", pinned="")


class File:
    """A file that notes how much of it was read."""

    def __init__(self, *, count: int, size: int = 100, error: Exception | None = None) -> None:
        """Have so many pieces, and an error behind them."""
        self.count, self.size, self.error = count, size, error
        self.read = 0
        self.waiting = threading.Semaphore(0)
        self.ended = threading.Event()

    @contextmanager
    def fetch(self) -> Iterator[Body]:
        """Open it."""
        try:
            yield Body(size=self.count * self.size, chunks=self._chunks())
        finally:
            self.ended.set()

    def _chunks(self) -> Iterator[bytes]:
        for number in range(self.count):
            self.read += 1
            self.waiting.release()
            yield bytes([number % 256]) * self.size
        if self.error is not None:
            raise self.error

    def until(self, read: int) -> None:
        """Wait until so many pieces were read."""
        for _ in range(read):
            assert self.waiting.acquire(timeout=60)


def test_read_before_it_is_requested() -> None:
    """It is read as far as there is room, and the rest when the first bytes are taken."""
    file = File(count=50)
    ahead = Ahead(file.fetch, room=1000)
    file.until(11)  # the last one waits for room
    assert (file.read, file.ended.is_set()) == (11, False)
    with ahead.open() as body:
        assert body.size == 5000
        assert b"".join(body.chunks) == b"".join(bytes([n]) * 100 for n in range(50))
    assert file.ended.wait(60)


def test_whole_file_before_it_is_requested() -> None:
    """A small file is there as a whole, also after the connection was given back."""
    file = File(count=3)
    ahead = Ahead(file.fetch)
    assert file.ended.wait(60)
    with ahead.open() as body:
        assert sum(map(len, body.chunks)) == 300


def test_refused_when_it_is_opened() -> None:
    """A server that refuses is an error for the one who requests the file."""
    error = StatusRefused("https://h/", 404)

    def fetch() -> AbstractContextManager[Body]:
        raise error

    with pytest.raises(UvSelfUpdateError) as caught, Ahead(fetch).open():
        pass
    assert caught.value is error


@pytest.mark.parametrize("room", [100, 1 << 20])
def test_error_behind_the_last_piece(room: int) -> None:
    """An error comes where it came, behind the pieces before it, and nothing counts as the end."""
    file = File(count=5, error=MISMATCH)
    ahead = Ahead(file.fetch, room=room)
    taken: list[bytes] = []
    with pytest.raises(DigestMismatch) as caught, ahead.open() as body:
        taken.extend(body.chunks)
    assert caught.value is MISMATCH
    assert len(taken) == 5


@pytest.mark.parametrize("opened", [False, True])
def test_given_up(*, opened: bool) -> None:
    """What is not wanted any more is closed, and its thread ends."""
    file = File(count=1000)
    ahead = Ahead(file.fetch, room=1000)
    file.until(11)
    if opened:
        with ahead.open() as body:
            next(body.chunks)
    ahead.close()
    assert file.ended.wait(60)
    assert file.read < 20


@pytest.mark.parametrize("complete", [False, True])
def test_given_up_while_it_is_read(*, complete: bool) -> None:
    """A file that is given up does not look like one that ends there."""
    going_on, fetched = threading.Event(), threading.Event()

    @contextmanager
    def fetch() -> Iterator[Body]:
        def chunks() -> Iterator[bytes]:
            yield b"x"
            if not complete:
                going_on.wait(60)
            yield b"y"

        yield Body(size=None, chunks=chunks())
        fetched.set()

    ahead = Ahead(fetch)
    with ahead.open() as body:
        assert next(body.chunks) == b"x"
        if complete:
            assert fetched.wait(60)
            ahead.close()
        else:
            threading.Timer(0.05, ahead.close).start()
        with pytest.raises(BrokenOff):
            next(body.chunks)
    going_on.set()
