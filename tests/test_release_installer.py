"""A release's own installer is believed only once the uv that it has left runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Asked, Web

START = "0.8.24"
UV_FAILED = 2
"""uv's exit code: it was told that its installer has failed, and reports no success."""

BROKEN = {
    "a program that fails": "printf '#!/bin/sh\\nexit 3\\n' >\"$1\"",
    "no program": "printf 'no program' >\"$1\"",
    "nothing": ': >"$1"',
    "another version": "printf '#!/bin/sh\\necho uv 0.1.0\\n' >\"$1\"",
}
"""What an installer makes of uv, whose new path is its argument."""


def script(put: str, end: str = "") -> bytes:
    """Return an installer that replaces uv, and its receipt."""
    return f"""#!/bin/sh
set -e
put() {{ {put}; chmod 755 "$1"; }}
uv="$HOME/.local/bin/uv"
put "$uv.new"
mv -f "$uv.new" "$uv"
rm -f "$HOME/.local/bin/uvx"
echo '{{"version": "9.9.9", "install_prefix": "/nowhere"}}' >"$HOME/.config/uv/uv-receipt.json"
{end}
""".encode()


def prepare(home: Home, web: Web, installer: bytes) -> None:
    """Serve a release with an installer."""
    web.pages |= mirrors.urls_pages([binaries.newest()], real=True)
    path = next(path for path in web.pages if path.endswith("uv-installer.sh"))
    web.pages[path] = Page(body=installer)
    # Without digests: it is not the release's own.
    document = mirrors.github_json(binaries.newest(), digests=False, real=True)
    web.pages["/latest.json"] = Page(body=json.dumps(document).encode())
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )


def updated(home: Home, web: Web, installer: bytes) -> Done:
    """Update a home's uv by an installer."""
    prepare(home, web, installer)
    return home.run("--installer", "release")


@pytest.mark.parametrize("put", BROKEN.values(), ids=BROKEN)
def test_broken_uv_is_put_back(put: str, home: Home, web: Web) -> None:
    """It says that it has succeeded, and uv does not run: everything is as it was."""
    home.install(START)
    home.configure("")
    before = home.snapshot(leave_out=[home.config])

    done = updated(home, web, script(put))

    assert (done.code, "success:" in done.err) == (UV_FAILED, False), done.err
    assert f"\nuv {binaries.newest()} from {web.url}" in done.err
    assert "does not work on this machine" in done.err
    assert home.snapshot(leave_out=[home.config]) == before


def test_broken_uv_beside_the_old_one(home: Home, web: Web) -> None:
    """It is installed where it was told to: the old files were not touched, not even restored."""
    home.install(START)
    before = {file: file.stat().st_ino for file in home.bin.iterdir()}

    done = updated(home, web, b'#!/bin/sh\nprintf "no program" >"$UV_INSTALL_DIR/uv"\n')

    assert done.code == UV_FAILED, done.err
    assert "does not work on this machine" in done.err
    assert {file: file.stat().st_ino for file in home.bin.iterdir()} == before


def test_broken_uv_of_an_installer_that_fails(home: Home, web: Web) -> None:
    """It fails when it has replaced something already: everything is as it was, and uv's code."""
    home.install(START)
    home.configure("")
    before = home.snapshot(leave_out=[home.config])

    done = updated(home, web, script(BROKEN["nothing"], end="exit 7"))

    assert done.code == UV_FAILED
    assert home.snapshot(leave_out=[home.config]) == before


def test_installer_that_fails_before_it_downloads(home: Home, web: Web) -> None:
    """Uv's own error is the last word: nothing is announced that nobody has asked for."""
    home.install(START)
    waiting = 'while ! test -e "$HOME/asked"; do sleep 0.01; done; sleep 0.3; exit 1'
    prepare(home, web, f"#!/bin/sh\n{waiting}\n".encode())
    path = next(path for path in web.pages if path.endswith(".tar.gz"))
    page = web.pages[path]
    assert isinstance(page, Page)

    def ahead(_: Asked) -> Page:
        (home.path / "asked").touch()
        return page

    web.pages[path] = ahead

    done = home.run("--installer", "release")

    assert done.code == UV_FAILED
    assert "info: uv" not in done.err


def test_installer_that_downloads(home: Home, web: Web) -> None:
    """The release is announced when its installer requests the archive."""
    home.install(START)
    newest = binaries.newest()
    web.pages |= mirrors.urls_pages([newest])
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )

    done = home.run("--installer", "release")

    assert (done.code, home.version()) == (0, newest), done.err
    assert done.err.count(f"info: uv {newest} from {web.url}") == 1


