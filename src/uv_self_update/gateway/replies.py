"""What is sent back to uv, and how uv is kept waiting without losing patience.

uv gives up a request after 30 seconds without a byte (measured with 0.13). So an answer that takes
longer begins early, with bytes that mean nothing: white space before JSON, empty lines in a script.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from uv_self_update.background import Background

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


PLAIN = "text/plain; charset=utf-8"

_PATIENCE = 10.0  # seconds until the answer begins
_INTERVAL = 5.0  # seconds between two bytes that mean nothing


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


def patiently(
    call: Callable[[], Reply],
    *,
    start: bytes = b"",
    content_type: str = PLAIN,
    patience: float = _PATIENCE,
    interval: float = _INTERVAL,
) -> Reply:
    """Return the reply that `call` makes, or after `patience` seconds one that begins already.

    Args:
        call: Makes a reply; it does not raise.
        start: What the body begins with in any case, if it has to begin before it is known.
        content_type: What the body is, if it has to begin before it is known.
        patience: Seconds.
        interval: Seconds.
    """
    work = Background(call)
    if work.wait(patience):
        return work.result()

    def body() -> Iterator[bytes]:
        yield start
        while not work.wait(interval):
            yield b"\n"
        yield b"".join(work.result().body).removeprefix(start)

    return Reply(content_type=content_type, body=body())
