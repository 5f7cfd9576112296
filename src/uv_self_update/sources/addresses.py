"""Where the requests of a source go, known from its settings alone.

It imports no source: the first connection is begun before those are imported.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from uv_self_update.auth.variables import is_githubs_own
from uv_self_update.errors import InvalidSource
from uv_self_update.network.access import Access
from uv_self_update.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uv_self_update.config.kinds import SourceSettings
    from uv_self_update.config.settings import Network, Settings
    from uv_self_update.url import Url


def preconnect(settings: Settings, environ: Mapping[str, str], *, exact: bool = False) -> Access:
    """Begin the connection for the first request of a run; to be closed."""
    return preconnect_to(settings.sources[0], settings.network, environ, exact=exact)


def preconnect_to(
    section: SourceSettings, network: Network, environ: Mapping[str, str], *, exact: bool = False
) -> Access:
    """Begin the connection for the first request to a source; to be closed."""
    access = Access(network, environ)
    with suppress(InvalidSource):
        url = first_url(section, exact=exact)
        if url is not None:
            access.preconnect(url)
    return access


def first_url(section: SourceSettings, *, exact: bool) -> Url | None:
    """Return a URL on the server of a source's first request; None if there is no such server.

    uv queries an index itself, and a directory is not a server.

    Raises:
        InvalidSource: The URL of a repository is incomplete.
    """
    match section.kind:
        case "index" | "directory":
            return None
        case "github" if section.url is not None:
            return api_of(section.url)
        case "urls":
            listed = section.release or section.download if exact else section.latest
            # A template may have a placeholder even in the name of the host.
            return listed if listed and "{" not in listed.netloc else None
        case _:
            return section.url


def api_of(url: Url) -> Url:
    """Return the API URL of the repository at `url`.

    The API of `https://github.com/O/R` and `https://TENANT.ghe.com/O/R` has its own host
    (https://docs.github.com/en/enterprise-cloud@latest/rest); that of GitHub Enterprise Server, and
    of servers with its layout, is below `/api/v3`. Credentials in the URL are kept.

    Raises:
        InvalidSource: The URL does not end in `OWNER/REPO`.
    """
    above, _, name = url.parts.path.rstrip("/").rpartition("/")
    prefix, _, owner = above.rpartition("/")
    if not owner or not name:
        raise InvalidSource(str(url), "the URL of a repository ends in `OWNER/REPO`")
    if not is_githubs_own(url):
        return url.at(f"{prefix}/api/v3/repos/{owner}/{name}")
    scheme, host, port = url.origin
    parts = url.parts._replace(netloc=f"api.{url.address.removeprefix('www.')}")
    api = replace(url, parts=parts, origin=(scheme, f"api.{host.removeprefix('www.')}", port))
    return api.at(f"/repos/{owner}/{name}")
