"""A snapshot of a home shows every change, although a digest is computed once."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from support import binaries

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.homes import Home


def _bit(home: Home) -> None:
    with home.uv.open("r+b") as file:
        file.seek(1 << 20)
        byte = file.read(1)
        file.seek(1 << 20)
        file.write(bytes([byte[0] ^ 1]))


def _bit_in_the_same_second(home: Home) -> None:
    stat = home.uv.stat()
    _bit(home)
    os.utime(home.uv, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _other_file(home: Home) -> None:
    content = bytearray(home.uv.read_bytes())
    content[1 << 20] ^= 1
    home.uv.with_name("new").write_bytes(content)
    home.uv.with_name("new").chmod(0o755)
    home.uv.with_name("new").rename(home.uv)


@pytest.mark.parametrize("change", [_bit, _bit_in_the_same_second, _other_file])
@pytest.mark.parametrize("looked", ["before", "at once"])
def test_changed_bit_is_seen(change: Callable[[Home], None], looked: str, home: Home) -> None:
    """One other bit of an installed uv is another snapshot, whatever the times of the file say."""
    home.install(binaries.newest())
    before = home.snapshot()
    if looked == "before":
        assert home.snapshot() == before
    change(home)

    assert home.snapshot() != before


def test_file_that_was_just_written_is_read_again(home: Home) -> None:
    """A file's clock has steps: within one, a second write leaves the times as they were."""
    path = home.path / "file"
    for number in range(100):
        path.write_text(f"{number:02}")
        before = home.snapshot()
        path.write_text(f"{number + 1:02}")

        assert home.snapshot() != before


def test_unchanged_file_is_read_once(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read for a second snapshot: two of them are in most tests."""
    home.install(binaries.newest())
    for path in home.path.rglob("*"):
        if path.is_file():
            os.utime(path, (time.time() - 1, time.time() - 1))
    before = home.snapshot()
    monkeypatch.setattr("hashlib.file_digest", None)

    assert home.snapshot() == before
