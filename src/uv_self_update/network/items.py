"""A list that is read item by item while it arrives, so that it need not fit into memory."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Generic, TypeVar

from uv_self_update.errors import Interrupted, TooLarge, UpstreamError
from uv_self_update.network.download import CHANGED, too_many_connections
from uv_self_update.network.limits import DEFAULTS
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from uv_self_update.network.exchange import Response


T = TypeVar("T")


@frozen
class Items(Generic[T]):
    """The items of a document, while it arrives."""

    items: Iterator[T]
    """The items, once; raises UpstreamError when retries are used up."""

    links: dict[str, str]
    """The `Link` header: relation -> absolute URL; known with the first item."""


def resumed(
    url: str,
    *,
    begin: Callable[[], Response],
    split: Callable[[Response], Iterator[T]],
    pause: Callable[[UpstreamError, int], None],
    connections: int,
) -> Items[T]:
    """Return the items of a document, which is read again from its start after an interruption.

    Items that were yielded before are skipped.

    Args:
        url: The redacted URL of the document.
        begin: Sends the request; raises UpstreamError.
        split: Makes items of a body.
        pause: Waits after a failure, given the failures in a row; raises the failure to give up.
        connections: Connections to try at most.
    """
    links: dict[str, str] = {}

    def read() -> Iterator[T]:
        failures, count, last = 0, 0, None
        for _ in range(connections):
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
        raise Interrupted(url, 0, None, too_many_connections(connections))

    return Items(items=read(), links=links)


def lines_of(
    chunks: Iterator[bytes], shown: str, *, longest: int = DEFAULTS.line
) -> Iterator[bytes]:
    """Split a body into lines of at most `longest` bytes.

    Raises:
        TooLarge: A line is longer.
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
        if size > longest:
            raise TooLarge(shown, longest)
    yield b"".join(pending)
