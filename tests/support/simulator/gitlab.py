"""GitLab: releases, which are links, and generic packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.simulator.dialect import (
    PASSWORD,
    Call,
    Dialect,
    Names,
    encoded,
    html,
    json_page,
    redirect,
    stored,
)
from support.simulator.github import next_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.catalogue import Catalogue, Published
    from support.simulator.dialect import Setup
    from support.simulator.github import Entries
    from support.web import Page

_GROUPS: Names = ("platform",)
_NUMBER = "278964"
_SIGN_IN = ("users", "sign_in")


class GitlabPackages(Dialect):
    """A project with generic packages and without releases."""

    kind = "gitlab"

    @property
    def place(self) -> str:
        """The project; GitLab's groups may lie in groups."""
        return encoded(self._project)

    @property
    def _project(self) -> Names:
        return (*_GROUPS, *self.setup.below, "uv")

    def admits(self, call: Call) -> bool:
        """Return whether there is the token; the pages for browsers take none."""
        return call.headers.get("private-token") == PASSWORD

    def refusal(self, call: Call) -> Page:
        """Return a 404 to whoever shows no token, as if there were no such project."""
        if call.path[:2] != ("api", "v4"):
            return self._web(call)
        if call.headers.get("private-token"):
            return json_page({"message": "401 Unauthorized"}, status=401)
        return json_page({"message": "404 Project Not Found"}, status=404)

    def answer(self, call: Call) -> Page:
        """Return what the API has."""
        match call.path:
            case ("api", "v4", "projects", project, *names) if project in {
                _NUMBER,
                "/".join(self._project),
            }:
                return self._api(call, tuple(names))
            case ("api", *_):
                return json_page({"message": "404 Project Not Found"}, status=404)
            case _:
                return self._web(call)

    def released(self) -> Catalogue | tuple[Published, ...]:
        """Return what there are releases of."""
        return ()

    def link(self, call: Call, version: str, name: str) -> str:
        """Return the URL that a release gives for a file."""
        path = ("api", "v4", "projects", _NUMBER, "packages", "generic", "uv", version, name)
        return call.root + encoded(path)

    def _web(self, call: Call) -> Page:
        """Return what a browser gets: where to sign in, whatever the headers say."""
        if call.path == _SIGN_IN:
            return html("<!DOCTYPE html><html><input type='password' name='user[password]'></html>")
        return redirect(call.root + encoded(_SIGN_IN))

    def _api(self, call: Call, names: Names) -> Page:
        match names:
            case ("releases",):
                return self._paged(call, self._releases(call))
            case ("releases", "permalink", "latest"):
                return self._latest(call)
            case ("releases", tag):
                found = [entry for entry in self._releases(call) if entry["tag_name"] == tag]
                return json_page(found[0]) if found else _not_found()
            case ("releases", tag, "downloads", name):
                return redirect(self.link(call, tag, name))
            case ("packages",):
                return self._paged(call, self._packages(call))
            case ("packages", number, "package_files"):
                return self._paged(call, self._files(number))
            case ("packages", "generic", "uv", version, name):
                return self._file(version, name)
            case _:
                return _not_found()

    def _paged(self, call: Call, listed: Entries) -> Page:
        size = min(int(call.query.get("per_page", "20")), 100, self.setup.page)
        number = int(call.query.get("page", "1"))
        found, links = next_page(call, listed, number=number, size=size, name="per_page")
        following = str(number + 1) if links else ""
        return json_page(found, headers=links | {"x-next-page": following, "x-per-page": str(size)})

    def _latest(self, call: Call) -> Page:
        releases = self._releases(call)
        if not releases:
            return _not_found()
        return redirect(f"{call.root}{encoded((*call.path[:-2], str(releases[0]['tag_name'])))}")

    def _releases(self, call: Call) -> Entries:
        return [
            {
                "tag_name": release.version,
                "name": f"uv {release.version}",
                "created_at": release.date.isoformat(),
                "released_at": release.date.isoformat(),
                "upcoming_release": False,
                "assets": {
                    "count": 0 if release.pending else len(release.files),
                    "sources": [{"format": "tar.gz", "url": f"{call.root}/-/archive/uv.tar.gz"}],
                    "links": [
                        {
                            "id": number,
                            "name": file.name,
                            "url": self.link(call, release.version, file.name),
                            "direct_asset_url": f"{call.root}{encoded(self._project)}/-/releases/"
                            f"{release.version}/downloads/{file.name}",
                            "link_type": "package",
                        }
                        for number, file in enumerate(release.files, start=1)
                        if not release.pending
                    ],
                },
            }
            for release in self.released()
        ]

    def _packages(self, call: Call) -> Entries:
        """Return the packages whose name holds what is asked for, which is not only uv."""
        asked = call.query.get("package_name", "")
        packages: Entries = [
            {"id": 1, "name": "uv-tools", "version": "9.9.9", "package_type": "generic"},
            *(
                {
                    "id": number,
                    "name": "uv",
                    "version": release.version,
                    "package_type": "generic",
                    "status": "default",
                    "created_at": release.date.isoformat(),
                }
                for number, release in enumerate(self.catalogue.stored, start=2)
            ),
        ]
        return [entry for entry in packages if asked in str(entry["name"])]

    def _files(self, number: str) -> Entries:
        """Return the files of a package, some of which were uploaded twice."""
        files = dict(enumerate(self.catalogue.stored, start=2)).get(int(number))
        if files is None:
            return []
        before: Entries = [
            {"id": index, "file_name": file.name, "size": 1, "file_sha256": "0" * 64}
            for index, file in enumerate(files.files, start=1)
            if file.archive
        ]
        return [
            *before,
            *(
                {
                    "id": 1000 + index,
                    "package_id": int(number),
                    "file_name": file.name,
                    "size": len(file.content),
                    "file_sha256": file.sha256,
                }
                for index, file in enumerate(files.files)
            ),
        ]

    def _file(self, version: str, name: str) -> Page:
        for release in self.catalogue.stored:
            for file in release.files:
                if (release.version, file.name) == (version, name):
                    return stored(file, **{"X-Checksum-SHA256": file.sha256})
        return _not_found()


class GitlabReleases(GitlabPackages):
    """A project with releases, whose links lead to its packages."""

    def released(self) -> Catalogue:
        """Return all of them."""
        return self.catalogue

    def _packages(self, call: Call) -> Entries:
        """Return none: whoever may see releases need not see packages."""
        _ = call
        return []


class GitlabLinks(GitlabReleases):
    """A project with releases, whose links lead to another folder of the same host."""

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        """Give the folder a name that has to be quoted, whatever else is set up."""
        super().__init__(catalogue, setup)
        self._folder = ("files of uv", "100%")
        self.elsewhere: Callable[[Page], str] | None = None
        """Puts a file on another server, and returns its URL; None for files on this one."""

    def link(self, call: Call, version: str, name: str) -> str:
        """Return the URL that a release gives for a file."""
        if self.elsewhere is not None:
            return self.elsewhere(self._file(version, name))
        return call.root + encoded((*self._folder, version, name))

    def _web(self, call: Call) -> Page:
        if call.path[:-2] == self._folder:
            return self._file(*call.path[-2:])
        return super()._web(call)


def _not_found() -> Page:
    return json_page({"message": "404 Not found"}, status=404)
