"""A release whose installer is the real one and whose uv is a few lines, taken with us and without.

The same release is served as GitHub Enterprise Server does, which uv asks without us as well.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

from support import mirrors, release_installers
from support.web import Page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from support.homes import Done, Home
    from support.web import Web

NEW = "99.0.1"
_REPOSITORY = "astral-sh/uv"


def executable(name: str, version: str = NEW) -> bytes:
    """Return a program that says which version it is, and nothing else."""
    return f"#!/bin/sh\necho {name} {version}\n".encode()


def archive_of(folder: Path, *, version: str = NEW, more: Sequence[str] = ()) -> Path:
    """Make a release archive with such programs; the same bytes whenever it is made."""
    name = f"uv-{mirrors.triple()}"
    path = folder / f"{name}.tar.gz"
    with (
        path.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as made,
    ):
        for program in ("uv", "uvx", *more):
            content = executable(program, version)
            member = tarfile.TarInfo(f"{name}/{program}")
            member.size, member.mode = len(content), 0o755
            made.addfile(member, io.BytesIO(content))
    return path


def serve(web: Web, folder: Path, *, script: bytes | None = None, more: Sequence[str] = ()) -> None:
    """Serve the release.

    Args:
        web: The server.
        folder: Where the archive may lie.
        script: Its installer; None for the real one.
        more: Further programs in the archive.
    """
    archive = archive_of(folder, more=more)
    installer = script or release_installers.script(NEW, archive=archive)
    files = {"uv-installer.sh": installer, archive.name: archive.read_bytes()}
    api = f"/api/v3/repos/{_REPOSITORY}/releases"
    page = f"/{_REPOSITORY}/releases/download/{NEW}"
    document = {
        "url": f"{web.url}{api}/1",
        "tag_name": NEW,
        "name": NEW,
        "draft": False,
        "prerelease": False,
        "assets": [
            {
                "name": name,
                "url": f"{web.url}{api}/assets/{name}",
                "browser_download_url": f"{web.url}{page}/{name}",
                "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            }
            for name, content in files.items()
        ],
    }
    web.pages[f"{api}/latest"] = web.pages[f"{api}/tags/{NEW}"] = Page(
        body=json.dumps(document).encode()
    )
    web.pages[api] = Page(body=json.dumps([document]).encode())
    web.pages |= {f"{page}/{name}": Page(body=content) for name, content in files.items()}
    # uv itself asks below a doubled slash, and so does its installer.
    web.pages |= {f"/{path}": page for path, page in dict(web.pages).items()}


def update_bare(home: Home, web: Web, environ: Mapping[str, str] | None = None) -> Done:
    """Run `uv self update` as users without us do."""
    base = {"UV_INSTALLER_GHE_BASE_URL": web.url, "NO_PROXY": "127.0.0.1"}
    return home.run("self", "update", environ=base | dict(environ or {}), program=(str(home.uv),))


def through_us(
    home: Home,
    web: Web,
    *arguments: str,
    installer: str = "release",
    environ: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
) -> Done:
    """Run it through us, from the same place."""
    source = (
        '[[source]]\nkind = "urls"\n'
        f'latest = "{web.url}/api/v3/repos/{_REPOSITORY}/releases/latest"\n'
        f'download = "{web.url}/{_REPOSITORY}/releases/download/{{tag}}/{{asset}}"\n'
    )
    home.configure(source)
    return home.run("--installer", installer, *arguments, environ=environ, before=before)
