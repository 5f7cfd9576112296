"""Files that come in parts, that change meanwhile, and whose length is not what it should be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.faults import chunked, cut, in_turn, relabelled, said, unmeasured
from support.reliability.case import (
    AGAIN,
    AT_ONCE,
    ONE_RETRY,
    THE_REST,
    Failed,
    Updated,
    broken,
    half,
    of_file,
    once,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.faults import Answer, Asked, File, Reply
    from support.reliability.case import Bad

_THEN = "Thu, 29 Jan 2026 20:24:46 GMT"
_LATER = "Fri, 30 Jan 2026 20:24:46 GMT"

_CHANGED = Failed(words="its content changed during the download", requests=2)
_CHANGED_LATER = replace(_CHANGED, requests=3)
_WRONG = "digest mismatch for"
_THEN_AGAIN = Updated(how="again", requests=3)


def _of(change: Callable[[File], File], bad: Bad) -> Bad:
    """Change what is sent when all is well."""
    return lambda file: bad(change(file))


def _without_parts(file: File) -> File:
    return replace(file, ranges=False)


def _without_etag(file: File) -> File:
    return replace(file, etag=None)


def _weak(file: File) -> File:
    """Return one whose server would send a part, though the tag does not say enough."""
    return replace(file, etag='W/"1"', careless=True)


def _dated(file: File) -> File:
    return replace(file, etag=None, modified=_THEN)


def _other(file: File) -> File:
    """Return another file of the same length."""
    return replace(file, content=file.content[::-1])


def _other_etag(file: File) -> File:
    return replace(_other(file), etag='"2"')


def _other_date(file: File) -> File:
    return replace(_other(file), modified=_LATER)


def _changed_just_now(file: File) -> Answer:
    """Return one whose server would send a part, though the date does not say enough."""

    def answer(asked: Asked) -> Reply:
        reply = replace(file, etag=None, careless=True)(asked)
        return reply.relabelled("Last-Modified", dict(reply.headers)["Date"])

    return answer


def _bad_part(bad: Callable[[Reply], Reply]) -> Bad:
    """Answer with a part that is not what it should be, wherever a part is asked for."""

    def made(file: File) -> Answer:
        def answer(asked: Asked) -> Reply:
            reply = file(asked)
            return reply if reply.status != 206 else bad(reply)

        return in_turn(half(file, file), answer)

    return made


def _earlier(file: File) -> Answer:
    def answer(asked: Asked) -> Reply:
        due = file(asked)
        earlier = {**asked.headers, "range": f"bytes={due.first - 1000}-"}
        return file(replace(asked, headers=earlier)) if due.first else due

    return answer


def _part_of_longer(reply: Reply) -> Reply:
    value = dict(reply.headers)["Content-Range"]
    return reply.relabelled("Content-Range", f"{value}0")


def _elsewhere(reply: Reply) -> Reply:
    end = reply.first + len(reply.body)
    return reply.relabelled("Content-Range", f"bytes {reply.first + 10}-{end - 1}/{end}")


def _several(reply: Reply) -> Reply:
    kind = "multipart/byteranges; boundary=b"
    return reply.relabelled("Content-Range").relabelled("Content-Type", kind)


def _labelled(length: Callable[[int], int | str]) -> Bad:
    """Say another length than that of the file, after which the connection ends."""

    def bad(file: File) -> Answer:
        value = str(length(len(file.content)))
        return relabelled(unmeasured(file), "Content-Length", value)

    return bad


def _in_a_broken_chunk(file: File) -> Answer:
    def first_half(asked: Asked) -> Reply:
        reply = file(asked)
        return replace(reply, body=reply.body[: len(reply.body) // 2])

    return chunked(first_half, last=b"nonsense\r\n")


PARTS = (
    of_file("the server cannot send parts", AGAIN, _of(_without_parts, broken())),
    of_file(
        "the server cannot send parts, and there is no ETag",
        AGAIN,
        _of(_without_parts, _of(_without_etag, broken())),
    ),
    of_file("there is neither ETag nor date", THE_REST, _of(_without_etag, broken())),
    replace(
        of_file(
            "there is neither ETag nor date, and no digest", AGAIN, _of(_without_etag, broken())
        ),
        digests=False,
    ),
    of_file("there is a weak ETag only", THE_REST, _of(_weak, broken())),
    of_file("there is a date of long ago only", THE_REST, _of(_dated, broken())),
    of_file(
        "there is a date of this second only",
        THE_REST,
        lambda file: in_turn(half(_changed_just_now(file), file), _changed_just_now(file)),
    ),
    of_file("the part begins earlier than requested", _THEN_AGAIN, broken(_earlier)),
    of_file("the part begins later than requested", _THEN_AGAIN, _bad_part(_elsewhere)),
    of_file("the part is one of a longer file", _THEN_AGAIN, _bad_part(_part_of_longer)),
    of_file(
        "the part does not say where it belongs",
        _THEN_AGAIN,
        _bad_part(lambda reply: reply.relabelled("Content-Range")),
    ),
    of_file("several parts come at once", _THEN_AGAIN, _bad_part(_several)),
    of_file(
        "416 in place of the part",
        _THEN_AGAIN,
        lambda file: in_turn(half(file, file), said(416), file),
    ),
)

CHANGES = (
    of_file("the ETag is another", _CHANGED, broken(_other_etag)),
    of_file(
        "the ETag is another, and a part of the new file comes",
        _CHANGED_LATER,
        broken(lambda file: replace(_other_etag(file), careless=True)),
    ),
    of_file(
        "the ETag is the same, and the bytes are others",
        Failed(words=_WRONG, requests=2),
        broken(_other),
    ),
    of_file("the date is another", _CHANGED, _of(_dated, broken(_other_date))),
    of_file(
        "the date is another, and a part of the new file comes",
        _CHANGED_LATER,
        _of(_dated, broken(lambda file: replace(_other_date(file), careless=True))),
    ),
    of_file(
        "there is no ETag, and the bytes are others",
        Failed(words=_WRONG, requests=2),
        _of(_without_etag, broken(_other)),
    ),
    replace(
        of_file(
            "there is no ETag and no digest, and the bytes are others",
            _CHANGED,
            _of(_without_etag, broken(_other)),
        ),
        digests=False,
    ),
    replace(
        of_file(
            "there was an ETag, and the new file has none",
            _CHANGED,
            broken(_of(_other, _of(_without_etag, _without_parts))),
        ),
        digests=False,
    ),
    of_file(
        "the new file is shorter",
        _CHANGED,
        _of(_without_etag, broken(lambda file: replace(file, content=file.content[:1000]))),
    ),
)

LENGTHS = (
    of_file(
        "`Content-Length` is larger than the archive",
        Failed(words="was interrupted after"),
        _labelled(lambda size: size + 1000),
        ONE_RETRY,
    ),
    of_file(
        "`Content-Length` is smaller than the archive",
        Failed(words=_WRONG, requests=1),
        _labelled(lambda size: size - 1000),
    ),
    of_file(
        "`Content-Length` is 3 GiB",
        Failed(words="exceeds the limit of 2,147,483,648 bytes", requests=1),
        _labelled(lambda _: 3 << 30),
    ),
    of_file(
        "`Content-Length` has 31 digits",
        Failed(words="bad Content-Length", requests=2),
        _labelled(lambda _: 10**30),
        ONE_RETRY,
    ),
    of_file(
        "`Content-Length` is negative",
        Failed(words="bad Content-Length", requests=2),
        _labelled(lambda _: -5),
        ONE_RETRY,
    ),
    of_file(
        "`Content-Length` is no number",
        Failed(words="bad Content-Length", requests=2),
        _labelled(lambda _: "large"),
        ONE_RETRY,
    ),
    of_file(
        "`Content-Length` occurs twice, with different numbers",
        Failed(words="conflicting Content-Length", requests=2),
        lambda file: relabelled(file, "Content-Length", "5", "6"),
        ONE_RETRY,
    ),
    of_file("there is no length, but the end of the connection", AT_ONCE, unmeasured),
    of_file(
        "there is no length, and the connection ends in the middle",
        Failed(words=_WRONG, requests=1),
        lambda file: half(unmeasured(file), file),
    ),
    of_file("the archive comes in chunks", AT_ONCE, chunked),
    of_file(
        "the archive comes in chunks, and breaks off",
        THE_REST,
        once(lambda file: half(chunked(file), file)),
    ),
    of_file("a chunk is broken", THE_REST, once(_in_a_broken_chunk)),
    of_file(
        "the last chunk is missing",
        _THEN_AGAIN,
        once(lambda file: chunked(file, last=b"")),
    ),
    of_file("the server speaks HTTP/1.0", AT_ONCE, lambda file: unmeasured(file, "1.0")),
    of_file(
        "the server speaks HTTP/1.0, and the connection ends in the middle",
        Failed(words=_WRONG, requests=1),
        lambda file: cut(unmeasured(file, "1.0"), 1000),
    ),
    of_file(
        "the archive is labelled as `Content-Encoding: gzip`",
        AT_ONCE,
        lambda file: relabelled(file, "Content-Encoding", "gzip"),
    ),
)
