"""`exec` while another user of this machine attacks it, and without it in a hostile network."""

from __future__ import annotations

import re
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from support.processes import SOON
from support.raw import ask, connect, request
from support.stand import done, locked
from support.web import Page, Web
from uv_self_update.background import Background

if TYPE_CHECKING:
    import socket

    from support.stand import Stand
    from support.web import Asked

SILENT = 300
"""More connections than the proxy waits for at once."""

_FAKE = """\
#!/bin/sh
if [ "$1" = lock ]; then env > seen; echo "OWN=$$" >> seen; echo "PARENT=$PPID" >> seen; fi
exec {uv} "$@"
"""
"""What is run as uv: it leaves behind what a test cannot know otherwise."""


def attack(port: int, index: str) -> dict[str, int | None]:
    """Send what another user or a web page could send; return the status of each answer."""
    host, target = index.split("/")[2], f"{index}internal-package/"

    def status(target: str, *headers: str, host: str = host, method: str = "GET") -> int | None:
        return ask(port, request(target, *headers, host=host, method=method)).status

    return {
        "absolute": status(target),
        "rebinding": status("/acme/tools/simple/internal-package/"),
        "root": status("/", host=f"127.0.0.1:{port}"),
        "wrong secret": status(target, "Proxy-Authorization: Basic dXY6eA=="),
        "empty secret": status(target, "Proxy-Authorization: "),
        "other header": status(target, "Authorization: Basic dXY6eA=="),
        "elsewhere": status("http://169.254.169.254/latest/meta-data/"),
        "CONNECT": status("github.com:443", "User-Agent: uv/0.13.9", method="CONNECT"),
        "OPTIONS": status("/", "Origin: http://evil.example", method="OPTIONS"),
        "POST": status(target, "Content-Length: 0", method="POST"),
        "upgrade": status("/", "Upgrade: websocket", "Connection: Upgrade"),
    }


def secret_of(environ: dict[str, str]) -> tuple[int, str, list[Path]]:
    """Return the port, the secret of the run, and the files and directories that hold it."""
    pattern = re.compile(r"http://uv:([0-9a-f]{48})@127\.0\.0\.1:(\d+)")
    directory = Path(environ.get("XDG_CONFIG_DIRS", "/").partition(":")[0])
    file = directory / "uv" / "uv.toml"
    ours = directory.name.startswith("uv-self-update-")
    found = pattern.search(file.read_text() if ours else environ["HTTP_PROXY"])
    assert found is not None
    return int(found[2]), found[1], [directory, file.parent, file] if ours else []


@pytest.mark.parametrize("led_by", ["file", "variables"])
def test_exec_under_attack(led_by: str, stand: Stand) -> None:
    """The secret of a run is readable to its user alone; nothing is answered without it."""
    asked, released = Event(), Event()
    answer = stand.packages.page_for

    def held(asked_for: Asked) -> Page:
        asked.set()
        assert released.wait(SOON)
        return answer(asked_for)

    stand.packages.page_for = held  # type: ignore[method-assign, assignment]
    fake = stand.project / "uv"
    fake.write_text(_FAKE.format(uv=stand.home.uv.resolve()))
    fake.chmod(0o755)
    words = [str(fake), "lock"] if led_by == "file" else ["sh", "-c", f"{fake} lock"]
    with ExitStack() as stack:
        stack.callback(released.set)
        running = Background(partial(stand.start, *words))
        assert asked.wait(SOON)
        lines = (stand.project / "seen").read_text().splitlines()
        environ = dict(line.split("=", 1) for line in lines if "=" in line)
        port, secret, places = secret_of(environ)

        assert [oct(path.stat().st_mode & 0o077) for path in places] == ["0o0"] * len(places)
        for number in (environ["OWN"], environ["PARENT"]):
            process = Path("/proc", number)
            assert (process / "environ").stat().st_mode & 0o077 == 0
            assert secret.encode() not in (process / "cmdline").read_bytes()

        silent: list[socket.socket] = [stack.enter_context(connect(port)) for _ in range(SILENT)]
        answers = attack(port, stand.packages.index)
        assert answers == dict.fromkeys(answers, 407)
        assert len(stand.packages.asked) == 1
        released.set()
        ended = running.result()
        del silent

    done(ended)
    assert locked(stand)["internal-package"].startswith("1.1.0 ")
    assert not any(path.exists() for path in places)


@pytest.mark.parametrize("pinned", [False, True])
def test_network_that_answers_for_our_name(pinned: bool, stand: Stand) -> None:  # noqa: FBT001 # a case
    """Without `exec`, a proxy's 404 makes uv ask the next index, unless the package is pinned.

    What it took is an error of the next `exec`.
    """
    index = f'[[tool.uv.index]]\nname = "acme"\nurl = "{stand.packages.index}"\n'
    pin = '[tool.uv.sources]\ninternal-package = { index = "acme" }\n' if pinned else ""
    stand.write("internal-package", more=index + pin)
    with Web() as proxy:
        answer = stand.plain("uv", "lock", HTTP_PROXY=proxy.url, NO_PROXY="127.0.0.1")

    assert any(asked.path.startswith(stand.packages.index) for asked in proxy.asked)
    assert (answer.code == 0) is not pinned
    assert stand.lock.exists() is not pinned
    answer = stand.run("uv", "lock")
    assert answer.code == (0 if pinned else 12), answer.err
    assert locked(stand)["internal-package"].startswith("1.1.0 " if pinned else "99.0 ")
