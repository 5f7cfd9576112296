"""Repository managers: Sonatype Nexus 3 and JFrog Artifactory, hosted and as proxies."""

from __future__ import annotations

import html as markup
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from support.catalogue import Catalogue
from support.simulator.dialect import (
    PASSWORD,
    USER,
    Dialect,
    basic,
    encoded,
    html,
    json_page,
    redirect,
    stored,
)
from support.simulator.folders import lay_out
from support.simulator.plain import MANIFEST, Astral

if TYPE_CHECKING:
    from support.catalogue import File
    from support.simulator.dialect import Call, Names, Setup
    from support.web import Page

_NOT_FOUND = 404


class Nexus(Dialect):
    """A raw hosted repository, called `uv`."""

    kind = "nexus"
    repository = "uv"
    leading = "/"
    """What `path` in a search begins with; both have been seen."""

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        super().__init__(catalogue, setup)
        self.files = dict(lay_out(catalogue, setup).files)

    @property
    def place(self) -> str:
        """The folder that the releases are in."""
        return encoded((*self.setup.before, "repository", self.repository, *self.setup.below))

    def answer(self, call: Call) -> Page:
        """Return what the repository, its pages or its API have."""
        match call.path:
            case ("repository", self.repository, *names):
                return self.file(call, tuple(names))
            case ("service", "rest", "repository", "browse", name, *names):
                if name != self.repository or not self.may_browse(call):
                    return _nexus_404("Repository not found")
                return self._browse(call, tuple(names))
            case ("service", "rest", "v1", "search", "assets"):
                return self._search(call)
            case ("service", "rest", "v1", "assets"):
                return self._page(call, sorted(self.files))
            case _:
                return _nexus_404("Not Found")

    def file(self, call: Call, names: Names) -> Page:
        """Return a file; a folder is none."""
        if not call.slash and names in self.files:
            return stored(self.files[names], ETag='"{SHA1{0f00}}"')
        return _nexus_404("You can't browse this way")

    def may_browse(self, call: Call) -> bool:  # noqa: ARG002 # whoever is let in may, here
        """Return whether the pages to browse are open to whoever asks."""
        return True

    def refusal(self, call: Call) -> Page:
        """Return what a request without the login is answered with: three different things."""
        match call.path:
            case ("service", "rest", "repository", "browse", *_):
                return _nexus_404("Repository not found")
            case ("service", "rest", "v1", "search", "assets"):
                return json_page({"items": [], "continuationToken": None})
            case _:
                return super().refusal(call)

    def _browse(self, call: Call, names: Names) -> Page:
        inside = [path for path in sorted(self.files) if path[: len(names)] == names]
        if (names and not inside) or names in self.files:
            return _nexus_404("Path not found")
        if not call.slash:
            return redirect(f"{call.root}{encoded(call.path)}/", 303)
        folders = sorted({path[len(names)] for path in inside if len(path) > len(names) + 1})
        rows = [
            f'<tr><td><a href="{quote(name, safe="")}/">{markup.escape(name)}</a></td>'
            "<td>&nbsp;</td><td>&nbsp;</td></tr>\n"
            for name in folders
        ]
        rows += [
            f'<tr><td><a href="{self._download_url(call, path)}">{markup.escape(path[-1])}</a></td>'
            f"<td>{self.files[path].date:%a %b %d %H:%M:%S UTC %Y}</td>"
            f'<td align="right">{len(self.files[path].content)}</td></tr>\n'
            for path in inside
            if len(path) == len(names) + 1
        ]
        parent = '<tr><td><a href="../">Parent Directory</a></td></tr>' if names else ""
        title = f"Index of {markup.escape('/' + '/'.join(names))}"
        return html(
            f"<!DOCTYPE html><html><head><title>{title}</title>"
            '<link rel="icon" href="../../../../../static/favicon.ico"></head>'
            f'<body class="htmlIndex"><h1>{title}</h1><table cellspacing="10"><tr><th>Name</th>'
            "<th>Last Modified</th><th>Size</th></tr>"
            f"{parent}\n{''.join(rows)}</table></body></html>"
        )

    def _search(self, call: Call) -> Page:
        """Search: by the group, which is the folder with a slash before it, and by the name."""
        group = call.query.get("group", "*").strip('"')
        name = call.query.get("name", "*").strip('"')
        found = [
            path
            for path in sorted(self.files)
            if _fits("/" + "/".join(path[:-1]), group) and _fits("/".join(path), name.lstrip("/"))
        ]
        return self._page(call, found)

    def _page(self, call: Call, found: list[Names]) -> Page:
        if call.query.get("repository", self.repository) != self.repository:
            found = []
        start = int(call.query.get("continuationToken", "0"), 16)
        end = start + self.setup.page
        items = [
            {
                "downloadUrl": self._download_url(call, path),
                "path": self.leading + "/".join(path),
                "id": "dXY6" + "".join(path).encode().hex(),
                "repository": self.repository,
                "format": "raw",
                "checksum": {"sha1": "0f" * 20, "sha256": self.files[path].sha256},
                "contentType": "application/octet-stream",
                "lastModified": self.files[path].date.isoformat(),
                "fileSize": len(self.files[path].content),
            }
            for path in found[start:end]
        ]
        token = f"{end:032x}" if end < len(found) else None
        return json_page({"items": items, "continuationToken": token})

    def _download_url(self, call: Call, path: Names) -> str:
        return call.root + encoded(("repository", self.repository, *path))


