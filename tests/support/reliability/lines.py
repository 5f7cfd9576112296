"""Connections that break, connections that are slow, and servers that refuse."""

from __future__ import annotations

import time
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING

from support.faults import cut, headless, in_turn, said
from support.reliability.case import (
    AGAIN,
    ARCHIVE,
    IMPATIENT,
    ONE_RETRY,
    THE_REST,
    Case,
    Failed,
    Updated,
    half,
    leading,
    of_file,
    once,
    refusing,
    web_page,
)

if TYPE_CHECKING:
    from support.faults import Answer, Asked, File, Reply
    from support.reliability.case import Bad, Shelf


def _after(tenth: int) -> Bad:
    return once(lambda file: cut(file, len(file.content) * tenth // 10))


def _after_each_tenth(file: File) -> Answer:
    size = len(file.content)
    return in_turn(*(cut(file, size * tenth // 10) for tenth in range(1, 10)), file)


def _not_yet(shelf: Shelf) -> dict[str, Answer]:
    """Lead to a port that refuses two connections."""
    shelf.door.answers[ARCHIVE] = shelf.files[ARCHIVE]

    def lead(asked: Asked) -> Reply:
        if asked.number == 2:
            shelf.door.listen()
        return leading(shelf.door.url + ARCHIVE)(asked)

    return {ARCHIVE: lead}


def _in_a_second(asked: Asked) -> Reply:
    date = formatdate(time.time() + 1, usegmt=True)
    return said(429, ("Retry-After", date))(asked)


BREAKS = (
    *(
        replace(
            of_file(
                f"the connection ends after {tenth}0 % of the archive", THE_REST, _after(tenth)
            ),
            slow=tenth > 1,
        )
        for tenth in range(1, 10)
    ),
    of_file(
        "the connection ends after 10 %, the next after 20 %, and so on",
        Updated(how="the rest", requests=10),
        _after_each_tenth,
    ),
    of_file(
        "each connection ends at the same byte",
        Failed(words="was interrupted after", requests=2),
        lambda file: half(file, file),
        ONE_RETRY,
    ),
    of_file(
        "the connection is reset in the middle of the archive",
        THE_REST,
        once(lambda file: half(file, file, "reset")),
    ),
    of_file(
        "two connections end before an answer",
        Updated(how="again", requests=3),
        once(headless, times=2),
    ),
    of_file(
        "each connection ends before an answer",
        Failed(words="failed to fetch", requests=2),
        headless,
        ONE_RETRY,
    ),
    of_file(
        "the connection is reset before an answer",
        AGAIN,
        once(lambda file: headless(file, end="reset")),
    ),
    of_file(
        "the connection ends in the middle of the headers",
        AGAIN,
        once(lambda file: headless(file, 40)),
    ),
    Case(
        fault="two connections are refused",
        outcome=Updated(how="again", requests=3),
        plan=_not_yet,
    ),
    Case(
        fault="each connection is refused",
        outcome=Failed(words="Connection refused", requests=2),
        plan=lambda shelf: {ARCHIVE: leading(shelf.door.url + ARCHIVE)},
        environ=ONE_RETRY,
    ),
)

SLOW = (
    of_file(
        "nothing comes any more in the middle of the archive",
        Updated(how="the rest"),
        once(lambda file: half(file, file, "silent")),
        IMPATIENT,
    ),
    of_file(
        "nothing comes any more, each time at the same byte",
        Failed(words="no data for 0.5 seconds"),
        lambda file: half(file, file, "silent"),
        IMPATIENT,
    ),
    of_file(
        "no answer comes",
        Updated(how="again"),
        once(lambda file: headless(file, end="silent")),
        IMPATIENT,
    ),
    of_file(
        "no answer ever comes",
        Failed(words="no data for 0.5 seconds"),
        lambda file: headless(file, end="silent"),
        IMPATIENT,
    ),
    of_file(
        "the archive comes byte by byte from the middle on",
        Updated(how="the rest"),
        once(lambda file: half(file, file, "dripping")),
        IMPATIENT,
    ),
    of_file(
        "the archive comes byte by byte, each time",
        Failed(words="slower than 1,024 bytes per second"),
        lambda file: cut(file, 0, "dripping"),
        IMPATIENT,
    ),
)

STATUSES = (
    *(
        replace(of_file(f"{status}, then 200", AGAIN, once(refusing(status))), slow=status > 408)
        for status in (408, 425, 500, 502, 504)
    ),
    of_file("503 twice, then 200", Updated(how="again", requests=3), once(refusing(503), times=2)),
    of_file("503 each time", Failed(words="answered 503", requests=4), refusing(503)),
    replace(
        of_file("429 with `Retry-After: 0`, then 200", AGAIN, once(refusing(429, "0"))), slow=True
    ),
    of_file("429 with `Retry-After: 1`, then 200", AGAIN, once(refusing(429, "1"))),
    of_file("429 with `Retry-After` a date, then 200", AGAIN, once(lambda _: _in_a_second)),
    of_file(
        "429 with `Retry-After: 99999`",
        Failed(words="rate limit exceeded until", requests=1),
        refusing(429, "99999"),
    ),
    of_file(
        "503 with `Retry-After: 99999`",
        Failed(words="answered 503", requests=1),
        refusing(503, "99999"),
    ),
    of_file("403", Failed(words="answered 403", requests=1), refusing(403)),
    of_file("501", Failed(words="answered 501", requests=1), refusing(501)),
    of_file(
        "206, though no part was requested",
        Failed(words="answered 206", requests=1),
        refusing(206),
    ),
    of_file(
        "the archive breaks off, then 503, then 206",
        Updated(how="the rest", requests=3),
        lambda file: in_turn(half(file, file), said(503), file),
    ),
    of_file(
        "a web page with status 200 in place of the archive",
        Failed(words="got a web page", requests=1),
        web_page,
    ),
)
