"""When a request that has failed is sent again."""

from __future__ import annotations

import random
import time

LONGEST = 60.0
"""Seconds that a server may ask to wait; a person gives up before that."""

_FIRST, _MOST = 0.5, 8.0  # seconds
_LONGEST_NUMBER = 9  # digits of a number of seconds: 30 years


def pause(failures: int, *, after: float | None) -> float | None:
    """Return how long to wait before the next try, in seconds; None if there is no point in one.

    The wait doubles, and is shortened by chance, so that many clients that a server has failed at
    the same moment do not come back at the same moment.

    Args:
        failures: How often it has failed in a row.
        after: Seconds that the server has asked for, if it has.
    """
    if after is not None and after > LONGEST:
        return None
    wait = min(_FIRST * 2.0 ** min(failures - 1, 10), _MOST)
    return max(after or 0.0, wait * random.uniform(0.5, 1.0))  # noqa: S311 # no secret


def seconds_until(retry_after: str, now: float | None = None) -> float | None:
    """Return how many seconds a `Retry-After` header asks for (RFC 9110 section 10.2.3).

    Args:
        retry_after: A number of seconds, or a date.
        now: Seconds since 1970; None for the clock's.
    """
    text = retry_after.strip()
    if text.isdecimal() and text.isascii():
        return float(text[:_LONGEST_NUMBER])
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 # slow, and few send a date

    try:
        moment = parsedate_to_datetime(text).timestamp()
    # OverflowError: a year that the system's clock cannot have.
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, moment - (time.time() if now is None else now))
