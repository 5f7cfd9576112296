"""The URLs that forges give the files of a release, below the URL of a repository.

GitLab's are its permanent links to release assets
(https://docs.gitlab.com/user/project/releases/release_fields/#permanent-links-to-latest-release-assets).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from uv_self_update.values import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.url import Url

SIGN_IN = re.compile(rb"/(?:login|user/login|users/sign_in)/?(?:\?|$)")
"""A URL of the page that GitHub, Gitea or GitLab redirects to without a session."""

_API = "/api/v4/projects/"
"""GitLab's API takes the path of a project as one encoded name."""


@frozen
class ReleaseUrls:
    """Their shape for one forge."""

    start: str
    """What every one begins with."""

    rest: re.Pattern[str]
    """What follows: `tag` and `file`, percent-encoded."""

    mark: str
    """A regular expression for what a project contains if it names one."""

    shown: str
    """The shape in messages."""


_GITHUB = ReleaseUrls(
    start="/releases/",
    rest=re.compile(r"download/(?P<tag>.+)/(?P<file>[^/]+)"),
    mark="/releases/download/",
    shown="releases/download/TAG/FILE",
)
_GITLAB = ReleaseUrls(
    start="/-/releases/",
    rest=re.compile(r"(?P<tag>.+?)/downloads/(?:.+/)?(?P<file>[^/]+)"),
    mark=r"/-/releases/[^\s\"']+/downloads/",
    shown="-/releases/TAG/downloads/FILE",
)

OF_KIND: Mapping[str, ReleaseUrls] = {"github": _GITHUB, "gitea": _GITHUB, "gitlab": _GITLAB}
"""The kinds of `[[releases]]` whose files have such URLs."""


def page_of(url: Url) -> Url:
    """Return the URL of a repository's page, without a slash at its end."""
    root, api, project = url.parts.path.partition(_API)
    path = f"{root}/{unquote(project)}" if api else root
    return url.at(path.rstrip("/").removesuffix(".git"))
