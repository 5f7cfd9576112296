"""What every error is made of."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from uv_self_update.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = (
    "RehearsalError",
    "Unforeseen",
    "UvSelfUpdateError",
)


class UvSelfUpdateError(Exception):
    """Something went wrong, and the message says what and where."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        """Keep the sentence and, where there is one, the advice.

        Some of the words are a server's, which must not reach a terminal's controls.
        """
        super().__init__(message)
        self.message = printable(message)
        self.hint = None if hint is None else printable(hint)

    def __str__(self) -> str:
        """Say what happened, without the advice."""
        return self.message

    def as_json(self) -> str:
        """Return it as one JSON object, for `--json`; `code` is the exit code."""
        import json  # noqa: PLC0415 # most failures are read by people

        return json.dumps({"error": self.message, "code": self.exit_code, "hint": self.hint})


class Unforeseen(UvSelfUpdateError):
    """A mistake in this package."""

    exit_code = 10

    def __init__(self, error: Exception) -> None:
        """Name the error and its place, but only what the system says of it.

        Nobody knows what stands in any other's words: it may be a login.
        """
        frames = traceback.extract_tb(error.__traceback__)[-1:]
        place = "".join(f" in {Path(at.filename).name}, line {at.lineno}" for at in frames)
        said = isinstance(error, OSError) and error.strerror
        super().__init__(
            f"this should not have happened: {type(error).__name__}{place}"
            + (f": {said}" if said else ""),
            hint="It is a mistake in uv-self-update: please report it. With `-v`, an update and a "
            "rehearsal say more.",
        )
        self.trace = "".join(_trace(error))
        """Where it was raised, and whatever led to it: lines of code, without their values."""


def _trace(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{type(error).__name__}\n"
        yield from traceback.format_tb(error.__traceback__)
        error = error.__cause__ or error.__context__


class RehearsalError(UvSelfUpdateError):
    """The rehearsal could not be held, or has failed."""

    exit_code = 9
