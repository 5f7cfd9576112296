"""Redirects, IPv6, and faults of what is fetched before the archive."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.faults import File, chunked, cut, in_turn, said, unmeasured
from support.reliability.case import (
    AGAIN,
    ARCHIVE,
    AT_ONCE,
    IMPATIENT,
    LATEST,
    LISTING,
    ONE_RETRY,
    SCRIPT,
    THE_REST,
    Case,
    Failed,
    Updated,
    broken,
    half,
    leading,
    of_file,
    once,
    refusing,
    web_page,
)

if TYPE_CHECKING:
    from support.faults import Answer, Asked, Reply
    from support.reliability.case import Plan, Shelf

_TOO_MANY = "more than 10 redirects"


def _over(*steps: tuple[str, str]) -> Plan:
    """Lead to the archive from one place to the next; HOST stands for the server's address."""

    def plan(shelf: Shelf) -> dict[str, Answer]:
        host = shelf.server.netloc
        redirects = {path: leading(location.replace("HOST", host)) for path, location in steps}
        return {**redirects, "/a/x": shelf.files[ARCHIVE]}

    return plan


def _by_query(shelf: Shelf) -> dict[str, Answer]:
    def answer(asked: Asked) -> Reply:
        there = asked.target.endswith("?q")
        return (shelf.files[ARCHIVE] if there else leading("?q"))(asked)

    return {ARCHIVE: answer}


def _signed(shelf: Shelf) -> dict[str, Answer]:
    """Give out a new signature with each request; only the last is good."""
    answers = broken()(shelf.files[ARCHIVE])

    def answer(asked: Asked) -> Reply:
        last = len(shelf.server.got(ARCHIVE)) - 1
        good = asked.target.endswith(f"?signature={last}")
        return (answers if good else said(403))(asked)

    return {
        ARCHIVE: lambda asked: leading(f"/signed?signature={asked.number}")(asked),
        "/signed": answer,
    }


REDIRECTS = (
    Case(
        fault="a redirect to `../x`",
        outcome=AT_ONCE,
        plan=_over((ARCHIVE, "/a/b/c"), ("/a/b/c", "../x")),
    ),
    Case(fault="a redirect to `//HOST/x`", outcome=AT_ONCE, plan=_over((ARCHIVE, "//HOST/a/x"))),
    Case(fault="a redirect to `?q`", outcome=Updated(how="at once", requests=2), plan=_by_query),
    of_file(
        "a redirect with an empty `Location`, which is to itself",
        Failed(words=_TOO_MANY, requests=11),
        lambda _: leading(""),
    ),
    of_file(
        "a redirect without `Location`",
        Failed(words="answered 302", requests=1),
        lambda _: said(302),
    ),
    of_file(
        "a redirect to a file of this machine",
        Failed(words="it redirects to file:///etc/passwd", requests=1),
        lambda _: leading("file:///etc/passwd"),
    ),
    Case(
        fault="two redirects that lead to each other",
        outcome=Failed(words=_TOO_MANY, requests=6),
        plan=_over((ARCHIVE, "/b"), ("/b", ARCHIVE)),
    ),
    Case(
        fault="eleven redirects",
        outcome=Failed(words=_TOO_MANY, requests=1),
        plan=_over(
            (ARCHIVE, "/1"), *((f"/{n}", f"/{n + 1}") for n in range(1, 10)), ("/10", "/a/x")
        ),
    ),
    Case(
        fault="a redirect to a signed URL that expires, where the archive breaks off",
        outcome=THE_REST,
        plan=_signed,
    ),
    Case(
        fault="the archive breaks off, over IPv6",
        outcome=THE_REST,
        plan=lambda shelf: {ARCHIVE: broken()(shelf.files[ARCHIVE])},
        host="::1",
    ),
)


def _of_document(what: str, path: str) -> tuple[Case, ...]:
    return (
        of_file(f"{what} breaks off", AGAIN, broken(), path=path),
        of_file(
            f"{what} breaks off each time",
            Failed(words="was interrupted after", requests=2),
            lambda file: half(file, file),
            ONE_RETRY,
            path=path,
        ),
        of_file(f"503 in place of {what}, then 200", AGAIN, once(refusing(503)), path=path),
        of_file(
            f"a web page with a login form, with status 200, in place of {what}",
            Failed(words="a web page with a login form", requests=1),
            lambda _: said(200, body=b'<!DOCTYPE html><input type="password">'),
            path=path,
        ),
    )


DOCUMENTS = (
    *_of_document("the list of versions", LATEST),
    of_file(
        "the list of versions is cut, and its length fits",
        Failed(words="got JSON with other contents", requests=1),
        lambda file: said(200, body=file.content[: len(file.content) // 2]),
        path=LATEST,
    ),
    of_file(
        "the list of versions has 40 MiB",
        Failed(words="exceeds the limit of 1,048,576 spaces", requests=1),
        lambda _: File(content=b"[" + b" " * (40 << 20)),
        path=LATEST,
    ),
    of_file(
        "the list of versions comes byte by byte",
        Updated(how="again"),
        once(lambda file: cut(file, 0, "dripping")),
        IMPATIENT,
        path=LATEST,
    ),
    *_of_document("a page of links", LISTING),
)

SCRIPTS = (
    of_file("the installer breaks off", THE_REST, broken(), path=SCRIPT),
    of_file(
        "the installer breaks off each time",
        Failed(words="was interrupted after", requests=2),
        lambda file: half(file, file),
        ONE_RETRY,
        path=SCRIPT,
    ),
    replace(
        of_file(
            "the installer comes in chunks, and breaks off each time",
            Failed(words="was interrupted after"),
            lambda file: half(chunked(file, size=100), file),
            ONE_RETRY,
            path=SCRIPT,
        ),
        digests=False,
    ),
    of_file(
        "the installer has no length, and the connection ends in the middle",
        Failed(words="digest mismatch for", requests=1),
        lambda file: half(unmeasured(file), file),
        path=SCRIPT,
    ),
    of_file(
        "the installer changes while it is fetched",
        Failed(words="its content changed during the download", requests=2),
        lambda file: in_turn(half(file, file), File(content=file.content[::-1], etag='"2"')),
        path=SCRIPT,
    ),
    of_file(
        "a web page with status 200 in place of the installer",
        Failed(words="got a web page", requests=1),
        web_page,
        path=SCRIPT,
    ),
    of_file(
        "the installer has 5 MiB",
        Failed(words="exceeds the limit of 4,194,304 bytes", requests=1),
        lambda _: File(content=b"#!/bin/sh\n" + b"#" * (5 << 20)),
        path=SCRIPT,
    ),
)
