"""What the server of `exec.py` holds: a public index, a private one, and a private GitHub.

```text
/simple/NAME/                                    nine packages, and fifty for downloads side by side
/private/simple/NAME/                            the tenth, on an index
/api/v3/repos/acme/tools/releases[/tags, /assets]    the tenth, as an asset of a private release
```
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from typing import TYPE_CHECKING

from origin import Site
from support.simulator.packages import wheel
from wan import NEAR

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "token-of-the-benchmark"  # noqa: S105 # no secret
PUBLIC = {
    f"public-{number}": size << 10
    for number, size in enumerate((12, 30, 60, 90, 150, 300, 500, 1200, 4000))
}
"""Package -> bytes; as a web application's dependencies are sized."""

INTERNAL = "internal-package"
MANY = {f"many-{number:02}": 1 << 20 for number in range(50)}
_INTERNAL_SIZE = 400 << 10
_RELEASES = 30  # of each package
_API = "/api/v3/repos/acme/tools/releases"
_SERVER = """
    location ~ /simple/ {
        index index.json;
        types {}
        default_type application/vnd.pypi.simple.v1+json;
        expires 10m;
    }
    location /files/ { expires max; }
    location API/assets/ {
        if ($http_authorization != "Bearer TOKEN") { return 404; }
        if ($http_accept != "application/octet-stream") { return 406; }
        rewrite ^.*/assets/(\\d+)$ https://HOST:STORAGE/storage/$1?signature=x redirect;
    }
    location API {
        default_type application/json;
        if ($http_authorization != "Bearer TOKEN") { return 404; }
        try_files /github/$uri.json =404;
    }
"""


def site(storage: int) -> Site:
    """Return how it is served."""
    text = _SERVER
    values = {"API": _API, "TOKEN": TOKEN, "HOST": NEAR, "STORAGE": str(storage)}
    for name, value in values.items():
        text = text.replace(name, value)
    return Site(server=text)


def hold(root: Path, url: str) -> None:
    """Make the packages, and lay them out below a directory; `url` is the server's."""
    for name, size in {**PUBLIC, **MANY}.items():
        _project(root, "simple", name, size)
    newest = _project(root, "private/simple", INTERNAL, _INTERNAL_SIZE)
    releases = []
    for number in range(_RELEASES, 0, -1):
        filename = f"internal_package-1.{number}-py3-none-any.whl"
        digest = hashlib.sha256(newest.read_bytes() + (b"" if number == _RELEASES else b"."))
        api = f"{url}{_API}"
        releases.append(
            {
                "url": f"{api}/{number}",
                "id": number,
                "tag_name": f"v1.{number}",
                "name": f"v1.{number}",
                "draft": False,
                "prerelease": False,
                "body": "n" * 500,
                "assets": [
                    {
                        "id": number,
                        "name": filename,
                        "state": "uploaded",
                        "size": newest.stat().st_size,
                        "digest": f"sha256:{digest.hexdigest()}",
                        "updated_at": "2026-09-01T12:00:00Z",
                        "url": f"{api}/assets/{number}",
                        "browser_download_url": f"{url}/acme/tools/releases/download/{filename}",
                    }
                ],
            }
        )
    _write(root, f"github{_API}.json", json.dumps(releases))
    _write(root, f"github{_API}/tags/v1.{_RELEASES}.json", json.dumps(releases[0]))
    (root / "storage").mkdir()
    (root / "storage" / str(_RELEASES)).symlink_to(newest)


def _project(root: Path, index: str, name: str, size: int) -> Path:
    """Write a project's page and its newest wheel, and return that."""
    filename, content = wheel(name, f"1.{_RELEASES}")
    place = root / "files" / filename
    place.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(content)) as small, zipfile.ZipFile(place, "w") as file:
        noise = random.Random(name).randbytes(size)  # noqa: S311 # no secret
        file.writestr(f"{name.replace('-', '_')}/data.bin", noise)
        # What describes a wheel is at its end (PyPA's specification of the format).
        for entry in small.namelist():
            file.writestr(entry, small.read(entry))
        metadata = small.read(next(entry for entry in file.namelist() if "/METADATA" in entry))
    place.with_name(f"{filename}.metadata").write_bytes(metadata)
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    files = []
    for number in range(1, _RELEASES + 1):
        real = number == _RELEASES
        old = filename.replace(f"1.{_RELEASES}", f"1.{number}")
        files.append(
            {
                "filename": old,
                "url": f"/files/{old}",
                "hashes": {"sha256": digest if real else hashlib.sha256(old.encode()).hexdigest()},
                "core-metadata": {"sha256": hashlib.sha256(metadata).hexdigest()},
                "requires-python": ">=3.8",
                "size": place.stat().st_size,
                "upload-time": "2026-09-01T12:00:00Z",
                "yanked": False,
            }
        )
    versions = [f"1.{number}" for number in range(1, _RELEASES + 1)]
    document = {
        "meta": {"api-version": "1.1"},
        "name": name,
        "versions": versions,
        "files": files,
    }
    _write(root, f"{index}/{name}/index.json", json.dumps(document))
    return place


def _write(root: Path, path: str, text: str) -> None:
    place = root / path.lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
