"""Responses to uv, kept alive while they are not known yet.

uv gives up a request after 30 seconds without a byte (measured with 0.13). So a response that takes
longer begins with padding: white space before JSON, empty lines in a script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.network.limits import DEFAULTS, Limits
from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


PLAIN = "text/plain; charset=utf-8"


@frozen
class Reply:
    """A response."""

    status: int = 200
    content_type: str = PLAIN
    body: Iterable[bytes] = ()
    length: int | None = None
    """In bytes; None sends the body in chunks."""

    headers: tuple[tuple[str, str], ...] = ()
    """Additional headers."""

    @classmethod
    def of(cls, text: str | bytes, *, status: int = 200, content_type: str = PLAIN) -> Reply:
        """Return a reply with a complete body."""
        body = text.encode() if isinstance(text, str) else text
        return cls(status=status, content_type=content_type, body=(body,), length=len(body))


class BrokenOff(Exception):
    """A body cannot be completed; the connection is reset."""


def with_keepalive(
    call: Callable[[], Reply],
    *,
    start: bytes = b"",
    content_type: str = PLAIN,
    limits: Limits = DEFAULTS,
) -> Reply:
    """Return the reply that `call` makes; after `Limits.first_byte`, one that has begun already.

    Args:
        call: Makes a reply; it does not raise.
        start: The start of every body, sent first where the body begins before it is known.
        content_type: The type of a body that begins before it is known.
        limits: The times.
    """
    work = Background(call)
    if work.wait(limits.first_byte):
        return work.result()

    def body() -> Iterator[bytes]:
        yield start
        while not work.wait(limits.keepalive):
            yield b"\n"
        yield b"".join(work.result().body).removeprefix(start)

    return Reply(content_type=content_type, body=body())
