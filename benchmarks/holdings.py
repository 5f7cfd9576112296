"""What the server of a line holds: releases of uv of their real size, in the shape of each source.

```text
/api/v3/repos/astral-sh/uv/releases[/latest, /tags/V]    GitHub's JSON, 87 KB a release
/astral-sh/uv/releases/download/V/FILE                   the files, as GitHub has them
/listing/V/FILE                                          the same, with directory listings
/simple/uv/                                              a package index
```

Two of the releases are real: the installed one and the newest. The rest is in lists only.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from origin import Site
from support import binaries, release_installers
from uv_self_update import platforms

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_RELEASES = 334  # of uv, in November 2026
_FILES = 46  # of a release
_SIZE = 87_000  # bytes of a release in the list; the notes fill what its files leave
_PAGES = {size: -(-_RELEASES // size) for size in (10, 30, 100)}
"""Entries of a page of GitHub's list -> the number of pages."""

_API = "/api/v3/repos/astral-sh/uv/releases"
_HTTP = """
    map $arg_per_page $size { "" 30; default $arg_per_page; }
    map $arg_page $page { "" 1; default $arg_page; }
    map $size-$page $next {
        default "";
        %s
    }
"""
_SERVER = f"""
    location = {_API} {{
        default_type application/json;
        add_header Link $next;
        try_files /lists/$size-$page.json =404;
    }}
    location {_API}/ {{ default_type application/json; }}
    location /listing/ {{ autoindex on; }}
    location /simple/ {{ index index.html; expires 10m; }}
"""
_LINK = f"{{}}-{{}} '<$scheme://$http_host{_API}?per_page={{}}&page={{}}>; rel=\"next\"';"
_UPLOADER = {
    "login": "github-actions[bot]",
    "id": 41898282,
    "node_id": "MDM6Qm90NDE4OTgyODI=",
    **{
        key: f"https://api.github.com/users/github-actions%5Bbot%5D/{key}"
        for key in (
            *("avatar_url", "url", "html_url", "followers_url", "following_url", "gists_url"),
            *("starred_url", "subscriptions_url", "organizations_url", "repos_url", "events_url"),
            "received_events_url",
        )
    },
    "type": "Bot",
    "user_view_type": "public",
    "site_admin": False,
}
_WORDS = (
    *("- Fix ", "resolution", " of ", "markers", " when ", "the lock file", " holds ", "extras"),
    *(" ([#12345](https://github.com/astral-sh/uv/pull/12345)), ", "### Bug fixes, "),
)


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What was laid out."""

    release: int
    """Bytes of a release in that list."""

    archive: int
    """Bytes of the newest archive."""


def site(_storage: int) -> Site:
    """Return how it is served; pages of the list name the next one."""
    links = (
        _LINK.format(size, page, size, page + 1)
        for size, count in _PAGES.items()
        for page in range(1, count)
    )
    return Site(http=_HTTP % "\n        ".join(links), server=_SERVER)


def hold(root: Path, url: str, *, installed: str, newest: str) -> Holdings:
    """Lay out the files of a server below a directory.

    Args:
        root: The directory.
        url: The server's URL, without a slash at its end.
        installed: A real version of uv.
        newest: A newer one.
    """
    files = {version: _files(version) for version in (newest, installed)}
    for version, paths in files.items():
        for place in (f"astral-sh/uv/releases/download/{version}", f"listing/{version}"):
            directory = root / place
            directory.mkdir(parents=True)
            for path in paths:
                if path.suffix != ".whl":
                    (directory / path.name).symlink_to(path)
    versions = [newest, *_between(newest, installed), installed]
    versions += [*_below(installed, _RELEASES - len(versions))]
    for version in versions:
        if version not in files:
            (root / "listing" / version).symlink_to(root / "listing" / installed)
    documents = [_document(url, version, files.get(version, ())) for version in versions]
    for number in (0, versions.index(installed)):
        _write(root, f"{_API}/tags/{versions[number]}", documents[number])
    _write(root, f"{_API}/latest", documents[0])
    for size in _PAGES:
        _list(root, documents, size)
    _index(root, versions, real=files)
    return Holdings(
        release=len(documents[0]),
        archive=next(path.stat().st_size for path in files[newest] if path.suffix == ".gz"),
    )


def _between(newest: str, installed: str) -> Iterator[str]:
    """Yield the patch releases that a list has above the installed one."""
    upper, lower = Version(newest), Version(installed)
    if (upper.major, upper.minor) != (lower.major, lower.minor):
        yield from (f"{upper.major}.{upper.minor}.{n}" for n in range(upper.micro - 1, -1, -1))
    else:
        yield from (
            f"{upper.major}.{upper.minor}.{n}" for n in range(upper.micro - 1, lower.micro, -1)
        )


def _below(installed: str, count: int) -> Iterator[str]:
    lower = Version(installed)
    minor, micro = lower.minor, lower.micro
    for _ in range(count):
        micro -= 1
        if micro < 0:
            minor, micro = minor - 1, 24
        yield f"{lower.major}.{minor}.{micro}"


def _files(version: str) -> list[Path]:
    """Return the files of a release: archive, digest, installer; kept between runs."""
    name = platforms.current().archive
    directory = binaries.CACHE / "line" / version
    if not directory.exists():
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory.parent) as temporary:
            made = Path(temporary, "made")
            made.mkdir()
            archive = made / name
            # As small as uv's own, where the tests' archives are packed in a hurry.
            with tarfile.open(archive, "w:gz", compresslevel=9) as file:
                for executable in ("uv", "uvx"):
                    member = f"{name.removesuffix('.tar.gz')}/{executable}"
                    file.add(binaries.executables(version) / executable, member)
            (made / f"{name}.sha256").write_text(f"{_sha256(archive)} *{name}\n")
            wheel = binaries.wheel(version)
            with (
                zipfile.ZipFile(wheel) as theirs,
                zipfile.ZipFile(
                    made / wheel.name, "w", zipfile.ZIP_DEFLATED, compresslevel=9
                ) as ours,
            ):
                for member in theirs.namelist():
                    ours.writestr(member, theirs.read(member))
            binaries.publish(made, directory)
    installer = directory / "uv-installer.sh"
    if not installer.exists():
        installer.write_bytes(release_installers.script(version, archive=directory / name))
    return sorted(directory.iterdir())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _document(url: str, version: str, files: Sequence[Path]) -> bytes:
    """Return GitHub's JSON for a release, in its real size."""
    digests = {
        path.name: (f"sha256:{_sha256(path)}", path.stat().st_size)
        for path in files
        if path.suffix != ".whl"
    }
    invented = (f"uv-other-{n:02}-unknown-linux-gnu.tar.gz" for n in range(_FILES))
    names = [*digests, *invented][:_FILES]
    api = "https://api.github.com/repos/astral-sh/uv/releases"
    identifier = int.from_bytes(hashlib.sha256(version.encode()).digest()[:4])
    assets = [
        {
            "url": f"{api}/assets/{identifier + number}",
            "id": identifier + number,
            "node_id": f"RA_kwDOKM2-Nc4{identifier + number:x}",
            "name": name,
            "label": "",
            "uploader": _UPLOADER,
            "content_type": "application/octet-stream",
            "state": "uploaded",
            "size": digests.get(name, ("", 20_000_000))[1],
            "digest": digests.get(
                name, (f"sha256:{hashlib.sha256(f'{version}{name}'.encode()).hexdigest()}", 0)
            )[0],
            "download_count": 12345,
            "created_at": "2026-11-01T12:00:00Z",
            "updated_at": "2026-11-01T12:00:00Z",
            "browser_download_url": f"{url}/astral-sh/uv/releases/download/{version}/{name}",
        }
        for number, name in enumerate(names)
    ]
    document = {
        "url": f"{api}/{identifier}",
        "id": identifier,
        "author": _UPLOADER,
        "tag_name": version,
        "target_commitish": "main",
        "name": version,
        "draft": False,
        "immutable": False,
        "prerelease": False,
        "created_at": "2026-11-01T12:00:00Z",
        "published_at": "2026-11-01T12:00:00Z",
        "assets": assets,
        "body": "",
    }
    room = _SIZE - len(json.dumps(document))
    document["body"] = "".join(_WORDS[(n * n + n) // 2 % len(_WORDS)] for n in range(room))[:room]
    return json.dumps(document).encode()


def _list(root: Path, documents: Sequence[bytes], size: int) -> None:
    """Write the pages of the list."""
    for number, start in enumerate(range(0, len(documents), size), 1):
        page = b"[" + b",".join(documents[start : start + size]) + b"]"
        _write(root, f"lists/{size}-{number}.json", page)


def _index(root: Path, versions: Sequence[str], real: dict[str, list[Path]]) -> None:
    """Write a page of the wheels for this platform, one of each release."""
    lines = []
    tag = ""
    for version in versions:
        for wheel in (path for path in real.get(version, ()) if path.suffix == ".whl"):
            place = root / "files" / wheel.name
            place.parent.mkdir(exist_ok=True)
            place.symlink_to(wheel)
            tag = tag or wheel.name.partition(f"{version}-")[2]
    for version in versions:
        known = [path for path in real.get(version, ()) if path.suffix == ".whl"]
        name = known[0].name if known else f"uv-{version}-{tag}"
        digest = _sha256(known[0]) if known else hashlib.sha256(name.encode()).hexdigest()
        link = f'<a href="../../files/{name}#sha256={digest}" data-requires-python="&gt;=3.8">'
        lines.append(f"{link}{name}</a><br />\n")
    page = f"<!DOCTYPE html>\n<html><body>\n{''.join(reversed(lines))}</body></html>\n"
    _write(root, "simple/uv/index.html", page.encode())


def _write(root: Path, path: str, content: bytes) -> None:
    """Write a page, also as gzip, which the server prefers."""
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as file:
        file.write(content)
    place.with_name(f"{place.name}.gz").write_bytes(packed.getvalue())
