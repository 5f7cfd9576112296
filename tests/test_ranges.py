"""How a download that broke off goes on."""

from __future__ import annotations

import pytest

from uv_self_update.network.ranges import Version, has_changed, length_of, repeated_bytes

DATE = "Tue, 24 Nov 2026 12:00:00 GMT"
EARLIER = "Tue, 24 Nov 2026 11:59:00 GMT"


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ({"etag": '"a"'}, {"Range": "bytes=5-", "If-Range": '"a"'}),
        (
            {"etag": '"a"', "last-modified": EARLIER, "date": DATE},
            {"Range": "bytes=5-", "If-Range": '"a"'},
        ),
        (
            {"last-modified": EARLIER, "date": DATE},
            {"Range": "bytes=5-", "If-Range": EARLIER},
        ),
        (
            {"etag": 'W/"a"', "last-modified": EARLIER, "date": DATE},
            {"Range": "bytes=5-", "If-Range": EARLIER},
        ),
        ({"last-modified": DATE, "date": DATE}, {}),
        ({"last-modified": EARLIER}, {}),
        ({"last-modified": "Mon, 01 Jan 99999999999999 00:00:00 GMT", "date": DATE}, {}),
        ({"last-modified": f"{EARLIER[:-3]}+9999999999999999", "date": DATE}, {}),
        ({"etag": '"\xe4"'}, {}),
        ({"last-modified": "yesterday", "date": "today"}, {}),
        ({"etag": 'W/"a"'}, {}),
        ({"etag": "a"}, {}),
        ({}, {}),
    ],
)
def test_rest(headers: dict[str, str], asked: dict[str, str]) -> None:
    """The rest is asked for where a strong validator says which version it has to be of."""
    version = Version.of(headers)

    assert version.rest(5) == asked
    assert version.rest(0) == {}


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {}, True),
        (416, {"content-range": "bytes */9"}, True),
        (416, {"content-range": "bytes */10"}, False),
        (416, {}, False),
        (206, {"content-range": "bytes */9"}, False),
        (503, {}, False),
    ],
)
def test_has_changed(status: int, headers: dict[str, str], expected: bool) -> None:  # noqa: FBT001 # a table
    """An answer of no use may say that the file is another; else the whole may still do."""
    version = Version(etag=None, modified=None, size=10)

    assert has_changed(version, status=status, headers=headers) == expected


@pytest.mark.parametrize(
    "headers", [{}, {"etag": 'W/"a"'}, {"last-modified": DATE, "date": DATE}, {"etag": "a"}]
)
def test_rest_of_a_file_with_a_digest(headers: dict[str, str]) -> None:
    """Where a digest is checked in the end, the rest is requested without a validator."""
    version = Version.of(headers)

    assert version.rest(5, verified=True) == {"Range": "bytes=5-"}
    assert version.rest(0, verified=True) == {}


def test_validator_counts_beside_a_digest() -> None:
    """A validator that there is tells sooner that the file has changed."""
    version = Version.of({"etag": '"a"'})

    assert version.rest(5, verified=True) == {"Range": "bytes=5-", "If-Range": '"a"'}


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (206, {"content-range": "bytes 5-9/10"}, 0),
        (206, {"content-range": "bytes 5-9/10", "last-modified": DATE, "etag": '"b"'}, 0),
        (206, {"content-range": "bytes 5-9/11"}, None),
        (206, {"content-range": "bytes 4-9/10"}, None),
        (206, {}, None),
        (200, {"content-length": "10"}, 5),
        (200, {"content-length": "11"}, None),
        (416, {"content-range": "bytes */4"}, None),
    ],
)
def test_repeated_bytes_of_a_file_with_a_digest(
    status: int, headers: dict[str, str], expected: int | None
) -> None:
    """Place and length have to agree all the same."""
    version = Version(etag=None, modified=None, size=10)

    had = repeated_bytes(version, 5, status=status, headers=headers, verified=True)

    assert had == expected


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (206, {"content-range": "bytes 5-9/10", "etag": '"a"'}, 0),
        (206, {"content-range": "bytes 5-9/*", "etag": '"a"'}, 0),
        (206, {"content-range": "bytes 5-9/10"}, None),
        (206, {"content-range": "bytes 5-7/10", "etag": '"a"'}, 0),
        (206, {"content-range": "bytes 3-9/10", "etag": '"a"'}, None),
        (206, {"content-range": "bytes 5-9/10", "etag": 'W/"a"'}, None),
        (206, {"content-range": "bytes 6-9/10", "etag": '"a"'}, None),
        (206, {"content-range": "bytes 0-3/10", "etag": '"a"'}, None),
        (206, {"content-range": "bytes 5-9/11", "etag": '"a"'}, None),
        (206, {"content-range": "bytes 5-9/10", "etag": '"b"'}, None),
        (206, {"content-range": "lines 5-9/10", "etag": '"a"'}, None),
        (206, {"content-range": "bytes 5-9/ten", "etag": '"a"'}, None),
        (206, {"content-type": "multipart/byteranges; boundary=x"}, None),
        (200, {"content-length": "10", "etag": '"a"'}, 5),
        (200, {"etag": '"a"'}, 5),
        (200, {"content-length": "10"}, 5),
        (200, {"content-length": "11"}, None),
        (200, {"content-length": "10", "etag": '"b"'}, 5),
        (416, {"content-range": "bytes */4"}, None),
    ],
)
def test_repeated_bytes(status: int, headers: dict[str, str], expected: int | None) -> None:
    """A second answer begins where it says, if it is of the version that there was at first."""
    version = Version(etag='"a"', modified=None, size=10)

    assert repeated_bytes(version, 5, status=status, headers=headers) == expected


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (206, {"content-range": "bytes 5-9/10", "last-modified": EARLIER}, 0),
        (206, {"content-range": "bytes 5-9/10"}, 0),
        (206, {"content-range": "bytes 5-9/10", "last-modified": DATE}, None),
        (200, {"content-length": "10", "last-modified": DATE}, 5),
        (200, {}, 5),
    ],
)
def test_repeated_bytes_by_date(status: int, headers: dict[str, str], expected: int | None) -> None:
    """Without a tag, a part has to be of the same date; of the whole, the bytes will tell."""
    version = Version(etag=None, modified=EARLIER, size=10)

    assert repeated_bytes(version, 5, status=status, headers=headers) == expected


def test_part_that_was_not_asked_for() -> None:
    """Without a validator no part was asked for, so one that comes could be of any version."""
    version = Version(etag=None, modified=None, size=10)

    headers = {"content-range": "bytes 5-9/10"}
    assert repeated_bytes(version, 5, status=206, headers=headers) is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"content-length": "10"}, 10),
        ({"content-length": "10", "transfer-encoding": "chunked"}, None),
        ({"content-length": "-1"}, None),
        ({"content-length": "\u0661"}, None),
        ({"content-length": "ten"}, None),
        ({}, None),
    ],
)
def test_length(headers: dict[str, str], expected: int | None) -> None:
    """The length of a body is what `Content-Length` says, unless it comes in chunks."""
    assert length_of(headers) == expected
