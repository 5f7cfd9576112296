"""A release's own installer is believed only once the uv that it has left runs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.web import Page
from uv_self_update.errors import StagedUvBroken

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Web

START = "0.8.24"

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


def updated(home: Home, web: Web, installer: bytes) -> Done:
    """Update a home's uv by an installer."""
    web.pages |= mirrors.urls_pages([binaries.newest()])
    path = next(path for path in web.pages if path.endswith("uv-installer.sh"))
    web.pages[path] = Page(body=installer)
    # Without digests: it is not the release's own.
    document = mirrors.github_json(binaries.newest(), digests=False)
    web.pages["/latest.json"] = Page(body=json.dumps(document).encode())
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )
    return home.run("--installer", "release")


@pytest.mark.parametrize("put", BROKEN.values(), ids=BROKEN)
def test_broken_uv_is_put_back(put: str, home: Home, web: Web) -> None:
    """It says that it has succeeded, and uv does not run: everything is as it was."""
    home.install(START)
    home.configure("")
    before = home.snapshot(leave_out=[home.config])

    done = updated(home, web, script(put))

    assert done.code == StagedUvBroken.exit_code, done.err
    assert f"error: uv {binaries.newest()} was fetched from {web.url}" in done.err
    assert "but does not work here" in done.err
    assert home.snapshot(leave_out=[home.config]) == before


def test_broken_uv_of_an_installer_that_fails(home: Home, web: Web) -> None:
    """It fails when it has replaced something already: everything is as it was, and uv's code."""
    home.install(START)
    home.configure("")
    before = home.snapshot(leave_out=[home.config])

    done = updated(home, web, script(BROKEN["nothing"], end="exit 7"))

    assert done.code not in {0, StagedUvBroken.exit_code}
    assert home.snapshot(leave_out=[home.config]) == before


def test_link_is_put_back(home: Home, web: Web, tmp_path: Path) -> None:
    """Where uv was a link, it is one again, to what it led to."""
    home.install(START)
    home.configure("")
    real = tmp_path / "versions" / "uv"
    real.parent.mkdir()
    home.uv.rename(real)
    home.uv.symlink_to(os.path.relpath(real, home.bin))
    content = real.read_bytes()
    before = home.snapshot(leave_out=[home.config])

    done = updated(home, web, script(BROKEN["nothing"]))

    assert done.code != 0
    assert home.snapshot(leave_out=[home.config]) == before
    assert real.read_bytes() == content


def test_file_that_is_written_anew(home: Home, web: Web) -> None:
    """An installer that writes into the very files finds that what is kept is no part of them."""
    home.install(START)
    home.configure("")
    before = home.snapshot(leave_out=[home.config])
    # uv runs meanwhile, and cannot be written; uvx can.
    write = 'printf "" >"$HOME/.local/bin/uvx"; printf "" >"$1"'

    done = updated(home, web, script(write))

    assert done.code == StagedUvBroken.exit_code, done.err
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