WAYS = {
    "removed": 'rm "$HOME/.local/bin/uvx"',
    "replaced": 'printf "" >"$uv.x"; mv -f "$uv.x" "$HOME/.local/bin/uvx"',
    "led elsewhere": 'ln -sfn /bin/false "$HOME/.local/bin/uvx"',
    "written through": 'printf "" >"$HOME/.local/bin/uvx"',
}
"""What an installer makes of a link."""


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_link_is_put_back(way: str, home: Home, web: Web, tmp_path: Path) -> None:
    """Where uvx was a link, it is one again, to what it led to, and that is what it was."""
    home.install(START)
    home.configure("")
    real = tmp_path / "versions" / "uvx"
    real.parent.mkdir()
    link = home.bin / "uvx"
    link.rename(real)
    link.symlink_to(os.path.relpath(real, home.bin))
    content = real.read_bytes()
    before = home.snapshot(leave_out=[home.config])
    broken = script(BROKEN["nothing"]).replace(b'rm -f "$HOME/.local/bin/uvx"', way.encode())

    done = updated(home, web, broken)

    assert (done.code, "success:" in done.err) == (UV_FAILED, False), done.err
    assert home.snapshot(leave_out=[home.config]) == before
    assert real.read_bytes() == content
    assert list(real.parent.iterdir()) == [real]


def test_file_that_is_written_anew(home: Home, web: Web) -> None:
    """An installer that writes into the very files finds that what is kept is no part of them."""
    home.install(START)
    home.configure("")
    before = home.snapshot(leave_out=[home.config])
    # uv runs meanwhile, and cannot be written; uvx can.
    write = 'printf "" >"$HOME/.local/bin/uvx"; printf "" >"$1"'

    done = updated(home, web, script(write))

    assert (done.code, "success:" in done.err) == (UV_FAILED, False), done.err
    assert home.snapshot(leave_out=[home.config]) == before


def test_good_one_stays(home: Home, web: Web) -> None:
    """One that replaces uv by what was asked for is believed, and what it has made stays."""
    home.install(START)

    new = binaries.executables(binaries.newest()) / "uv"

    done = updated(home, web, script(f'cp "{new}" "$1"'))

    assert done.code == 0, done.err
    assert home.version() == binaries.newest()
    assert not (home.bin / "uvx").exists()
    assert not (home.bin / ".uv-self-update").exists()


def test_installer_that_fails_late(home: Home, web: Web) -> None:
    """One that fails when uv is new already has done its work, and the receipt says so."""
    home.install(START)
    new = binaries.executables(binaries.newest()) / "uv"
    put = f'cp "{new}" "$1"'
    late = script(put).replace(b'"version": "9.9.9", "install_prefix": "/nowhere"', b"")
    late = late.replace(b"echo '{}' >", b": ") + b"exit 7\n"

    done = updated(home, web, late)

    assert done.code != 0
    assert (home.version(), home.receipt_version()) == (binaries.newest(), binaries.newest())


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away"
)
def test_owner_is_put_back(home: Home, web: Web) -> None:
    """Who has owned uv owns it again."""
    home.install(START)
    os.chown(home.uv, 1234, 5678)

    updated(home, web, script(BROKEN["nothing"]))

    assert (home.uv.stat().st_uid, home.uv.stat().st_gid) == (1234, 5678)


def waiting(home: Home, *, before: bool) -> bytes:
    """Return an installer that says when it is half way, and goes on when it is told to.

    Args:
        home: Where its pipes lie.
        before: Whether half way is before it has replaced uv.
    """
    for name in ("half-way", "go-on", "done"):
        os.mkfifo(home.path.parent / name)
    pause = f'echo >"{home.path.parent}/half-way"; read _ <"{home.path.parent}/go-on"'
    place = 'printf "" >"$uv.new"; chmod 755 "$uv.new"; mv -f "$uv.new" "$uv"'
    steps = (pause, place) if before else (place, pause)
    end = f'echo >"{home.path.parent}/done"'
    return "\n".join(["#!/bin/sh", 'uv="$HOME/.local/bin/uv"', *steps, end, ""]).encode()


@contextmanager
def half_way(home: Home, web: Web, *, before: bool) -> Iterator[subprocess.Popen[bytes]]:
    """Update by such an installer, until it is half way."""
    prepare(home, web, waiting(home, before=before))
    with subprocess.Popen(
        [sys.executable, "-m", "uv_self_update", "--installer", "release"],
        env=home.full_environ(),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            assert (home.path.parent / "half-way").read_text() == "\n"
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_killed_with_a_broken_uv_in_place(home: Home, web: Web) -> None:
    """The next run puts back what was there, and updates it."""
    home.install(START)
    with half_way(home, web, before=False) as process:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert home.uv.read_bytes() == b""

    done = home.run("--installer", "native")

    assert done.code == 0, done.err
    assert home.version() == binaries.newest()
    assert not (home.bin / ".uv-self-update").exists()


def test_installer_that_goes_on(home: Home, web: Web) -> None:
    """One that replaces uv when uv and this program have ended is judged by the next run."""
    home.install(START)
    with half_way(home, web, before=True) as process:
        process.terminate()
        process.wait()
        (home.path.parent / "go-on").write_text("\n")
        assert (home.path.parent / "done").read_text() == "\n"
    assert home.uv.read_bytes() == b""

    done = home.run("--installer", "native")

    assert done.code == 0, done.err
    assert home.version() == binaries.newest()
    assert not (home.bin / ".uv-self-update").exists()
