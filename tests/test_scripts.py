"""The scripts that uv runs, run by a real sh."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from support.homes import base_environment
from support.web import Page
from uv_self_update.gateway import handover, scripts

if TYPE_CHECKING:
    from pathlib import Path

    from support.web import Web

UGLY = 'it\'s a "name"; $(touch gone) `touch gone` $HOME é %s \\n'


def run(script: bytes, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as uv does: saved to a file, made executable, started."""
    file = folder / "installer.sh"
    file.write_bytes(script)
    file.chmod(0o755)
    return subprocess.run(
        [file],
        env={**base_environment(), "PATH": "/usr/bin:/bin", **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_native_script_hands_over(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gateway is asked to install, by this Python, wherever that lies."""
    python = tmp_path / UGLY
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    web.pages["/secret/install/0.12.3"] = Page(body=b"done\n")
    script = scripts.native("install/0.12.3", windows=False)

    done = run(script, tmp_path, {"UV_INSTALLER_GHE_BASE_URL": f"{web.url}/secret/"})

    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert web.paths() == ["/secret/install/0.12.3"]
    assert not (tmp_path / "gone").exists()


def test_native_script_keeps_the_secret(tmp_path: Path) -> None:
    """The gateway's address is in no argument, where every user of the machine could read it."""
    script = scripts.native("install/0.12.3", windows=False)

    done = run(script.replace(b"exec ", b"printf '%s\\n' "), tmp_path, {})

    assert done.stdout.splitlines()[-1] == "install/0.12.3"
    assert "http" not in done.stdout


def test_failure_is_handed_on(tmp_path: Path, web: Web) -> None:
    """What the gateway says of a failure is printed, and the script fails."""
    web.pages["/secret/install/0.12.3"] = Page(status=502, body=b"the disk is full\n")
    script = scripts.native("install/0.12.3", windows=False)

    done = run(script, tmp_path, {"UV_INSTALLER_GHE_BASE_URL": f"{web.url}/secret/"})

    assert (done.returncode, done.stdout, done.stderr) == (1, "", "the disk is full\n")


def test_end_of_the_gateway_is_a_failure(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the gateway ends before it has answered, the script fails and says so."""
    web.pages["/secret/install/0.12.3"] = Page(body=b"do", length=1000)

    code = handover.main("install/0.12.3", f"{web.url}/secret/")

    assert code == 1
    assert "uv-self-update exited before uv was installed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\n\r\ndone",
        b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\ndone",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ndone",
        b"Content-Length: 0\r\n\r\n",
    ],
)
def test_response_that_is_cut(response: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a response that is not whole, nothing counts as success."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(response)

        thread = threading.Thread(target=answer)
        thread.start()
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/secret/"
        code = handover.main("install/0.12.3", base)
        thread.join()

    assert code == 1
    assert "uv-self-update exited before uv was installed" in capsys.readouterr().err


def test_handover_imports_little() -> None:
    """It is one more Python in each update, and may cost no more than its start."""
    program = (
        "import os, sys; before = set(sys.modules); file = sys.argv[1]\n"
        "exec(compile(open(file, 'rb').read(), file, 'exec'), {'__name__': 'handover'})\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", program, handover.__file__],
        capture_output=True,
        check=True,
        text=True,
    )
    assert set(done.stdout.split()) <= {"__future__", "_socket"}


def test_failing_script_prints_its_reason(tmp_path: Path) -> None:
    """A reason is printed as it is, whatever is in it, and nothing of it is executed."""
    message = f"{UGLY}\n\nand a second line"

    done = run(scripts.failing(message, windows=False), tmp_path, {})

    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{message}\n")
    assert not (tmp_path / "gone").exists()


def test_scripts_for_powershell_quote_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """In PowerShell's single quotes only a quote has a meaning, of whatever kind: it is doubled."""
    monkeypatch.setattr(sys, "executable", r"C:\it's $here\python.exe")

    native = scripts.native("install/0.12.3", windows=True).decode("utf-8-sig").splitlines()
    failing = scripts.failing("it's $broken", windows=True).decode("utf-8-sig").splitlines()

    quotes = "'\u2018\u2019\u201a\u201b"
    doubled = "".join(quote * 2 for quote in quotes)
    typographic = scripts.failing(quotes, windows=True).decode("utf-8-sig").splitlines()

    assert typographic[0] == f"Write-Output '{doubled}'"
    assert native[0] == "$global:LASTEXITCODE = 1"
    assert native[1].startswith(r"& 'C:\it''s $here\python.exe' '-IS' '")
    assert native[2:] == ["exit $LASTEXITCODE"]
    assert failing == ["Write-Output 'it''s $broken'", "exit 1"]


@pytest.mark.parametrize(
    ("body", "windows", "expected"),
    [
        (b"#!/bin/sh\nexit 0\n", False, True),
        (b"\n#!/bin/sh\n", False, False),
        (b"<!DOCTYPE html>", False, False),
        (b'{"message": "Not Found"}', False, False),
        (b"", False, False),
        (b"#!/bin/sh\n\0", False, False),
        (b"param ()\r\nexit 0\r\n", True, True),
        (b"\xef\xbb\xbf# a comment\r\n", True, True),
        (b"\xef\xbb\xbf<!DOCTYPE html>", True, False),
        (b"<html>", True, False),
        (b'{"message": "Not Found"}', True, False),
        (b"  \r\n", True, False),
        (b"PK\x03\x04\0", True, False),
    ],
)
def test_what_may_be_an_installer(body: bytes, *, windows: bool, expected: bool) -> None:
    """A web page, an archive or JSON is never handed to uv, which would execute it."""
    assert scripts.looks_like_script(body, windows=windows) == expected
