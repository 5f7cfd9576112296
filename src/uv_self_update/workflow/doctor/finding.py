"""What a check has found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uv_self_update.errors import UvSelfUpdateError

State = Literal["ok", "warning", "problem"]
"""An update works as far as this goes; it does, with a surprise; it does not."""


@frozen
class Repair:
    """A remedy that loses nothing, and that this program can carry out."""

    question: str
    """What to do, as a question to the user."""

    run: Callable[[], None]
    """Raises UvSelfUpdateError or OSError."""


@frozen
class Finding:
    """One line of the report."""

    topic: str
    """What it is about: `uv`, `receipt`, `source.0`."""

    text: str
    state: State = "ok"
    remedy: str | None = None
    """What to do or to type; None if there is nothing to do."""

    code: int = 0
    """For a problem: the exit code that an update would have."""

    repair: Repair | None = None


def warning(
    topic: str, text: str, remedy: str | None = None, *, repair: Repair | None = None
) -> Finding:
    """Return the finding for a surprise that does not prevent an update."""
    return Finding(topic=topic, text=text, state="warning", remedy=remedy, repair=repair)


def problem(topic: str, error: UvSelfUpdateError, *, repair: Repair | None = None) -> Finding:
    """Return the finding for an error that an update would end with."""
    return Finding(
        topic=topic,
        text=str(error),
        state="problem",
        remedy=error.hint,
        code=error.exit_code,
        repair=repair,
    )


def exit_code(findings: Sequence[Finding]) -> int:
    """Return 0 if an update would work, else the exit code that it would have."""
    return next((each.code for each in findings if each.state == "problem"), 0)
