"""What real index servers give for a wheel, and what is said of them: docs/policy.md lists it."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from support import binaries
from support.servers import indexes
from support.web import Page, Web
from uv_self_update.errors import HiddenByCutoff
from uv_self_update.releases.target import NEWEST
from uv_self_update.sources.index.source import IndexSource
from uv_self_update.sources.index.uv_pip import UvPip
from uv_self_update.url import Url

if TYPE_CHECKING:
    from pathlib import Path

    from support.homes import Home

WHEEL = "0.5.31"


def started(server: str, stack: ExitStack, folder: Path) -> str:
    """Start a server with one wheel; return the URL of its index."""
    wheel = binaries.wheel(WHEEL)
    if server == "devpi":
        return stack.enter_context(indexes.devpi([wheel]))
    shutil.copy2(wheel, folder)
    if server.startswith("pypiserver"):
        algorithm = server.partition(" ")[2] or "sha256"
        return stack.enter_context(indexes.pypiserver(folder, digests=algorithm))
    html = {"Content-Type": "text/html"}
    link = f'<!DOCTYPE html><a href="../../{wheel.name}">{wheel.name}</a>'
    pages = {
        "/simple/": Page(body=b'<!DOCTYPE html><a href="uv/">uv</a>', headers=html),
        "/simple/uv/": Page(body=link.encode(), headers=html),
        f"/{wheel.name}": Page(body=wheel),
    }
    web = stack.enter_context(Web(pages))
    return stack.enter_context(indexes.proxpi(f"{web.url}/simple/"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("server", "algorithm"),
    [
        ("devpi", "sha256"),
        ("pypiserver", "sha256"),
        ("pypiserver md5", "md5"),
        ("pypiserver sha512", "sha512"),
        ("proxpi", None),
    ],
)
def test_what_is_given(server: str, algorithm: str | None, home: Home, tmp_path: Path) -> None:
    """Digests differ, dates are nowhere; a cutoff of uv is what hides everything, and is named."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with ExitStack() as stack:
        url = started(server, stack, folder)
        uv = binaries.executables(binaries.newest()) / "uv"
        environ = {"PIP_CONFIG_FILE": os.devnull}
        source = IndexSource(UvPip(uv, home.full_environ(environ), url=Url.parse(url)))
        release = source.find(NEWEST)
        assert (source.digest_algorithm(release), source.dated(release)) == (algorithm, False)
        made = tmp_path / "made"
        made.mkdir()
        assert (source.unpack(release, made) / "uv").is_file()
        environ["UV_EXCLUDE_NEWER"] = "2020-01-01T00:00:00Z"
        late = IndexSource(UvPip(uv, home.full_environ(environ), url=Url.parse(url)))
        with pytest.raises(HiddenByCutoff, match=r"has no upload time for uv 0\.5\.31"):
            late.find(NEWEST)
