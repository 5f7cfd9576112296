"""netrc, in the places and the shapes that people have it in."""

from __future__ import annotations

import logging
import subprocess
import sys
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.homes import base_environment
from support.web import Page
from uv_self_update.auth import netrc as netrc_file
from uv_self_update.home import home_directory

if TYPE_CHECKING:
    from pathlib import Path

    from support.web import Asked, Web


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


ENTRY = b"machine 127.0.0.1 login u password p"
AS_UV = {
    "a comment of two words": b"#Word word\n" + ENTRY,
    "a comment of one word": b"#Word\n" + ENTRY,
    "a comment with a blank": b"# Word word\n" + ENTRY,
    "an indented comment": b" \t#Word word\n" + ENTRY,
    "an entry that is switched off": ENTRY + b"\n#machine 127.0.0.1 login a password b",
    "a comment within an entry": b"machine 127.0.0.1\n#Word word\nlogin u password p",
    "a comment behind an entry": ENTRY + b" #Word word",
    "a comment with Windows' line ends": b"#Word word\r\n" + ENTRY + b"\r\n",
    "signs in values": b"machine 127.0.0.1 login #u password #p",
    "a macro at the end": ENTRY + b"\nmacdef init\ncd /pub",
    "a macro with a comment": b"macdef init\n#Word word\ncd\n\n" + ENTRY,
    "another entry that is not UTF-8": b"machine x login \xe9 password z\n" + ENTRY,
    "backslashes": b"machine 127.0.0.1 login u password p\\q",
    "an unknown word": ENTRY + b" port 443",
}


@pytest.mark.parametrize("name", AS_UV)
def test_understood_as_uv_does(name: str, tmp_path: Path, web: Web) -> None:
    """Of a file, uv sends the login that is read here."""
    path = tmp_path / "netrc"
    path.write_bytes(AS_UV[name])
    sent: set[str] = set()

    def answer(asked: Asked) -> Page:
        login = asked.headers.get("Authorization", "")
        sent.add(b64decode(login.removeprefix("Basic ")).decode())
        return Page(status=404 if login else 401)

    web.pages["/simple/nothing/"] = answer
    uv = binaries.executables(binaries.newest()) / "uv"
    subprocess.run(
        [uv, "pip", "install", "--no-config", "--target", tmp_path / "t", "nothing"],
        env={
            **base_environment(),
            "HOME": str(tmp_path),
            "NETRC": str(path),
            "UV_CACHE_DIR": str(tmp_path / "cache"),
            "UV_DEFAULT_INDEX": f"{web.url}/simple/",
            "UV_PYTHON": sys.executable,
        },
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    file = netrc_file.read({"NETRC": str(path)})
    found = set() if file is None else set(logins(file).get("127.0.0.1", "").split("\0")) - {""}
    assert web.asked
    assert sent - {""} == found


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
def test_places(
    tmp_path: Path,
    environ: dict[str, str],
    expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file is the one that NETRC names, or else lies in the home, under either name."""
    known = {"HOME": "/nowhere"}  # rather than what the user database says of who runs this
    monkeypatch.setattr(
        netrc_file, "home_directory", lambda environ: home_directory({**known, **environ})
    )
    (tmp_path / "windows").mkdir()
    (tmp_path / "nobody").mkdir()
    for path in ("named", ".netrc", "_netrc", "windows/_netrc"):
        (tmp_path / path).write_text("machine h login u password p")

    file = netrc_file.read({name: value.format(tmp_path) for name, value in environ.items()})

    assert (None if file is None else file.path.name) == expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"machine h login u\npassword s3cret s3cret2", "syntax error in line 2"),
        (b"s3cret", "syntax error in line 1"),
        (b"machine", "syntax error in line 1"),
        (b"machine h login u password s3cret\xff", "invalid UTF-8"),
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


def test_entry_that_is_not_utf8(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One damaged entry does not take the others with it."""
    (tmp_path / ".netrc").write_bytes(
        b"machine a login u password p\nmachine b login u password s3cret\xff"
    )

    assert logins(netrc_file.read({"HOME": str(tmp_path)})) == {"a": "u:p"}
    assert "some entries" in caplog.text
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
