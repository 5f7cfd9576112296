"""Real uv binaries, updated for real."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support import binaries, mirrors
from support.homes import PROGRAM

if TYPE_CHECKING:
    from support.homes import Home
    from support.web import Web

STARTS = ("0.5.0", "0.5.31", "0.8.24", "0.11.13", "newest-but-one")
"""The versions that are updated."""

OLDER = {
    "0.5.0": binaries.OLDEST,
    "0.5.31": "0.5.0",
    "0.8.24": "0.5.31",
    "0.11.13": "0.8.24",
    "newest-but-one": "0.11.13",
}
"""What they go back to."""

SOURCES = ("index", "urls", "github")


def serve(web: Web, source: str, versions: list[str], *, real: bool) -> str:
    """Put versions (the newest first) on a server, and return the source that it is."""
    if source == "index":
        web.pages |= mirrors.index_pages(versions, real=real)
        return f"index+{web.url}/simple/"
    if source == "urls":
        web.pages |= mirrors.urls_pages(versions, real=real)
        return ""
    web.pages |= mirrors.github_pages(versions, prefix="/base", real=real)
    return f"github+{web.url}/base/astral-sh/uv"


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("target", ["newest", "older"])
def test_real_uv_is_updated(start: str, target: str, source: str, home: Home, web: Web) -> None:
    """Every supported uv goes to the newest version, and to an exact older one.

    To the real newest by one source each, in a process of its own.
    """
    end = binaries.version("newest" if target == "newest" else OLDER[start])
    home.install(binaries.version(start))
    versions = [binaries.newest(), end] if target == "older" else [end]
    real = target == "newest" and SOURCES[STARTS.index(start) % len(SOURCES)] == source
    spec = serve(web, source, versions, real=real)
    if spec:
        home.environ["UV_SELF_UPDATE_SOURCE"] = spec
    else:
        home.configure(
            f'[[source]]\nkind = "urls"\nlatest = "{web.url}/latest.json"\n'
            f'download = "{web.url}/files/{{tag}}/{{asset}}"\n'
        )
    before = home.rest()

    arguments = [] if target == "newest" else [end]
    done = home.start(*PROGRAM, *arguments) if real else home.run(*arguments)

    assert done.code == 0, done.err
    assert f"graded uv from v{binaries.version(start)} to v{end}!" in done.err
    assert home.version() == end
    assert home.receipt_version() == end
    assert home.rest() == before
