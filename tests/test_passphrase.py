"""The passphrase of a client key: who is asked for it, and when."""

from __future__ import annotations

import os
import pty
import select
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import pytest

from support.processes import SOON
from uv_self_update.cli import invocation
from uv_self_update.config.settings import Network, Settings
from uv_self_update.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from support.homes import Home
    from support.web import Web

ENCRYPTED = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
TYPED = "s3cret word"
STARTED = "uv is running"
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
"""Make the terminal the one that Ctrl-C comes from, and become the command."""


@pytest.fixture(autouse=True)
def key(home: Home) -> Path:
    """Return an encrypted key that is configured, in a home with a uv that does nothing."""
    home.bin.mkdir(parents=True)
    home.uv.write_text(f"#!/bin/sh\necho {STARTED}\n")
    home.uv.chmod(0o755)
    file = home.path / "me.pem"
    file.write_text(ENCRYPTED)
    home.environ["UV_SELF_UPDATE_CLIENT_CERT"] = str(file)
    # An index is asked through uv, which cannot decrypt a key, and a warning says so.
    home.environ["UV_SELF_UPDATE_SOURCE"] = "listing+https://files.example.com/uv/"
    return file


@dataclass(frozen=True, kw_only=True)
class Talk:
    """What was shown on a terminal, and how it ended."""

    shown: str
    code: int


def talk(
    home: Home,
    arguments: Sequence[str],
    *,
    typed: bytes,
    before: Callable[[], bool] = lambda: True,
) -> Talk:
    """Run the command on a terminal of its own, where a person answers the first question.

    What is `before` the answer has to be true.
    """
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKE_TERMINAL, "-m", "uv_self_update", *arguments],
        cwd=home.path,
        env=home.full_environ(),
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    )
    os.close(end)
    shown = b""
    with process:
        try:
            while select.select([terminal], [], [], SOON)[0]:
                shown += os.read(terminal, 4096)
                if typed and shown.endswith(b": "):
                    assert before()
                    os.write(terminal, typed)
                    typed = b""
            process.kill()  # it waits for what nobody types
        except OSError:
            pass  # on Linux, how a terminal ends that nobody has open
        os.close(terminal)
    return Talk(shown=shown.decode(), code=process.returncode)


def test_update_asks_first(home: Home, key: Path) -> None:
    """Before uv has the terminal, the person is asked, and what they type is not shown."""
    done = talk(home, [], typed=f"{TYPED}\n".encode())

    question, _, after = done.shown.partition(": ")
    assert question == f"Passphrase of {key}"
    assert STARTED in after
    assert TYPED not in done.shown
    assert done.code == 0


def test_no_connection_before_the_answer(home: Home, key: Path) -> None:
    """The source is connected to once the passphrase is known, which is asked for once."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        home.environ["UV_SELF_UPDATE_SOURCE"] = (
            f"listing+https://127.0.0.1:{listener.getsockname()[1]}/uv/"
        )

        done = talk(
            home,
            [],
            typed=f"{TYPED}\n".encode(),
            before=lambda: select.select([listener], [], [], 0.0)[0] == [],
        )

        assert select.select([listener], [], [], SOON)[0] == [listener]
    assert done.shown.count(f"Passphrase of {key}") == 1
    assert STARTED in done.shown


@pytest.mark.parametrize("command", ["init", "releases", "rehearse"])
def test_commands_that_ask_sources_ask(command: str, home: Home, key: Path, web: Web) -> None:
    """Every command that may need the key asks for its passphrase."""
    url = f"{web.url}/nothing/"
    place = [url] if command == "init" else ["--source", url]

    done = talk(home, [command, *place], typed=f"{TYPED}\n".encode())

    assert done.shown.startswith(f"Passphrase of {key}: ")
    assert TYPED not in done.shown


@pytest.mark.parametrize("command", ["show", "path"])
def test_config_does_not_ask(command: str, home: Home) -> None:
    """To see or change a setting, no passphrase is needed."""
    done = talk(home, ["config", command], typed=b"")

    assert "Passphrase" not in done.shown
    assert done.code == 0


def test_passphrase_that_is_set(home: Home) -> None:
    """Nobody is asked for what is in the environment."""
    home.environ["UV_SELF_UPDATE_CLIENT_KEY_PASSPHRASE"] = TYPED

    done = talk(home, [], typed=b"")

    assert done.shown == f"{STARTED}\r\n"


def test_key_that_is_not_encrypted(home: Home, key: Path) -> None:
    """Nobody is asked for what is not needed."""
    key.write_text(ENCRYPTED.replace(" ENCRYPTED", ""))

    done = talk(home, [], typed=b"")

    assert done.shown == f"{STARTED}\r\n"


def test_nobody_to_ask(home: Home) -> None:
    """Without a terminal nobody is asked, and nothing waits for an answer."""
    done = home.run()

    assert (done.code, done.out, done.err) == (0, f"{STARTED}\n", "")


def test_person_who_does_not_want_to(home: Home) -> None:
    """Ctrl-C in place of a passphrase ends the command, and uv is not started."""
    done = talk(home, [], typed=b"\x03")

    assert done.code == -2
    assert STARTED not in done.shown


def test_passphrase_becomes_a_setting(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is typed is kept as a secret beside what is configured."""
    monkeypatch.setattr(os, "isatty", lambda _number: True)
    monkeypatch.setattr(click, "prompt", lambda *_words, **_options: TYPED)
    settings = Settings(network=Network(client_cert=key, retries=1))

    found = invocation.with_passphrase(settings, {})

    assert found.network == Network(client_cert=key, retries=1, passphrase=Secret(TYPED))
    assert TYPED not in repr(found)
