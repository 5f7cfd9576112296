"""GitHub Enterprise Server: releases, public ones and private ones."""

from __future__ import annotations

import re
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
from support.simulator.plain import github_release
from support.web import Page

if TYPE_CHECKING:
    from support.simulator.dialect import Call

OWNER, REPOSITORY = "acme", "tools"
_ACCEPTABLE = re.compile(r"\*/\*|application/(?:vnd\.github[\w.-]*\+)?json")

Entries = list[dict[str, object]]
"""What is listed, as JSON has it."""


class Github(Dialect):
    """A public repository, whose releases come with digests."""

    kind = "github"
    digests = True

    @property
    def place(self) -> str:
        """The repository."""
        return encoded((*self.setup.before, OWNER, REPOSITORY))

    def answer(self, call: Call) -> Page:
        """Return what the API or the web pages have; a slash at the end is a mistake."""
        if call.slash:
            return _not_found()
        if "user-agent" not in call.headers:
            return Page(status=403)
        match call.path:
            case ("api", "v3", "repos", "acme", "tools", "releases", *names):
                return self._api(call, tuple(names))
            case ("acme", "tools", "releases", "download", version, name):
                return self.web(version, name)
            case _:
                return _not_found()

    def admits(self, call: Call) -> bool:
        """Return whether there is a token, or a login of Enterprise Server."""
        tokens = {f"Bearer {PASSWORD}", f"token {PASSWORD}", basic(USER, PASSWORD)}
        return call.headers.get("authorization") in tokens

    def refusal(self, call: Call) -> Page:  # noqa: ARG002 # all the same
        """Return the 404 that hides what is private."""
        return _not_found()

    def web(self, version: str, name: str) -> Page:
        """Return a file by the URL that a browser uses."""
        for release in self.catalogue.stored:
            for file in release.files:
                if (release.version, file.name) == (version, name):
                    return stored(file)
        return _not_found()

    def _api(self, call: Call, names: Names) -> Page:
        if names[:1] != ("assets",) and not _ACCEPTABLE.search(call.headers.get("accept", "*/*")):
            words = "Unsupported 'Accept' header. Must accept 'application/json'."
            return json_page({"message": words}, status=415)
        documents = self._documents(call)
        match names:
            case ():
                return self._list(call, documents)
            case ("latest",):
                whole = [found for found in documents if not found["prerelease"]]
                return json_page(whole[0]) if whole else _not_found()
            case ("tags", tag):
                matching = [found for found in documents if found["tag_name"] == tag]
                return json_page(matching[0]) if matching else _not_found()
            case ("assets", number):
                return self._asset(call, number)
            case _:
                return _not_found()

    def _list(self, call: Call, documents: Entries) -> Page:
        # Whoever may write sees drafts; the rest of the list is not only uv's.
        draft = {**documents[0], "tag_name": "9.9.9", "draft": True}
        other = {**documents[0], "tag_name": "nightly", "assets": []}
        listed = [draft, other, *documents]
        size = min(int(call.query.get("per_page", "30")), self.setup.page)
        number = int(call.query.get("page", "1"))
        found, links = next_page(call, listed, number=number, size=size, name="per_page")
        return json_page(found, headers=links)

    def _asset(self, call: Call, number: str) -> Page:
        for release_number, release in enumerate(self.catalogue, start=1):
            for index, file in enumerate(release.files, start=1):
                if str(release_number * 1000 + index) == number:
                    # Exactly this (tuist#11444, ghinstallation PR#13, go-github#870).
                    if call.headers.get("accept") == "application/octet-stream":
                        return stored(file)
                    return json_page({"name": file.name, "id": int(number)})
        return _not_found()

    def _documents(self, call: Call) -> Entries:
        """Return every release, the last published first, as GitHub orders them."""
        return [
            github_release(
                release,
                repository=f"{call.root}/{OWNER}/{REPOSITORY}",
                api=f"{call.root}/api/v3/repos/{OWNER}/{REPOSITORY}",
                number=number * 1000,
                digests=self.digests,
            )
            for number, release in enumerate(self.catalogue, start=1)
        ]


class GithubWithoutDigests(Github):
    """An older server, which knows no digests."""

    digests = False


class GithubPrivate(Github):
    """A private repository, whose files only the API hands out, to whoever has the token."""

    token_in = "UV_GITHUB_TOKEN"  # noqa: S105 # the name of a variable

    def web(self, version: str, name: str) -> Page:  # noqa: ARG002 # whatever it is
        """Return the page that hides what is private."""
        return _not_found()


def next_page(
    call: Call, listed: Entries, *, number: int, size: int, name: str
) -> tuple[Entries, dict[str, str]]:
    """Cut a list into pages.

    Args:
        call: What was asked.
        listed: The whole list.
        number: The page, from 1 on.
        size: What one page holds.
        name: What the query calls that.

    Returns:
        The page, and its `Link` header.
    """
    end = number * size
    if end >= len(listed):
        return listed[end - size : end], {}
    url = f"{call.root}{encoded(call.path)}"
    others = "".join(
        f"&{key}={value}" for key, value in call.query.items() if key not in {name, "page"}
    )
    last = -(-len(listed) // size)
    link = ", ".join(
        f'<{url}?{name}={size}&page={page}{others}>; rel="{relation}"'
        for relation, page in (("next", number + 1), ("last", last))
    )
    return listed[end - size : end], {"Link": link}


def _not_found() -> Page:
    return json_page({"message": "Not Found", "status": "404"}, status=404)