class NexusSearch(Nexus):
    """The same for somebody who may search and read, but not browse."""

    leading = ""

    def may_browse(self, call: Call) -> bool:  # noqa: ARG002 # nobody may
        """Return that they may not."""
        return False


class NexusProxy(Nexus):
    """A raw proxy of releases.astral.sh, which shows only what somebody has fetched through it."""

    repository = "astral"

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        """Begin with one release fetched, the last that was published."""
        super().__init__(*_fetched(catalogue, setup))
        self._remote = Astral(catalogue, setup)

    def file(self, call: Call, names: Names) -> Page:
        """Fetch a file; what is missing is remembered for a day."""
        page = self._remote.answer(replace(call, path=names))
        self.poisoned = self._remote.poisoned
        return page


class Artifactory(Dialect):
    """A generic local repository, called `uv-local`."""

    kind = "artifactory"
    repository = "uv-local"
    folder_is: tuple[object, object] = (True, False)
    """How a child says that it is a folder, and that it is none."""

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        super().__init__(catalogue, setup)
        self.tree = lay_out(catalogue, setup)

    @property
    def place(self) -> str:
        """The folder that the releases are in."""
        return encoded((*self.setup.before, "artifactory", self.repository, *self.setup.below))

    def admits(self, call: Call) -> bool:
        """Return whether there is a login, a token or an API key."""
        headers = call.headers
        authorization = headers.get("authorization")
        return (
            authorization in {basic(USER, PASSWORD), f"Bearer {PASSWORD}"}
            or headers.get("x-jfrog-art-api") == PASSWORD
        )

    def refusal(self, call: Call) -> Page:  # noqa: ARG002 # all the same
        """Return what a request without the login is answered with."""
        return _artifactory_error(401, "Authentication is required")

    def answer(self, call: Call) -> Page:
        """Return what the repository or its API has."""
        match call.path:
            case ("artifactory", "api", "storage", name, *names) if name == self.stored_as:
                return self._info(call, tuple(names))
            case ("artifactory", "api", *_):
                return _artifactory_error(_NOT_FOUND, "Unable to find item")
            case ("artifactory", self.repository, *names):
                return self.file(call, tuple(names))
            case _:
                return _artifactory_error(_NOT_FOUND, "File not found.")

    @property
    def stored_as(self) -> str:
        """The name under which the API knows what is stored."""
        return self.repository

    def file(self, call: Call, names: Names) -> Page:
        """Return a file, or the page of a folder."""
        file = self.tree.files.get(names)
        if file is not None and not call.slash:
            return stored(file, **{"X-Checksum-Sha256": file.sha256, "X-Checksum-Sha1": "0f" * 20})
        if self.tree.folder(names) is not None:
            if call.headers.get("user-agent", "").startswith("Mozilla"):
                return redirect(f"{call.root}/ui/native{encoded(call.path[1:])}/")
            return html("<html><body><h1>Index of a folder</h1><pre></pre></body></html>")
        return _artifactory_error(_NOT_FOUND, "File not found.")

    def _info(self, call: Call, names: Names) -> Page:
        if "list" in call.query:
            return _artifactory_error(400, "This REST API is available only in Artifactory Pro.")
        path = "/" + "/".join(names)
        info: dict[str, object] = {
            "repo": self.stored_as,
            "path": path,
            "created": "2026-01-29T20:24:46.972Z",
            "uri": call.root + encoded(call.path),
        }
        file = self.tree.files.get(names)
        if file is not None:
            return json_page(info | self._file_info(call, names, file))
        folder = self.tree.folder(names)
        if folder is None:
            return _artifactory_error(_NOT_FOUND, "Unable to find item")
        yes, no = self.folder_is
        children = [
            *({"uri": f"/{name}", "folder": yes} for name in folder.folders),
            *({"uri": f"/{file.name}", "folder": no} for file in folder.files),
        ]
        return json_page(info | {"children": children})

    def _file_info(self, call: Call, names: Names, file: File) -> dict[str, object]:
        sums = {"sha1": "0f" * 20, "md5": "0f" * 16, "sha256": file.sha256}
        return {
            "downloadUri": f"{call.root}/artifactory{encoded((self.repository, *names))}",
            "size": str(len(file.content)),
            "mimeType": "application/octet-stream",
            "checksums": sums,
            "originalChecksums": {"sha256": file.sha256},
        }


