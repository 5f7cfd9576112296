"""How each kind of source says who is asking, and to which origin."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from uv_self_update.credentials import (
    GITHUB_HOSTS,
    Credentials,
    github_token,
    login_of,
    origin_of,
    usable_secret,
)
from uv_self_update.sources.github import api_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.kinds import SourceSettings

__all__ = ("credentials_of",)

_GITLAB_USERS = {"gitlab-ci-token": "JOB-TOKEN"}
_DEPLOY_TOKEN = "gitlab+deploy-token"  # noqa: S105 # how the users of these tokens begin


def credentials_of(
    section: SourceSettings,
    environ: Mapping[str, str],
    *,
    given: str | None,
    guessed: bool = False,
) -> Credentials:
    """Return the credentials that a source's requests may carry.

    Args:
        section: The source.
        environ: The user's environment.
        given: A GitHub token that was given for this run, as in `--token`.
        guessed: Whether nobody has said that it is of this kind. Then a token that was not given
            for this very server goes to GitHub alone: any server could pretend to be one.
    """
    fields = (section.url, section.latest, section.release, section.download)
    urls = [url for url in fields if url is not None]
    if section.kind == "github" and section.url is not None:
        # github.com has its API on a host of its own, and a login that is given is for both.
        api = api_of(section.url)
        known = not guessed or urlsplit(section.url).hostname in GITHUB_HOSTS
        token = github_token(section.url, environ, given=given) if known else None
        return Credentials.collect([*urls, api], tokens={api: token} if token else {})
    if section.kind == "gitlab" and section.url is not None:
        return _gitlab(section.url)
    return Credentials.collect(urls)


def _gitlab(url: str) -> Credentials:
    """Return the header that GitLab's API takes a token in: Basic is for its packages only."""
    login = login_of(url)
    if login is None:
        return Credentials()
    header = _GITLAB_USERS.get(login.user, "PRIVATE-TOKEN")
    if login.user.startswith(_DEPLOY_TOKEN):
        header = "DEPLOY-TOKEN"
    # A token may also stand alone, in the place of the user.
    secret = usable_secret(login.password.reveal() or login.user)
    return (
        Credentials()
        if secret is None
        else Credentials(by_origin={origin_of(url): {header: secret}})
    )
