"""What an update learns about the uv that it updates, and how often it asks."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from support import mirrors
from uv_self_update.uv import environment
from uv_self_update.uv.installation import Installation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.homes import Home
    from support.web import Web

OLD, NEW = "0.8.24", "0.11.13"

_listeners: list[Callable[[str, tuple[object, ...]], None]] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    for listener in _listeners:
        listener(event, arguments)


@pytest.fixture(scope="session")
def audited() -> list[Callable[[str, tuple[object, ...]], None]]:
    """Return the listeners to what this process does (PEP 578); a hook cannot be removed."""
    sys.addaudithook(_hook)
    return _listeners


@pytest.mark.parametrize("arguments", [(), ("--installer", "release"), ("<9",)])
def test_found_once_a_run(
    arguments: tuple[str, ...],
    audited: list[Callable[[str, tuple[object, ...]], None]],
    home: Home,
    web: Web,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One update reads the receipt once, replaces it once, and makes uv's environment once."""
    home.install(OLD)
    web.pages |= mirrors.github_pages([NEW])
    # An old file, as a user's is: the time of the last change cannot be set.
    later = time.time() + 60
    monkeypatch.setattr("uv_self_update.uv.receipt.time.time", lambda: later)
    opened: list[str] = []
    replaced: list[str] = []
    children: list[Mapping[str, str]] = []
    made: list[Mapping[str, str]] = []

    def listen(event: str, said: tuple[object, ...]) -> None:
        match event, said:
            case "open", (str() | bytes() as file, *_) if os.fsdecode(file) == receipt:
                opened.append(receipt)
            case "os.rename", (_, file, *_) if os.fsdecode(str(file)) == receipt:
                replaced.append(receipt)
            case "subprocess.Popen", (_, [uv, "self", "update", *_], _, env):
                assert str(uv) == str(home.uv)
                assert isinstance(env, dict)
                children.append(env)

    original = environment.environment

    def make(environ: Mapping[str, str], base: str) -> dict[str, str]:
        made.append(original(environ, base))
        return dict(made[-1])

    monkeypatch.setattr(environment, "environment", make)
    receipt = str(home.receipt)
    source = f"github+{web.url}/astral-sh/uv"
    audited.append(listen)
    try:
        done = home.call(*arguments, "--source", source)
    finally:
        audited.remove(listen)

    assert (done.code, home.receipt_version()) == (0, NEW), done.err
    assert (len(opened), len(replaced)) == (1, 1)
    assert made == children
    assert len(made) == 1


def test_changed_receipt_is_read_again(home: Home) -> None:
    """A receipt that was changed is not taken for the one that was read, even within an instant."""
    home.install(OLD)
    installation = Installation(uv=home.uv, environ={"HOME": str(home.path)})
    assert installation.receipt is not None
    rewrite = installation.receipt.rewrite(NEW)
    before, times = home.receipt.read_bytes(), home.receipt.stat()
    changed = before.replace(b"flat", b"tall")
    seen = []
    for content in (before, changed, before, rewrite.after or b""):
        home.receipt.write_bytes(content)
        os.utime(home.receipt, ns=(times.st_atime_ns, times.st_mtime_ns))
        seen.append((rewrite.untouched, rewrite.expected))
    assert seen == [(True, True), (False, False), (True, True), (False, True)]
