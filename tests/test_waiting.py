"""A call that is refused for a moment is repeated."""

from __future__ import annotations

import pytest

from support.waiting import until_accepted


def test_repeated() -> None:
    """It is repeated until it is accepted."""
    refusals = [RuntimeError(), RuntimeError()]
    accepted = []

    def call(argument: object) -> None:
        if refusals:
            raise refusals.pop()
        accepted.append(argument)

    until_accepted(call)(1)

    assert accepted == [1]


def test_not_forever() -> None:
    """In the end the error is raised."""

    def call(argument: object) -> None:
        raise RuntimeError(argument)

    with pytest.raises(RuntimeError):
        until_accepted(call)(1)
