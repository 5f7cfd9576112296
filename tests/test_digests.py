"""Checking a body while it passes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uv_self_update.errors import DigestMismatch, NoDigest, NotPinned
from uv_self_update.releases.digests import (
    DigestRules,
    Expected,
    Pin,
    embedded,
    hold_back,
    only_sums,
    parse_sums,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

A, B = "ab" * 32, "01" * 32
CHUNKS = st.lists(st.binary(max_size=5), max_size=6)


def sha256(body: bytes) -> str:
    """Return the digest of a body."""
    return hashlib.sha256(body).hexdigest()


@settings(deadline=None)
@given(CHUNKS)
def test_right_digest(chunks: list[bytes]) -> None:
    """A body that has its digest passes as a whole, however it is cut."""
    body = b"".join(chunks)
    passed = hold_back(iter(chunks), Expected(sha256=sha256(body)), name="a", source="s")
    assert b"".join(passed) == body


@settings(deadline=None)
@given(CHUNKS)
def test_no_digest(chunks: list[bytes]) -> None:
    """Without a digest everything passes."""
    assert b"".join(hold_back(iter(chunks), None, name="a", source="s")) == b"".join(chunks)


@settings(deadline=None)
@given(CHUNKS)
def test_wrong_digest(chunks: list[bytes]) -> None:
    """Of a body with another digest, whoever receives it never has the whole."""
    body = b"".join(chunks)
    received = b""
    with pytest.raises(DigestMismatch) as caught:  # noqa: PT012 # what came before it matters
        for chunk in hold_back(
            iter(chunks), Expected(sha256="0" * 64), name="uv.zip", source="the mirror"
        ):
            received += chunk
    assert body.startswith(received)
    assert len(received) < max(len(body), 1)
    assert str(caught.value) == (
        "uv.zip from the mirror is not the file that was published: "
        f"expected sha256 {'0' * 64}, got {sha256(body)}"
    )


def test_passes_as_it_comes() -> None:
    """Only one chunk is held back, so that a large body needs little memory."""
    taken: list[bytes] = []

    def chunks() -> Iterator[bytes]:
        for chunk in (b"a", b"b", b"c"):
            taken.append(chunk)
            yield chunk

    passed = hold_back(chunks(), Expected(sha256=sha256(b"abc")), name="a", source="s")
    assert next(passed) == b"a"
    assert taken == [b"a", b"b"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{A}  uv.zip\n", {"uv.zip": A}),
        (f"{A} *uv.zip\n", {"uv.zip": A}),
        (f"{A.upper()} *uv.zip\r\n{B}  b\r\n", {"uv.zip": A, "b": B}),
        (f"\ufeff{A}\n", {"": A}),
        (f"SHA256 (a b.zip) = {A}\n", {"a b.zip": A}),
        (f"{A}  ./dist/uv.zip\n{B} *dist\\b\n", {"uv.zip": A, "b": B}),
        (f"{A}  uv.zip\n{B}  other/uv.zip\n", {"uv.zip": A}),
        (f"{B}  other/uv.zip\n{A}  ./uv.zip\n", {"uv.zip": A}),
        (f"{A}  uv.zip\n{A} *uv.zip\n", {"uv.zip": A}),
        (f"{A}  uv.zip\n{B}  uv.zip\n", {"uv.zip": f"{A} and {B}"}),
        (f"# comment\n\n{A}  uv.zip\nnonsense\n", {"uv.zip": A}),
        (f"{A}0  uv.zip\n", {}),
        (f"{A[1:]}  uv.zip\n", {}),
        ("<html>", {}),
        ("", {}),
    ],
)
def test_sums(text: str, expected: dict[str, str]) -> None:
    """What the tools for digests write is read, and nothing else."""
    assert parse_sums(text) == expected


PIN = Pin(version="0.12.3", name="uv.zip", sha256="1" * 64, origin="/etc/site.toml")
OTHER = Pin(version="0.12.3", name="uv.zip", sha256="2" * 64, origin="/home/me/config.toml")


@pytest.mark.parametrize(
    ("rules", "version", "published", "expected"),
    [
        (DigestRules(), "0.12.3", None, None),
        (DigestRules(), "0.12.3", "0" * 64, Expected(sha256="0" * 64)),
        (DigestRules(required=True), "0.12.3", "0" * 64, Expected(sha256="0" * 64)),
        (
            DigestRules(pinned=(PIN,)),
            "0.12.3",
            None,
            Expected(sha256="1" * 64, pinned="/etc/site.toml"),
        ),
        (
            DigestRules(required=True, pinned=(PIN,)),
            "0.12.3",
            "1" * 64,
            Expected(sha256="1" * 64, pinned="/etc/site.toml"),
        ),
        (DigestRules(pinned=(PIN,)), "0.12.4", None, None),
    ],
)
def test_expected(
    rules: DigestRules, version: str, published: str | None, expected: Expected | None
) -> None:
    """A pin counts for its file and version; otherwise what the source has published."""
    assert rules.expected(version, "uv.zip", published, source="s") == expected


@pytest.mark.parametrize(
    ("rules", "published"),
    [(DigestRules(pinned=(PIN,)), "0" * 64), (DigestRules(pinned=(PIN, OTHER)), None)],
)
def test_digests_that_disagree(rules: DigestRules, published: str | None) -> None:
    """What is published has to be what is pinned, and two pins have to be the same."""
    with pytest.raises(DigestMismatch, match=r"the one that /.*toml names: expected sha256"):
        rules.expected("0.12.3", "uv.zip", published, source="s")


def test_digest_that_is_required() -> None:
    """Where a digest is required, a file without one is refused, and the reason says by whom."""
    rules = DigestRules(required=True, required_by="/etc/site.toml", pinned=(PIN,))
    with pytest.raises(NoDigest, match=r"uv\.zip from s .* in /etc/site\.toml requires it"):
        rules.expected("0.12.4", "uv.zip", None, source="s")


@pytest.mark.parametrize("published", [None, "0" * 64])
def test_pins_are_all_or_nothing(published: str | None) -> None:
    """Of a version that has pins, no other file is taken, whatever its source says of it."""
    rules = DigestRules(pinned=(PIN,))
    with pytest.raises(NotPinned, match=r"in /etc/site\.toml pins files of uv 0\.12\.3, and not"):
        rules.expected("0.12.3", "uv.tar.gz", published, source="s")


def test_each_place_pins_all_or_nothing() -> None:
    """What one place leaves out, another cannot let in."""
    other = Pin(version="0.12.3", name="uv.tar.gz", sha256="2" * 64, origin="/home/me.toml")
    rules = DigestRules(pinned=(PIN, other))
    with pytest.raises(NotPinned, match=r"in /etc/site\.toml pins files of uv 0\.12\.3, and not"):
        rules.expected("0.12.3", "uv.tar.gz", None, source="s")


def wheel(digit: str, origin: str) -> Pin:
    """Return the pin of a wheel."""
    return Pin(version="0.12.3", name=f"uv-{digit}.whl", sha256=digit * 64, origin=origin)


@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        ([], ""),
        ([wheel("1", "site"), wheel("2", "site")], "12"),
        ([wheel("1", "site"), wheel("2", "site"), wheel("2", "mine")], "2"),
    ],
)
def test_wheels(pins: list[Pin], expected: str) -> None:
    """Of a wheel, every place has to have pinned the digest."""
    found = DigestRules(pinned=tuple(pins)).wheels("0.12.3", name="the wheel", source="s")
    assert found == {digit * 64 for digit in expected}


@pytest.mark.parametrize("pins", [[wheel("1", "site"), wheel("2", "mine")], [PIN]])
def test_wheel_that_one_place_leaves_out(pins: list[Pin]) -> None:
    """A person's pin lets nothing in that the machine's file does not."""
    with pytest.raises(NotPinned, match="the wheel from s was not taken"):
        DigestRules(pinned=tuple(pins)).wheels("0.12.3", name="the wheel", source="s")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        (f"{'0' * 64} *a\n\n# comment\n{'1' * 64}  b\n", True),
        (f"SHA256 (a) = {'0' * 64}", True),
        (f"\ufeff{'0' * 64}\r\n", True),
        (f"{'0' * 64} *a\n{'0' * 63}g *b\n", False),
        (f"{'0' * 64} *a\nnot here\n", False),
    ],
)
def test_only_sums(text: str, *, expected: bool) -> None:
    """A line that is no digest is told from a list of them."""
    assert only_sums(text) == expected


SCRIPT = f"""\
case "$_artifact_name" in
    "uv-aarch64-apple-darwin.tar.gz")
        _checksum_style="sha256"
        _checksum_value="{"1" * 64}"
        ;;
    "uv-x86_64-unknown-linux-gnu.tar.gz")
        _arch="x86_64-unknown-linux-gnu"
        _checksum_style="sha256"
        _checksum_value="{"2" * 64}"
        ;;
    "uv-riscv64gc-unknown-linux-gnu.tar.gz")
        ;;
    "uv-other.tar.gz")
        _checksum_value="{"3" * 64}"
        ;;
esac
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uv-aarch64-apple-darwin.tar.gz", "1" * 64),
        ("uv-x86_64-unknown-linux-gnu.tar.gz", "2" * 64),
        ("uv-riscv64gc-unknown-linux-gnu.tar.gz", None),
        ("uv-x86_64-pc-windows-msvc.zip", None),
        ("uv", None),
    ],
)
def test_embedded(name: str, expected: str | None) -> None:
    """A release's own installer has a digest for each archive, in an arm of its own."""
    assert embedded(SCRIPT, name) == expected
    assert embedded(SCRIPT.replace("2", "x"), name) != "2" * 64
