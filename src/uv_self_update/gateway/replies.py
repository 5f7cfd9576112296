"""What is sent back to uv, and how uv is kept waiting without losing patience.

uv gives up a request after 30 seconds without a byte (measured with 0.13). So an answer that takes
longer begins early, with bytes that mean nothing: white space before JSON, empty lines in a script.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.background import Background
from uv_self_update.network.limits import DEFAULTS, Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A response."""

    status: int = 200
    content_type: str = PLAIN
    body: Iterable[bytes] = ()
    length: int | None = None
    """Bytes; None sends the body in chunks, as many as there are."""

    headers: tuple[tuple[str, str], ...] = ()
    """More headers."""

    @classmethod
    def of(cls, text: str | bytes, *, status: int = 200, content_type: str = PLAIN) -> Reply:
        """Make a reply of a body that is known as a whole."""
        body = text.encode() if isinstance(text, str) else text
        return cls(status=status, content_type=content_type, body=(body,), length=len(body))


class BrokenOff(Exception):
    """A body cannot be completed; the connection has to be broken as well."""


def patiently(call: Callable[[], Reply], *, start: bytes = b"", limits: Limits = DEFAULTS) -> Reply:
    """Return the reply that `call` makes; after `Limits.first_byte`, one that has begun already.

    Args:
        call: Makes a reply; it does not raise.
        start: The start of every body, sent first where the body begins before it is known.
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

    return Reply(body=body())
