"""Slow servers, and a real uv that gives up what is silent for 30 seconds."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.homes import PROGRAM, Home
from support.web import Web

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Done
    from support.web import Asked, Page

_LONG = 33  # seconds, more than uv's own limit; it is uv's clock that has to run
_TWICE = 65  # seconds: where `latest` is silent for too long, uv asks for the list, as patiently

CASES = (
    ("/latest.json", _TWICE, "release"),
    ("/files/{version}/uv-installer.sh", _LONG, "release"),
    ("/files/{version}/{archive}", _LONG, "release"),
    ("/files/{version}/{archive}", _LONG, "native"),
)
"""What takes long, how long, and the installer."""


@pytest.mark.extra
@pytest.mark.patient
@pytest.mark.slow
def test_slow_server_does_not_end_the_update(tmp_path: Path) -> None:
    """The newest uv waits for longer than its limit, whatever it is that takes so long."""
    homes = [Home(path=tmp_path / str(number)) for number in range(len(CASES))]
    with ThreadPoolExecutor(len(CASES)) as pool:  # all of them wait at the same time
        ended = list(pool.map(_updated, homes, *zip(*CASES, strict=True)))

    for home, done in zip(homes, ended, strict=True):
        assert (done.code, home.version()) == (0, binaries.newest()), done.err


def _updated(home: Home, path: str, seconds: int, installer: str) -> Done:
    """Update from a server that takes so many seconds for a path."""
    end = binaries.newest()
    path = path.format(version=end, archive=binaries.archive(end).name)
    home.environ["UV_CACHE_DIR"] = str(home.path / "cache")
    home.install(binaries.newest_but_one())
    with Web() as web:
        web.pages |= mirrors.urls_pages([end], real=True)
        page = web.pages[path]

        def slowly(_: Asked) -> Page:
            threading.Event().wait(seconds)
            assert not callable(page)
            return page

        web.pages[path] = slowly
        home.configure(
            f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
            f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
        )
        environ = {"UV_SELF_UPDATE_TIMEOUT": "90"}
        return home.run("--installer", installer, environ=environ, program=PROGRAM)
