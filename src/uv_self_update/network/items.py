"""A list that is read item by item while it comes, so that it need not fit into memory."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from uv_self_update.errors import Interrupted, TooLarge, UpstreamError
from uv_self_update.network.download import CHANGED, MOST, TOO_OFTEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from uv_self_update.network.exchange import Response


_LONGEST_LINE = 1 << 20  # bytes; one of uv.ndjson has less than 5,000

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Items(Generic[T]):
    """What a document holds, as it comes."""

    items: Iterator[T]
    """The items, once; raises UpstreamError where they break off for good."""

    links: dict[str, str]
    """The `Link` header: relation -> absolute URL; known with the first item."""


def resumed(
    url: str,
    *,
    begin: Callable[[], Response],
    split: Callable[[Response], Iterator[T]],
    pause: Callable[[UpstreamError, int], None],
) -> Items[T]:
    """Return the items of a document, which after a break is read from its start again.

    The items that were handed on by then are passed over.

    Args:
        url: The document, as it may be shown.
        begin: Sends the request; raises UpstreamError.
        split: Makes items of a body.
        pause: Waits after a failure, given how many there were in a row; raises it if there is no
            point in going on.
    """
    links: dict[str, str] = {}

    def read() -> Iterator[T]:
        failures, count, last = 0, 0, None
        for _ in range(MOST):
            before = count
            try:
                with closing(begin()) as reply:
                    links.update(reply.links)
                    for number, item in enumerate(split(reply), 1):
                        if number > count:
                            count, last = number, item
                            yield item
                        elif number == count and item != last:
                            raise Interrupted(reply.url, 0, None, CHANGED, passing=False)
            except UpstreamError as error:
                failures = 1 if count > before else failures + 1
                pause(error, failures)
            else:
                return
        raise Interrupted(url, 0, None, TOO_OFTEN)

    return Items(items=read(), links=links)


def lines_of(chunks: Iterator[bytes], shown: str) -> Iterator[bytes]:
    """Split a body into lines.

    Raises:
        TooLarge: One is too long.
    """
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
