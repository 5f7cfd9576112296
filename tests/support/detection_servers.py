"""Servers to be recognised, beside those of the simulator: how they look from their front door."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from support.simulator.dialect import encoded, html
from support.simulator.gitea import OWNER, REPOSITORY, GiteaPackages, GiteaReleases
from support.simulator.github import Github
from support.simulator.gitlab import GitlabPackages
from support.simulator.index import Index
from support.simulator.repositories import Artifactory, ArtifactoryRemote
from support.web import Page, Web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.simulator.dialect import Call
    from support.web import Asked

    Answer = Callable[["Trap", Asked], Page]

HTML = {"Content-Type": "text/html; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
XML = {"Content-Type": "application/xml"}
NEXUS = {**HTML, "Server": "Nexus/3.75.1-01 (OSS)"}
ARTIFACTORY = {**HTML, "X-JFrog-Version": "Artifactory/7.90.8 79008900"}

SIGN_IN = Page(
    body=b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>"
    b"<input name='user'><input type='password' name='password'></form></body></html>",
    headers=HTML,
)


class Trap(Web):
    """A server that does not have what it seems to have."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer_to = answer

    def page_for(self, asked: Asked) -> Page:
        """Return what a request is answered with."""
        return self._answer_to(self, asked)


def always(page: Page) -> Answer:
    """Return this page, whatever is asked for."""
    return lambda _server, _asked: page


def paths(found: Mapping[str, Page], otherwise: Page | None = None) -> Answer:
    """Return pages by their path, without the query."""
    missing = Page(status=404, body=b"<html>404</html>", headers=HTML)
    page = missing if otherwise is None else otherwise
    return lambda _server, asked: found.get(urlsplit(asked.path).path, page)


def listing(*names: str, title: str = "Index of /uv/") -> Page:
    """Return a folder as nginx shows it."""
    links = "".join(f'<a href="{name}">{name}</a>\r\n' for name in ("../", *names))
    return html(f"<html><head><title>{title}</title></head><body><pre>{links}</pre></body></html>")


def bucket_error(code: str, status: int) -> Page:
    """Return an error of S3."""
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code></Error>'
    return Page(body=text.encode(), status=status, headers={**XML, "x-amz-request-id": "17"})


class Devpi(Index):
    """An index of devpi, which says who it is in every answer."""

    @property
    def place(self) -> str:
        """The index's own page."""
        return "/company/uv"

    def answer(self, call: Call) -> Page:
        """Return what lies below the index, where devpi has it."""
        page = Page(status=404)
        match call.path:
            case ("company", "uv", "+simple", *names):
                page = super().answer(replace(call, path=("simple", *names)))
            case ("company", "uv", "wheels", name):
                page = super().answer(replace(call, path=("wheels", name)))
            case ("company", "uv"):
                page = Page(body=b'{"type": "indexconfig", "result": {}}', headers=JSON)
            case _:
                pass
        return replace(page, headers={**page.headers, "X-DEVPI-API-VERSION": "2"})


class GithubDotCom(Github):
    """GitHub itself, whose API has a host of its own."""

    def answer(self, call: Call) -> Page:
        """Return what the site or the API has."""
        if call.path[:1] == ("repos",):
            return super().answer(replace(call, path=("api", "v3", *call.path)))
        return Page(status=404) if call.path[:1] == ("api",) else super().answer(call)


class GithubEnterprise(Github):
    """Enterprise Server, which numbers every request."""

    def answer(self, call: Call) -> Page:
        """Return what it has."""
        page = super().answer(call)
        return replace(page, headers={**page.headers, "X-GitHub-Request-Id": "8A2B:17"})


class GithubFiles(Github):
    """Static files laid out like it, without a list of the releases."""

    def answer(self, call: Call) -> Page:
        """Return a file; the list would be a folder."""
        if call.path[-1:] == ("releases",):
            return Page(status=403)
        return super().answer(call)


class ArtifactoryAtRoot(Artifactory):
    """A reverse proxy that hides `/artifactory`."""

    @property
    def place(self) -> str:
        """The repository."""
        return encoded((self.repository, *self.setup.below))

    def answer(self, call: Call) -> Page:
        """Return what Artifactory has behind it."""
        return super().answer(replace(call, path=("artifactory", *call.path)))


class RemoteAtRoot(ArtifactoryRemote):
    """A remote repository, with a name that tells nothing, behind such a proxy."""

    repository = "tools"

    @property
    def place(self) -> str:
        """The repository."""
        return encoded((self.repository, *self.setup.below))

    def answer(self, call: Call) -> Page:
        """Return what Artifactory has behind it."""
        return super().answer(replace(call, path=("artifactory", *call.path)))


class Gitlab(GitlabPackages):
    """A GitLab that says in every answer of its API who it is."""

    def answer(self, call: Call) -> Page:
        """Return what it has."""
        page = super().answer(call)
        meta = json.dumps({"correlation_id": "17", "version": "1"})
        return replace(page, headers={**page.headers, "X-Gitlab-Meta": meta})


class Gitea(GiteaPackages):
    """A Gitea with pages for people, and packages."""

    product = "Gitea"

    def answer(self, call: Call) -> Page:
        """Return what it has."""
        if call.path in {(OWNER,), (OWNER, REPOSITORY)}:
            footer = f"<footer>Powered by {self.product}</footer>"
            return html(f"<!DOCTYPE html><html><title>uv</title><body>{footer}</body></html>")
        return super().answer(call)


class Forgejo(GiteaReleases):
    """A Forgejo with pages for people, and releases."""

    def answer(self, call: Call) -> Page:
        """Return what it has."""
        if call.path == (OWNER, REPOSITORY):
            meta = '<meta name="author" content="Forgejo - Beyond coding">'
            return html(f"<!DOCTYPE html><html><head>{meta}</head><body></body></html>")
        return super().answer(call)
