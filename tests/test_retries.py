"""When a request that has failed is sent again."""

from __future__ import annotations

import pytest

from uv_self_update.network.retries import pause, seconds_until

NOW = 1_795_521_600.0  # Tue, 24 Nov 2026 12:00:00 GMT


@pytest.mark.parametrize(
    ("failures", "longest"),
    [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (5, 8.0), (6, 8.0), (9999, 8.0)],
)
def test_pause(failures: int, longest: float) -> None:
    """The wait doubles up to a bound, and is shortened by chance by up to a half."""
    waits = {pause(failures, after=None) for _ in range(50)}

    assert len(waits) > 1
    assert all(wait is not None and longest / 2 <= wait <= longest for wait in waits)


@pytest.mark.parametrize(("after", "least"), [(0.0, 0.25), (7.5, 7.5), (60.0, 60.0), (61.0, None)])
def test_pause_that_was_asked_for(after: float, least: float | None) -> None:
    """What a server asks for is the least, unless it is more than a person waits."""
    wait = pause(1, after=after)

    if least is None:
        assert wait is None
    else:
        assert wait is not None
        assert least <= wait <= max(least, 0.5)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 5000, 999_999_999.0),
        ("Tue, 24 Nov 2026 12:00:30 GMT", 30.0),
        ("Tuesday, 24-Nov-26 12:00:30 GMT", 30.0),
        ("Tue, 24 Nov 2026 11:00:00 GMT", 0.0),
        ("Tue, 24 Nov 99999999999 11:00:00 GMT", None),
        ("-1", None),
        ("\u0661", None),
        ("soon", None),
        ("", None),
    ],
)
def test_seconds_until(header: str, expected: float | None) -> None:
    """`Retry-After` is a number of seconds or a date, or of no use."""
    assert seconds_until(header, NOW) == expected
