"""The layout of a mirror: pure decisions about paths and documents.

```text
index.html                                           an overview
sha256.sum                                           every file, for `sha256sum --check`
github/versions/main/v1/uv.ndjson                    UV_ASTRAL_MIRROR_URL
github/uv/releases/download/VERSION/FILE             the same, and `listing`
api/v3/repos/astral-sh/uv/releases/latest            UV_INSTALLER_GHE_BASE_URL
api/v3/repos/astral-sh/uv/releases/tags/VERSION      the same
astral-sh/uv/releases/download/VERSION/FILE          the same: hard links
simple/uv/                                           the package index (PEP 503)
.mirror/                                             the record, a lock, unfinished files
```
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

from uv_self_update.platforms import triple_of
from uv_self_update.releases.release import Asset, Release, github_document
from uv_self_update.versions import is_prerelease

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from uv_self_update.workflow.mirror.record import File, Held, Record

DOWNLOADS = "github/uv/releases/download"
LINKED = "astral-sh/uv/releases/download"
"""Where a GitHub Enterprise Server has its downloads: hard links to the files of DOWNLOADS."""

MANIFEST = "github/versions/main/v1/uv.ndjson"
WHEELS = "simple/uv"
SUMS = "sha256.sum"
PAGE = "index.html"

_API = "api/v3/repos/astral-sh/uv/releases"
_UPSTREAM = "https://github.com/astral-sh/uv/releases/download"

_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title></head>
<body>
<h1>{title}</h1>
"""
_TAIL = "</body>\n</html>\n"


def paths_of(held: Held) -> dict[str, File]:
    """Return the files of a release by their paths, without its sums and pages."""
    found = {}
    for name, file in held.files.items():
        found[f"{DOWNLOADS}/{held.version}/{name}"] = file
        found[f"{LINKED}/{held.version}/{name}"] = file
    for name, file in held.wheels.items():
        found[f"{WHEELS}/{name}"] = file
    return found


def sums(files: Mapping[str, File]) -> bytes:
    """Return a list of digests as `sha256sum --binary` writes it."""
    return "".join(f"{file.sha256} *{name}\n" for name, file in sorted(files.items())).encode()


def beside(held: Held) -> dict[str, bytes]:
    """Return the small files in the directories of a release: path -> content."""
    found = {
        f"{name}.sha256": f"{file.sha256} *{name}\n".encode()
        for name, file in held.files.items()
        if triple_of(name)
    }
    found[SUMS] = sums(held.files)
    places = (DOWNLOADS, LINKED)
    paths = {f"{place}/{held.version}/{name}": found[name] for place in places for name in found}
    page = _listing(f"uv {held.version}", [*held.files, *found])
    return {**paths, f"{DOWNLOADS}/{held.version}/{PAGE}": page}


def documents(record: Record) -> dict[str, bytes]:
    """Return everything that depends on all releases: path -> content, the lists last.

    GitHub's JSON has absolute URLs, and is omitted without the URL of the mirror.
    """
    releases = record.newest_first
    found: dict[str, bytes] = {}
    if record.url is not None:
        for held in releases:
            found[f"{_API}/tags/{held.version}"] = _github(held, record.url)
        stable = next((held for held in releases if not is_prerelease(held.version)), None)
        if stable is not None:
            found[f"{_API}/latest"] = found[f"{_API}/tags/{stable.version}"]
    found[f"{DOWNLOADS}/{PAGE}"] = _listing("uv", [f"{held.version}/" for held in releases])
    for path, name in (("github/uv/releases", "download/"), ("github/uv", "releases/")):
        found[f"{path}/{PAGE}"] = _listing(path, [name])
    found[f"github/{PAGE}"] = _listing("github", ["uv/", "versions/"])
    found[f"simple/{PAGE}"] = _listing("Simple index", ["uv/"])
    found[f"{WHEELS}/{PAGE}"] = _wheels(releases)
    found[MANIFEST] = b"".join(_ndjson(held, record.url) for held in releases)
    every = {path: file for held in releases for path, file in paths_of(held).items()}
    found[SUMS] = sums(every)
    # `listing` can begin with this page.
    found[PAGE] = _page("Releases of uv", _rows(record))
    return found


def _github(held: Held, base: str) -> bytes:
    """Return a release in GitHub's JSON, with the digests."""
    release = Release(version=held.version, tag=held.version, published=held.published)
    files = [
        Asset(name=name, sha256=file.sha256, size=file.size)
        for name, file in sorted(held.files.items())
    ]
    document = github_document(release, base=base, repository="astral-sh/uv", assets=files)
    document["html_url"] = f"{base}{LINKED}/{held.version}/"
    return (json.dumps(document, indent=1) + "\n").encode()


def _ndjson(held: Held, base: str | None) -> bytes:
    """Return a line of Astral's manifest (`astral-sh/versions`, `scripts/insert-versions.py`)."""
    downloads = (
        f"{_UPSTREAM}/{held.version}" if base is None else f"{base}{DOWNLOADS}/{held.version}"
    )
    line = {
        "version": held.version,
        "date": held.published,
        "artifacts": [
            {
                "platform": triple,
                "variant": "default",
                "url": f"{downloads}/{name}",
                "archive_format": "zip" if name.endswith(".zip") else "tar.gz",
                "sha256": file.sha256,
            }
            for name, file in sorted(held.files.items())
            if (triple := triple_of(name)) is not None
        ],
    }
    return (json.dumps(line, separators=(",", ":")) + "\n").encode()


def _wheels(releases: Iterable[Held]) -> bytes:
    links = [
        f'<a href="{escape(quote(name))}#sha256={file.sha256}">{escape(name)}</a><br>\n'
        for held in releases
        for name, file in sorted(held.wheels.items())
    ]
    return _page("Links for uv", links)


def _listing(title: str, names: Iterable[str]) -> bytes:
    """Return a page of links that `listing` reads where a server shows no directories."""
    links = [f'<a href="{escape(quote(name))}">{escape(name)}</a><br>\n' for name in sorted(names)]
    return _page(f"Index of {title}", links)


def _rows(record: Record) -> Iterator[str]:
    yield '<p><a href="github/">github/</a> · <a href="simple/">simple/</a> · '
    yield f'<a href="{SUMS}">{SUMS}</a></p>\n<table>\n'
    yield "<tr><th>version</th><th>published</th><th>platforms</th><th>MB</th></tr>\n"
    for held in record.newest_first:
        link = f"{DOWNLOADS}/{escape(quote(held.version))}/"
        size = sum(file.size for file in held.files.values()) / 1e6
        yield (
            f'<tr><td><a href="{link}{PAGE}">{escape(held.version)}</a></td>'
            f"<td>{escape(held.published[:10])}</td>"
            f"<td>{escape(', '.join(sorted(held.triples)))}</td><td>{size:.1f}</td></tr>\n"
        )
    yield "</table>\n"


def _page(title: str, lines: Iterable[str]) -> bytes:
    return f"{_HEAD.format(title=escape(title))}{''.join(lines)}{_TAIL}".encode()