class ArtifactoryVirtual(Artifactory):
    """A virtual repository, which says `folder` in a string, as JFrog's documentation does."""

    repository = "uv"
    folder_is = ("true", "false")


class ArtifactoryRemote(Artifactory):
    """A remote repository whose files have all been fetched before, so that its cache lists them.

    The URL of a folder is stored as a file, and whatever lies below it cannot be had any more.
    """

    repository = "uv-remote"

    @property
    def stored_as(self) -> str:
        """The cache has a name of its own."""
        return f"{self.repository}-cache"

    def file(self, call: Call, names: Names) -> Page:
        """Return a file; anything else does harm, but for a list that might be there."""
        if not call.slash and names in self.tree.files:
            return super().file(call, names)
        if call.slash or names != (*self.setup.below, *MANIFEST):
            self.poisoned.append(encoded(call.path))
        return _artifactory_error(_NOT_FOUND, "File not found.")


class ArtifactoryProxy(ArtifactoryRemote):
    """A remote repository of releases.astral.sh, with one release in its cache."""

    def __init__(self, catalogue: Catalogue, setup: Setup) -> None:
        """Begin with one release fetched, the last that was published."""
        super().__init__(*_fetched(catalogue, setup))
        self._remote = Astral(catalogue, setup)

    def file(self, call: Call, names: Names) -> Page:
        """Fetch a file; what is missing is remembered, and a folder does harm."""
        page = self._remote.answer(replace(call, path=names))
        self.poisoned = self._remote.poisoned
        return page


def _fetched(catalogue: Catalogue, setup: Setup) -> tuple[Catalogue, Setup]:
    """Return what a proxy of Astral's layout shows when one release has been fetched."""
    last = Catalogue(releases=catalogue.stored[-1:])
    return last, replace(setup, layout="astral")


def _fits(value: str, criterion: str) -> bool:
    return value.startswith(criterion[:-1]) if criterion.endswith("*") else value == criterion


def _nexus_404(text: str) -> Page:
    return html(f"<html><body><h1>404</h1>{text}</body></html>", status=_NOT_FOUND)


def _artifactory_error(status: int, text: str) -> Page:
    return json_page({"errors": [{"status": status, "message": text}]}, status=status)
