"""A JSON array that is read element by element, however it is cut into pieces."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from uv_self_update.errors import TooLarge
from uv_self_update.sources.formats import json_array
from uv_self_update.sources.formats.json_array import NotAnArray, elements

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "https://h.example/list"

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def cut(body: bytes, size: int) -> Iterator[bytes]:
    """Cut a body into pieces."""
    return (body[start : start + size] for start in range(0, len(body), size))


def read(body: bytes, size: int = 1 << 16) -> list[object]:
    """Return every element of a body that comes in pieces."""
    return list(elements(cut(body, size), URL))


@settings(deadline=None)
@example(values=[None, 0.0, 1e300], size=1, ascii_only=True, indent=None, encoding="utf-8")
@given(
    values=st.lists(VALUES, max_size=5),
    size=st.integers(1, 40),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 2]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_as_the_standard_library(  # of hypothesis, which names them
    *,
    values: list[object],
    size: int,
    ascii_only: bool,
    indent: int | None,
    encoding: str,
) -> None:
    """The elements are those that `json.loads` reads."""
    text = json.dumps(values, ensure_ascii=ascii_only, indent=indent)
    body = text.encode(encoding, errors="surrogatepass")

    assert read(body, size) == json.loads(text)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"{}", b'"a"', b"null", b"1", b"<!DOCTYPE html>", b"]", b"["),
        *(b"[1", b"[1,", b"[,1]", b"[1,]", b"[1 2]", b"[1]]", b"[1] x", b"[tru]", b'["a'),
        *(b"[1}", b"[\xff\xfe\xfd]", b'["\\x"]', b"[" + b"[" * 100_000, b"[" + b"9" * 5000 + b"]"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_no_array(body: bytes, size: int) -> None:
    """Anything else is refused, with the start of what it is."""
    with pytest.raises(NotAnArray) as caught:
        read(body, size)

    assert caught.value.head == body[: len(caught.value.head)]
    assert len(caught.value.head) >= min(len(body), 1 << 16)


def test_first_before_the_last() -> None:
    """An element is there as soon as it has come."""
    found = elements(iter([b'[{"a":1},', b"no JSON"]), URL)

    assert next(found) == {"a": 1}
    with pytest.raises(NotAnArray):
        next(found)


def test_no_more_is_received_than_an_element_takes() -> None:
    """An element needs no more of the body than itself and what follows it at once."""
    received = []

    def body() -> Iterator[bytes]:
        for piece in (b'[{"a":1}, {"b"', b":2}]"):
            received.append(piece)
            yield piece

    found = elements(body(), URL)

    assert next(found) == {"a": 1}
    assert len(received) == 1
    assert next(found) == {"b": 2}


def test_many() -> None:
    """Neither the number of elements, nor the size of one, nor white space is without bound."""
    most = json_array.MAX_ENTRIES

    assert len(read(b"[" + b",".join([b"0"] * most) + b"]")) == most
    with pytest.raises(TooLarge, match="exceeds the limit of 75,000 entries"):
        read(b"[" + b",".join([b"0"] * (most + 1)) + b"]")
    with pytest.raises(TooLarge, match="characters of one entry"):
        read(b'["' + b"a" * (2 << 20) + b'"]')
    with pytest.raises(TooLarge, match="spaces"):
        read(b"[" + b" " * (2 << 20) + b"]")
    assert len(str(read(b'["' + b"a" * (900 << 10) + b'"]')[0])) == 900 << 10
