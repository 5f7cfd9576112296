"""The common variables of GitHub and GitLab, each for its own server only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uv_self_update.auth.credentials import GITHUB_HOSTS, Login, usable_secret
from uv_self_update.url import Url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uv_self_update.redaction import Secret


JOB_USER = "gitlab-ci-token"
"""The user of the token of a job in GitLab."""

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_DEFAULT_PORTS = {80, 443}


def github_tokens(
    url: Url, environ: Mapping[str, str], *, given: Secret | None
) -> Iterator[tuple[Secret, str]]:
    """Yield the tokens for the GitHub at `url`, each with its provider, by precedence.

    `GH_TOKEN` and `GITHUB_TOKEN` are for github.com and subdomains of ghe.com, those with
    `ENTERPRISE` in their names for a GitHub Enterprise Server
    (https://cli.github.com/manual/gh_help_environment): here for the one that `GH_HOST` or GitHub
    Actions names. A job's `GITHUB_TOKEN` is for the server that runs the job
    (https://docs.github.com/en/actions/reference/workflows-and-actions/variables), which may be
    a Gitea as well.

    Args:
        url: A repository that the user has configured as one of GitHub.
        environ: The user's environment.
        given: The token of `--token`.
    """
    if not is_private(url):
        return
    if given is not None and (secret := usable_secret(given.reveal())) is not None:
        yield secret, "`--token`"
    for name in ("UV_GITHUB_TOKEN", *_names(url, environ)):
        if (secret := usable_secret(environ.get(name))) is not None:
            yield secret, name


def job_login(url: Url, environ: Mapping[str, str]) -> Iterator[tuple[Login, str]]:
    """Yield the token of the current job in GitLab CI, if `url` is on the server that runs it.

    https://docs.gitlab.com/ci/variables/predefined_variables/
    """
    token = usable_secret(environ.get("CI_JOB_TOKEN"))
    servers = (environ.get("CI_SERVER_URL", ""), environ.get("CI_API_V4_URL", ""))
    if token is not None and is_private(url) and any(_is_at(url, server) for server in servers):
        yield Login(user=JOB_USER, password=token), "CI_JOB_TOKEN"


def is_githubs_own(url: Url) -> bool:
    """Return whether a URL is on github.com, or on a subdomain of ghe.com."""
    return url.host in GITHUB_HOSTS or url.host.endswith(".ghe.com")


def is_private(url: Url) -> bool:
    """Return whether the connection is encrypted, or to loopback."""
    return url.scheme == "https" or url.host in _LOOPBACK


def server_of(url: Url) -> str:
    """Return `HOST`, or `HOST:PORT` for other ports than 80 and 443."""
    _, host, port = url.origin
    return host if port in _DEFAULT_PORTS else f"{host}:{port}"


def _names(url: Url, environ: Mapping[str, str]) -> tuple[str, ...]:
    server = environ.get("GITHUB_SERVER_URL", "")
    runs_job = _is_at(url, server)
    job = ("GITHUB_TOKEN",) if runs_job else ()
    if is_githubs_own(url):
        return ("GH_TOKEN", *(job if server else ("GITHUB_TOKEN",)))
    if runs_job or server_of(url) == environ.get("GH_HOST", "").lower():
        return ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", *job)
    return ()


def _is_at(url: Url, server: str) -> bool:
    try:
        other = Url.parse(server)
    except ValueError:
        return False  # an invalid URL
    return url.origin == other.origin or {url.host, other.host} == GITHUB_HOSTS
