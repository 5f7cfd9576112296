"""Gitea and Forgejo: releases, and generic packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.simulator.dialect import (
    PASSWORD,
    USER,
    Dialect,
    Names,
    basic,
    encoded,
    json_page,
    stored,
)
from support.simulator.github import next_page

if TYPE_CHECKING:
    from support.catalogue import Published
    from support.simulator.dialect import Call
    from support.simulator.github import Entries
    from support.web import Page

OWNER, REPOSITORY = "platform", "uv"
_LARGEST_PAGE = 50


class _Gitea(Dialect):
    """A repository, and the packages of its owner."""

    kind = "gitea"

    @property
    def place(self) -> str:
        """The repository."""
        return encoded((*self.setup.before, OWNER, REPOSITORY))

    def admits(self, call: Call) -> bool:
        """Return whether there is a token or a login."""
        tokens = {f"Bearer {PASSWORD}", f"token {PASSWORD}", basic(USER, PASSWORD)}
        return call.headers.get("authorization") in tokens or call.query.get("token") == PASSWORD

    def refusal(self, call: Call) -> Page:  # noqa: ARG002 # all the same
        """Return the 404 that hides what is private."""
        return _not_found()

    def answer(self, call: Call) -> Page:
        """Return what the API, the registry or the pages have."""
        match call.path:
            case ("api", "v1", "repos", "platform", "uv", "releases", *names):
                return self._release_api(call, tuple(names))
            case ("platform", "uv", "releases", "download", version, name) if self.releases():
                return self._file(version, name)
            case ("api", "v1", "packages", "platform", *names):
                return self._package_api(call, tuple(names))
            case ("api", "packages", "platform", "generic", "uv", version, name) if self.packages():
                return self._file(version, name)
            case _:
                return _not_found()

    def releases(self) -> tuple[Published, ...]:
        """Return what there are releases of, the last published first."""
        return ()

    def packages(self) -> tuple[Published, ...]:
        """Return what there are packages of, the last published first."""
        return ()

    def _release_api(self, call: Call, names: Names) -> Page:
        documents = [
            self._release(call, number * 1000, release)
            for number, release in enumerate(self.releases(), start=1)
        ]
        match names:
            case ():
                if call.query.get("draft") != "false" and documents:
                    documents.insert(0, {**documents[0], "tag_name": "9.9.9", "draft": True})
                return self._paged(call, documents)
            case ("latest",):
                whole = [found for found in documents if not found["prerelease"]]
                return json_page(whole[0]) if whole else _not_found()
            case ("tags", tag):
                matching = [found for found in documents if found["tag_name"] == tag]
                return json_page(matching[0]) if matching else _not_found()
            case _:
                return _not_found()

    def _package_api(self, call: Call, names: Names) -> Page:
        match names:
            case ():
                asked = call.query.get("q", "")
                listed: Entries = [
                    {"id": 1, "name": "uv-tools", "version": "9.9.9", "type": "generic"},
                    *(
                        {"id": number, "name": "uv", "version": found.version, "type": "generic"}
                        for number, found in enumerate(self.packages(), start=2)
                    ),
                ]
                return self._paged(call, [entry for entry in listed if asked in str(entry["name"])])
            case ("generic", "uv", version, "files"):
                for release in self.packages():
                    if release.version == version:
                        return json_page(
                            [_package_file(release, file.name) for file in release.files]
                        )
                return _not_found()
            case _:
                return _not_found()

    def _paged(self, call: Call, listed: Entries) -> Page:
        size = min(int(call.query.get("limit", "30")), _LARGEST_PAGE, self.setup.page)
        number = int(call.query.get("page", "1"))
        found, links = next_page(call, listed, number=number, size=size, name="limit")
        return json_page(found, headers=links | {"X-Total-Count": str(len(listed))})

    def _release(self, call: Call, number: int, release: Published) -> dict[str, object]:
        downloads = f"{call.root}/{OWNER}/{REPOSITORY}/releases/download/{release.version}"
        return {
            "id": number,
            "tag_name": release.version,
            "name": f"uv {release.version}",
            "draft": False,
            "prerelease": release.prerelease,
            "created_at": release.date.isoformat(),
            "published_at": release.date.isoformat(),
            "assets": [
                {
                    "id": number + index,
                    "name": file.name,
                    "size": len(file.content),
                    "download_count": 3,
                    "created_at": release.date.isoformat(),
                    "uuid": f"0f00{number + index:08}",
                    "browser_download_url": f"{downloads}/{file.name}",
                }
                for index, file in enumerate(release.files, start=1)
            ],
        }

    def _file(self, version: str, name: str) -> Page:
        for release in self.catalogue.stored:
            for file in release.files:
                if (release.version, file.name) == (version, name):
                    return stored(file)
        return _not_found()


class GiteaReleases(_Gitea):
    """A repository with releases."""

    def releases(self) -> tuple[Published, ...]:
        """Return all of them."""
        return tuple(release for release in self.catalogue if not release.pending)


class GiteaPackages(_Gitea):
    """A repository without releases, whose owner has generic packages."""

    def packages(self) -> tuple[Published, ...]:
        """Return all of them."""
        return tuple(release for release in self.catalogue if not release.pending)


def _package_file(release: Published, name: str) -> dict[str, object]:
    file = release[name]
    sums = {"md5": "0f" * 16, "sha1": "0f" * 20, "sha256": file.sha256, "sha512": "0f" * 64}
    return {"id": 1, "size": len(file.content), "name": file.name, **sums}


def _not_found() -> Page:
    message = {"message": "The target couldn't be found.", "url": "http://h/api/swagger"}
    return json_page(message, status=404)
