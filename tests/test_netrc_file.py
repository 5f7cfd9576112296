"""netrc, in the places and the shapes that people have it in."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from uv_self_update.auth import netrc as netrc_file

if TYPE_CHECKING:
    from pathlib import Path


def logins(file: netrc_file.LoginFile | None) -> dict[str, str]:
    """Return every login of a file by its host."""
    assert file is not None
    found = {**file.logins, **({} if file.default is None else {"*": file.default})}
    return {host: f"{login.user}:{login.password.reveal()}" for host, login in found.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("machine h.example login u password p", {"h.example": "u:p"}),
        ("machine H.Example\n\tlogin u\n\tpassword p\n", {"h.example": "u:p"}),
        ('machine h login u password "a b"', {"h": "u:a b"}),
        ("machine h login u password pa#ss", {"h": "u:pa#ss"}),
        ("machine h login u password p:q@r/s", {"h": "u:p:q@r/s"}),
        ("machine h password p", {"h": ":p"}),
        ("machine h account u password p", {"h": "u:p"}),
        ("machine h login u", {}),
        ("machine h login a password b\nmachine h login c password d", {"h": "c:d"}),
        ("# mine\nmacdef init\ncd pub\n\nmachine h login u password p", {"h": "u:p"}),
        ("machine h login u password pä", {"h": "u:pä"}),
        (
            "machine h login u password p\ndefault login anonymous password me@x",
            {"h": "u:p", "*": "anonymous:me@x"},
        ),
        ("", {}),
    ],
)
def test_entries(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    """Each host has its login; an entry without a password is none."""
    (tmp_path / ".netrc").write_text(text, encoding="utf-8")

    assert logins(netrc_file.read({"HOME": str(tmp_path)})) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"NETRC": "{0}/named", "HOME": "{0}"}, "named"),
        ({"NETRC": "{0}/missing", "HOME": "{0}"}, None),
        ({"NETRC": "{0}", "HOME": "{0}"}, None),
        ({"NETRC": "", "HOME": "{0}"}, ".netrc"),
        ({"HOME": "{0}"}, ".netrc"),
        ({"HOME": "{0}/windows"}, "_netrc"),
        ({"USERPROFILE": "{0}/windows"}, "_netrc"),
        ({"HOME": "{0}", "USERPROFILE": "{0}/windows"}, ".netrc"),
        ({"HOME": "{0}/nobody"}, None),
        ({}, None),
    ],
)
def test_places(tmp_path: Path, environ: dict[str, str], expected: str | None) -> None:
    """The file is the one that NETRC names, or else lies in the home, under either name."""
    (tmp_path / "windows").mkdir()
    (tmp_path / "nobody").mkdir()
    for path in ("named", ".netrc", "_netrc", "windows/_netrc"):
        (tmp_path / path).write_text("machine h login u password p")

    file = netrc_file.read({name: value.format(tmp_path) for name, value in environ.items()})

    assert (None if file is None else file.path.name) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"machine h login u\npassword s3cret s3cret2", "line 2 cannot be understood"),
        (b"s3cret", "line 1 cannot be understood"),
        (b"machine", "line 1 cannot be understood"),
        (b"machine h login u password s3cret\xff", "it is not UTF-8"),
    ],
    ids=["follower", "top", "end", "bytes"],
)
def test_broken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes, reason: str
) -> None:
    """A file that cannot be understood is warned of, with its line and none of its words."""
    path = tmp_path / ".netrc"
    path.write_bytes(content)

    assert netrc_file.read({"HOME": str(tmp_path)}) is None

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert str(path) in caplog.text
    assert reason in caplog.text
    assert "s3cret" not in caplog.text


def test_unreadable(caplog: pytest.LogCaptureFixture) -> None:
    """A file that cannot be read is warned of, and is none."""
    assert netrc_file.read({"NETRC": "/proc/self/mem"}) is None

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "/proc/self/mem is not used: Input/output error" in caplog.text


def test_nothing_shows(tmp_path: Path) -> None:
    """What a file says of itself holds neither its users nor its passwords."""
    (tmp_path / ".netrc").write_text("machine h login s3cret password s3cret\n")

    assert "s3cret" not in repr(netrc_file.read({"HOME": str(tmp_path)}))
