"""What companies keep of uv: release files in two layouts, and a package index.

Their uv is a script that prints its version (`binaries.scripts`), unless `real` says otherwise.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import TYPE_CHECKING, Any

from support import binaries, release_installers
from support.web import Page
from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from support.web import Asked

    Pages = dict[str, Page | Callable[[Asked], Page]]


@cache
def sha256(path: Path) -> str:
    """Return the digest of a file that does not change."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def installer(version: str, *, real: bool = True) -> bytes:
    """Return the release's own installer for sh, which knows the checksum of `binaries.archive`."""
    return release_installers.script(version, archive=binaries.archive(version, real=real))


def github_json(
    version: str, *, digests: bool = True, real: bool = False, size: int | None = None
) -> dict[str, Any]:
    """Return GitHub's JSON for a release; its URLs lead to GitHub, as those of a copy do.

    A size is said to be that of the archive, and other files to be small.
    """
    archive = binaries.archive(version, real=real)
    files = {archive.name: sha256(archive)}
    if release_installers.available():
        script = installer(version, real=real)
        files = {"uv-installer.sh": hashlib.sha256(script).hexdigest(), **files}
    page = f"https://github.com/astral-sh/uv/releases/download/{version}"
    return {
        "url": f"https://api.github.com/repos/astral-sh/uv/releases/{version}",
        "tag_name": version,
        "name": None,
        "draft": False,
        "prerelease": False,
        "assets": [
            {
                "name": name,
                "url": f"https://api.github.com/repos/astral-sh/uv/releases/assets/{name}",
                "browser_download_url": f"{page}/{name}",
                "digest": f"sha256:{digest}" if digests else None,
            }
            | ({} if size is None else {"size": size if name == archive.name else 1000})
            for name, digest in files.items()
        ],
    }


def file_pages(version: str, folder: str, *, real: bool = False) -> Pages:
    """Return a release's files below a folder."""
    archive = binaries.archive(version, real=real)
    pages: Pages = {f"{folder}/{archive.name}": Page(body=archive)}
    if release_installers.available():
        pages[f"{folder}/uv-installer.sh"] = Page(body=installer(version, real=real))
    return pages


def urls_pages(versions: Iterable[str], *, real: bool = False) -> Pages:
    """Return a mirror for `urls`: `/latest.json` and `/files/{tag}/{asset}`, the newest first."""
    versions = list(versions)
    latest = json.dumps(github_json(versions[0], real=real)).encode()
    pages: Pages = {"/latest.json": Page(body=latest)}
    for version in versions:
        pages |= file_pages(version, f"/files/{version}", real=real)
    return pages


def github_pages(
    versions: Iterable[str],
    *,
    prefix: str = "",
    dates: Mapping[str, str] | None = None,
    real: bool = False,
    size: int | None = None,
) -> Pages:
    """Return a server that is laid out like GitHub Enterprise Server, the newest first."""
    versions = list(versions)
    api = f"{prefix}/api/v3/repos/astral-sh/uv/releases"
    documents = {version: github_json(version, real=real, size=size) for version in versions}
    for version, date in (dates or {}).items():
        documents[version]["published_at"] = date
    pages: Pages = {
        api: Page(body=json.dumps(list(documents.values())).encode()),
        f"{api}/latest": Page(body=json.dumps(documents[versions[0]]).encode()),
    }
    for version, document in documents.items():
        pages[f"{api}/tags/{version}"] = Page(body=json.dumps(document).encode())
        directory = f"{prefix}/astral-sh/uv/releases/download/{version}"
        pages |= file_pages(version, directory, real=real)
    return pages


def directory_page(*names: str) -> Page:
    """Return the listing of a directory, without dates."""
    links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
    text = f'<title>Index of /</title><pre><a href="../">../</a>\n{links}</pre>'
    return Page(body=text.encode(), headers={"Content-Type": "text/html"})


def index_pages(versions: Iterable[str], *, prefix: str = "/simple", real: bool = False) -> Pages:
    """Return a plain PEP 503 index."""
    wheels = [binaries.wheel(version, real=real) for version in versions]
    links = "".join(
        f'<a href="../../wheels/{wheel.name}#sha256={sha256(wheel)}">{wheel.name}</a><br>'
        for wheel in wheels
    )
    html = {"Content-Type": "text/html"}
    pages: Pages = {f"{prefix}/uv/": Page(body=f"<!DOCTYPE html>{links}".encode(), headers=html)}
    for wheel in wheels:
        pages[f"/wheels/{wheel.name}"] = Page(body=wheel)
    return pages


def dated_index_pages(
    dates: Mapping[str, str | None],
    *,
    yanked: Iterable[str] = (),
    prefix: str = "/simple",
    real: bool = False,
) -> Pages:
    """Return an index in JSON (PEP 691, 700), and when each wheel was uploaded."""
    files = []
    pages: Pages = {}
    for version, date in dates.items():
        wheel = binaries.wheel(version, real=real)
        file: dict[str, Any] = {
            "filename": wheel.name,
            "url": f"../../wheels/{wheel.name}",
            "hashes": {"sha256": sha256(wheel)},
            "size": wheel.stat().st_size,
            "yanked": "broken" if version in yanked else False,
        }
        files.append(file | ({} if date is None else {"upload-time": date}))
        pages[f"/wheels/{wheel.name}"] = Page(body=wheel)
    document = {
        "meta": {"api-version": "1.1"},
        "name": "uv",
        "versions": list(dates),
        "files": files,
    }
    json_type = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    pages[f"{prefix}/uv/"] = Page(body=json.dumps(document).encode(), headers=json_type)
    return pages


def triple() -> str:
    """Return this machine's target triple."""
    return platforms.current().triple
