"""A slow server, and a real uv that gives up what is silent for 30 seconds."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors

if TYPE_CHECKING:
    from support.homes import Home
    from support.web import Asked, Page, Web

_LONG = 33  # seconds, more than uv's own limit; it is uv's clock that has to run
_TWICE = 65  # seconds: where `latest` is silent for too long, uv asks for the list, as patiently


@pytest.mark.extra
@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "seconds", "installer"),
    [
        ("/latest.json", _TWICE, "release"),
        ("/files/{version}/uv-installer.sh", _LONG, "release"),
        ("/files/{version}/{archive}", _LONG, "release"),
        ("/files/{version}/{archive}", _LONG, "native"),
    ],
)
def test_slow_server_does_not_end_the_update(
    path: str, seconds: int, installer: str, home: Home, web: Web
) -> None:
    """The newest uv waits for longer than its limit, whatever it is that takes so long."""
    start, end = binaries.newest_but_one(), binaries.newest()
    home.install(start)
    web.pages |= mirrors.urls_pages([end], real=True)
    path = path.format(version=end, archive=binaries.archive(end).name)
    page = web.pages[path]
    asleep = threading.Event()

    def slowly(_: Asked) -> Page:
        asleep.wait(seconds)
        assert not callable(page)
        return page

    web.pages[path] = slowly
    home.configure(
        f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
        f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
    )

    done = home.run("--installer", installer, environ={"UV_SELF_UPDATE_TIMEOUT": "90"})

    assert (done.code, home.version()) == (0, end), done.err
