"""A private GitHub repository whose releases hold packages, and a public index beside it.

As strict as GitHub: 404 without the token, a file for exactly one `Accept`, a redirect
to a storage that refuses any credential, drafts, pages of a list, digests that old assets lack.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from support.simulator.dialect import PASSWORD
from support.simulator.server import Storage
from support.web import Page, Web

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.web import Asked

BASE = "/api/v3/repos/acme/tools/releases"
_BINARY = "application/octet-stream"


def wheel(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    tag: str = "py3-none-any",
    code: str = "",
    python: str = ">=3.8",
) -> tuple[str, bytes]:
    """Return the file name and the bytes of a wheel; `code` is what is imported."""
    code = code or f'VERSION = "{version}"\n'
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {python}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as file:
        file.writestr(f"{module}/__init__.py", code)
        file.writestr(f"{info}/METADATA", "\n".join(lines) + "\n")
        file.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        file.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {module}:main\n")
        file.writestr(f"{info}/RECORD", "")
    return f"{module}-{version}-{tag}.whl", body.getvalue()


@dataclass(kw_only=True)
class ReleaseOf:
    """A release: its tag, and its files by their names."""

    tag: str
    files: dict[str, bytes]
    draft: bool = False
    prerelease: bool = False
    digests: bool = True
    updated: str = "2026-09-01T12:00:00Z"
    title: str | None = None
    body: str = ""
    served: dict[str, bytes] = field(default_factory=dict)
    """What is sent for a file, if not what the API describes."""


@dataclass(kw_only=True)
class Packages(Web):
    """The API of GitHub Enterprise Server for `acme/tools`."""

    releases: list[ReleaseOf]
    """The newest first."""

    page: int = 100
    limited: bool = False
    """Whether the rate limit is exhausted."""

    token: str = PASSWORD
    refused: Page | None = None
    """What every request with the token is answered with, if it is not granted."""

    storage: Storage = field(default_factory=Storage)

    def __post_init__(self) -> None:
        """Take a free port."""
        super().__init__()
        self.storage.ranges = True

    def __enter__(self) -> Self:
        self.storage.__enter__()
        return super().__enter__()

    def __exit__(self, *details: object) -> None:
        super().__exit__(*details)
        self.storage.__exit__(*details)

    @property
    def place(self) -> str:
        """The repository's URL."""
        return f"{self.url}/acme/tools"

    @property
    def index(self) -> str:
        """The stable URL of its index."""
        host = self.url.removeprefix("http://").replace(":", ".")
        return f"http://{host}.uv-self-update.invalid/acme/tools/simple/"

    def page_for(self, asked: Asked) -> Page:
        """Answer as GitHub does."""
        if "user-agent" not in {name.lower() for name in asked.headers}:
            return Page(status=403)
        headers = {name.lower(): value for name, value in asked.headers.items()}
        if headers.get("authorization") != f"Bearer {self.token}":
            return _json({"message": "Not Found"}, status=404)
        if self.refused is not None:
            return self.refused
        if self.limited:
            limits = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "4102444800"}
            return _json({"message": "API rate limit exceeded"}, status=403, headers=limits)
        parts = urlsplit(asked.path)
        rest = parts.path.removeprefix(BASE)
        if rest == "":
            return self._list(dict(parse_qsl(parts.query)))
        if rest.startswith("/tags/"):
            tag = unquote(rest.removeprefix("/tags/"))
            for release in self.releases:
                if release.tag == tag and not release.draft:
                    return _json(self._document(release))
        if rest.startswith("/assets/"):
            return self._asset(rest.removeprefix("/assets/"), headers)
        return _json({"message": "Not Found"}, status=404)

    def calls(self, part: str) -> list[str]:
        """Return the paths below the API that hold a part."""
        return [path for path in self.paths() if part in path]

    def _list(self, query: dict[str, str]) -> Page:
        size, number = min(int(query.get("per_page", "30")), self.page), int(query.get("page", "1"))
        found = [self._document(release) for release in self.releases]
        links = {}
        if number * size < len(found):
            links["Link"] = f'<{self.url}{BASE}?per_page={size}&page={number + 1}>; rel="next"'
        return _json(found[(number - 1) * size : number * size], headers=links)

    def _asset(self, number: str, headers: dict[str, str]) -> Page:
        for release in self.releases:
            for name, content in release.files.items():
                if _number(release, name) != number:
                    continue
                if headers.get("accept") != _BINARY:
                    return _json({"name": name, "id": int(number)})
                location = self.storage.signed(Page(body=release.served.get(name, content)))
                return Page(status=302, headers={"Location": location})
        return _json({"message": "Not Found"}, status=404)

    def _document(self, release: ReleaseOf) -> dict[str, Any]:
        assets = []
        for name, content in release.files.items():
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}" if release.digests else None
            url = f"{self.place}/releases/download/{quote(release.tag)}/{quote(name)}"
            assets.append(
                {
                    "id": int(_number(release, name)),
                    "name": name,
                    "state": "uploaded",
                    "size": len(content),
                    "digest": digest,
                    "updated_at": release.updated,
                    "browser_download_url": url,
                    "url": f"{self.url}{BASE}/assets/{_number(release, name)}",
                }
            )
        return {
            "tag_name": release.tag,
            "name": release.title,
            "body": release.body,
            "draft": release.draft,
            "prerelease": release.prerelease,
            "assets": assets,
        }


class PublicIndex(Web):
    """A public index, whose wheels have no dependencies."""

    def __init__(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Serve wheels by name and bytes."""
        super().__init__()
        projects: dict[str, list[str]] = {}
        for name, content in files:
            self.pages[f"/files/{name}"] = Page(body=content)
            project = name.partition("-")[0].replace("_", "-")
            digest = hashlib.sha256(content).hexdigest()
            link = f'<a href="/files/{name}#sha256={digest}">{name}</a>'
            projects.setdefault(project, []).append(link)
        for project, links in projects.items():
            page = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
            self.pages[f"/simple/{project}/"] = Page(
                body=page, headers={"Content-Type": "text/html"}
            )

    @property
    def index(self) -> str:
        """The URL of the index."""
        return f"{self.url}/simple/"


def _number(release: ReleaseOf, name: str) -> str:
    return str(int.from_bytes(hashlib.sha256(f"{release.tag}/{name}".encode()).digest()[:4]))


def _json(document: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Page:
    types = {"Content-Type": "application/json", **(headers or {})}
    return Page(body=json.dumps(document).encode(), status=status, headers=types)
