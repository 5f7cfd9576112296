"""No text is lost to the encoding of a terminal or a pipe."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.homes import Home

pytestmark = pytest.mark.measured

ENCODINGS = ("cp437", "cp1252", "cp932")


def run(home: Home, encoding: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command with pipes of an encoding."""
    extra = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    return subprocess.run(
        [sys.executable, "-m", "uv_self_update", *arguments],
        env=home.full_environ(extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_help_in_every_encoding(home: Home, encoding: str) -> None:
    """The help is printed with the exit code 0, and what the encoding lacks in ASCII."""
    done = run(home, encoding, "init", "--help")

    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert "nexus+https://..." in text or "nexus+https://…" in text


@pytest.mark.parametrize("encoding", ["cp437", "cp1252"])
def test_error_in_every_encoding(home: Home, encoding: str) -> None:
    """An error keeps its exit code, and a path in another script is escaped."""
    done = run(home, encoding, "config", "check", "/日本/ключ.toml")

    assert done.returncode == 3
    assert b"\\u65e5\\u672c" in done.stderr


def test_json_is_ascii(home: Home) -> None:
    """JSON is the same in every encoding."""
    done = run(home, "cp437", "doctor", "--json", "--source", "/日本")

    assert json.loads(done.stdout.decode("ascii"))["works"] is False
