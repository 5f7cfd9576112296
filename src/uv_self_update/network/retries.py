"""When a failed request is sent again."""

from __future__ import annotations

import random
import time

from uv_self_update.network.limits import DEFAULTS, Limits

_LONGEST_NUMBER = 9  # digits of a number of seconds: 30 years


def pause(failures: int, *, after: float | None, limits: Limits = DEFAULTS) -> float | None:
    """Return the seconds to wait before the next retry; None to give up.

    The wait doubles with each failure, with random jitter, so that the clients of a server that
    failed do not all come back at the same moment.

    Args:
        failures: Failures in a row.
        after: Seconds in the `Retry-After` header, if any.
        limits: The longest waits.
    """
    if after is not None and after > limits.retry_after:
        return None
    wait = min(limits.first_wait * 2.0 ** min(failures - 1, 10), limits.longest_wait)
    return max(after or 0.0, wait * random.uniform(0.5, 1.0))  # noqa: S311 # no secret


def seconds_until(retry_after: str, now: float | None = None) -> float | None:
    """Return the seconds of a `Retry-After` header (RFC 9110 section 10.2.3); None without any.

    Args:
        retry_after: A number of seconds, or a date.
        now: The time in seconds since 1970; None for the clock's.
    """
    text = retry_after.strip()
    if text.isdecimal() and text.isascii():
        return float(text[:_LONGEST_NUMBER])
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 # slow, and few send a date

    try:
        moment = parsedate_to_datetime(text).timestamp()
    # OverflowError: a year out of the range of the system's clock.
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, moment - (time.time() if now is None else now))
