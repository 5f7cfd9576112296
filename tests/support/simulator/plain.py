"""Places without any product: Astral's own layout, a pair of URLs, a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.simulator.dialect import Dialect, encoded, json_page, stored
from support.simulator.folders import ASTRAL, lay_out
from support.urls import source_settings
from support.web import Page

if TYPE_CHECKING:
    from support.catalogue import Catalogue, Published
    from support.simulator.dialect import Call, Names, Setup
    from uv_self_update.config.kinds import SourceSettings

MANIFEST: Names = ("github", "versions", "main", "v1", "uv.ndjson")


class Astral(Dialect):
    """releases.astral.sh, or a proxy of it, which remembers for a day what was not there."""

    kind = "astral"

    @property
    def place(self) -> str:
        """The base that the layout begins at."""
        return encoded((*self.setup.before, *self.setup.below))

    def answer(self, call: Call) -> Page:
        """Return a file; a folder is none."""
        below = len(self.setup.below)
        if call.path[:below] != self.setup.below or call.slash:
            self.poisoned.append(encoded(call.path))
            return Page(status=404)
        page = self.fetch(call.path[below:])
        if page is None:
            self.poisoned += self.guessed(call.path[below:])
            return Page(status=404)
        return page

    def fetch(self, names: Names) -> Page | None:
        """Return a file, or None if there is none."""
        if names == MANIFEST:
            headers = {"Content-Type": "application/octet-stream"}
            return Page(body=ndjson(self.catalogue), headers=headers)
        if names[:-2] != ASTRAL:
            return None
        version, name = names[-2:]
        for release in self.catalogue.stored:
            for file in release.files:
                if (release.version, file.name) == (version, name):
                    return stored(file, **{"Cache-Control": "public, immutable"})
        return None

    def guessed(self, names: Names) -> list[str]:
        """Return a missing path if nothing said that there should be such a file."""
        announced = {release.version for release in self.catalogue}
        if names[:-2] == ASTRAL and names[-2] in announced:
            return []
        return [encoded(names)]


def ndjson(catalogue: Catalogue) -> bytes:
    """Return the manifest: the last line comes first, with an empty one, and without an end."""
    lines = []
    for release in catalogue:
        page = f"https://github.com/astral-sh/uv/releases/download/{release.version}"
        artifacts = [
            {
                "platform": file.triple,
                "variant": "default",
                "url": f"{page}/{file.name}",
                "archive_format": "zip" if file.name.endswith(".zip") else "tar.gz",
                "sha256": file.sha256,
            }
            for file in release.files
            if file.archive
        ]
        date = release.date.isoformat()
        line = {"version": release.version, "date": date, "artifacts": artifacts}
        lines.append(json.dumps(line, separators=(",", ":")))
    return "\n\n".join([*lines[:1], "\n".join(lines[1:])]).rstrip().encode()


def github_release(
    release: Published, *, repository: str, api: str, number: int, digests: bool = True
) -> dict[str, object]:
    """Return GitHub's JSON for a release.

    Args:
        release: The release.
        repository: Its repository's URL.
        api: Its repository's URL in the API.
        number: What the number of its files begins with.
        digests: Whether the server knows any; older ones do not.
    """
    downloads = f"{repository}/releases/download/{release.version}"
    files = [] if release.pending else release.files
    return {
        "url": f"{api}/releases/{number}",
        "id": number,
        "tag_name": release.version,
        "name": None,
        "draft": False,
        "prerelease": release.prerelease,
        "created_at": release.date.isoformat(),
        "published_at": release.date.isoformat(),
        "assets": [
            {
                "url": f"{api}/releases/assets/{number + index}",
                "id": number + index,
                "name": file.name,
                "state": "uploaded",
                "content_type": "application/octet-stream",
                "size": len(file.content),
                "browser_download_url": f"{downloads}/{file.name}",
                **({"digest": f"sha256:{file.sha256}"} if digests else {}),
            }
            for index, file in enumerate(files, start=1)
        ],
    }


class UrlsJson(Dialect):
    """Files below any URL, and GitHub's list of releases, as somebody has saved it."""

    kind = "urls"
    latest = "all.json"

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        super().__init__(catalogue, setup)
        self._tree = lay_out(catalogue, setup)

    @property
    def place(self) -> str:
        """The folder that all of it lies in."""
        return encoded((*self.setup.before, *self.setup.below))

    def section(self, base: str) -> SourceSettings:
        """Return both templates; the slash is the person's own, so there is always one."""
        base = base.rstrip("/")
        return source_settings(
            kind=self.kind, latest=f"{base}/{self.latest}", download=f"{base}/{{tag}}/{{asset}}"
        )

    def answer(self, call: Call) -> Page:
        """Return a file."""
        if not call.slash and call.path == (*self.setup.below, self.latest):
            return self.versions()
        file = None if call.slash else self._tree.files.get(call.path)
        return Page(status=404) if file is None else stored(file)

    def versions(self) -> Page:
        """Return what names the versions."""
        repository = "https://github.com/astral-sh/uv"
        return json_page(
            [
                github_release(
                    release,
                    repository=repository,
                    api="https://api.github.com/repos/astral-sh/uv",
                    number=number * 100,
                )
                for number, release in enumerate(self.catalogue)
            ]
        )


class UrlsNdjson(UrlsJson):
    """The same with Astral's manifest."""

    latest = "uv.ndjson"

    def versions(self) -> Page:
        """Return what names the versions."""
        return Page(body=ndjson(self.catalogue))


class UrlsText(UrlsJson):
    """The same with nothing but the version that somebody calls the newest."""

    latest = "latest.txt"

    def versions(self) -> Page:
        """Return the version that was published last, and is none to try out."""
        stable = [release.version for release in self.catalogue if not release.prerelease]
        return Page(body=f"{stable[0]}\n".encode())


class Directory(Dialect):
    """A folder of this machine, which needs no server."""

    kind = "directory"

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        super().__init__(catalogue, setup)
        assert setup.folder is not None, "a directory has to be somewhere"
        self._base = setup.folder.joinpath(*setup.below)
        for names, file in lay_out(catalogue, setup).files.items():
            path = setup.folder.joinpath(*names)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)

    @property
    def place(self) -> str:
        """Nothing: a server has no part in it."""
        return ""

    def section(self, base: str) -> SourceSettings:
        """Return the path."""
        path = str(self._base)
        return source_settings(kind=self.kind, path=f"{path}/" if base.endswith("/") else path)

    def answer(self, call: Call) -> Page:
        """Take note that somebody has asked a server."""
        self.poisoned.append(encoded(call.path))
        return Page(status=404)
